#include "db/peer/peer_database.hpp"

#include "core/endpoint.hpp"
#include "core/error.hpp"
#include "core/shortage.hpp"
#include "db/engine/cell_values.hpp"
#include "db/peer/peer_rows.hpp"
#include "db/sqlite/database_file.hpp"
#include "db/sqlite/statement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <span>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::db {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kPeerFormat = 1;

constexpr const char* kPeerBooks[]{
    "CREATE TABLE abgleich_channel (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), "
    "format INTEGER NOT NULL, state TEXT)",
    "CREATE TABLE abgleich_grant (box BLOB NOT NULL PRIMARY KEY, sealed BLOB NOT NULL) "
    "WITHOUT ROWID"};

/// With EXTRA, the journal's removal from the directory, which commits, is on disk as well. With
/// FULL, a crash of the machine could bring the journal back and undo the commit, when the peer has
/// been answered already.
constexpr const char* kPeerSettings[]{"PRAGMA journal_mode = DELETE", "PRAGMA synchronous = EXTRA"};

constexpr std::string_view kUnchanged = "Nothing was changed";

/// What is wrong with the file, of which nothing can be used.
Failure unusable(const fs::path& file, std::string_view what) {
  return {Code::integrity,
          fmt::format("'{}', where everything that is exchanged with a peer is kept, {}",
                      file.string(), what),
          fmt::format("move it away, with '{}-journal' if that is there, then run: abgleich sync; "
                      "the peer then sends all of its rows again. {}",
                      file.string(), kUnchanged)};
}

/// What the fault means for whoever runs this: the file is ours, not a database of theirs.
Failure explained(const fs::path& file, const Fault& fault) {
  if (fault.error().code == Code::key_or_trust) {
    return Failure(fault.error());  // somebody has put a file beside it
  }
  const auto failed = [&](Code code, std::string_view why, std::string_view hint) {
    return Failure(code,
                   fmt::format("what is exchanged with a peer cannot be kept in '{}': {} ({})",
                               file.string(), why, fault.state()),
                   fmt::format("{}. {}", hint, kUnchanged));
  };
  const std::string_view state = fault.state();
  if (state.starts_with("SQLITE_CORRUPT") || state == "SQLITE_NOTADB" ||
      fault.cause() == Fault::Cause::missing) {
    return unusable(file, fmt::format("is damaged ({})", state));
  }
  switch (fault.cause()) {
    case Fault::Cause::no_space:
      return failed(Code::out_of_space, "there is no space left",
                    "free space on the disk, then run the same command again");
    case Fault::Cause::rights:
      return failed(Code::configuration, "it cannot be written",
                    "make the file and its directory writable for this user");
    case Fault::Cause::unreachable:
    case Fault::Cause::serialization:
      return failed(Code::try_again, "another process uses it, or it cannot be opened",
                    "run the same command again");
    default:
      break;
  }
  if (state.starts_with("SQLITE_IOERR")) {
    return failed(Code::try_again, "the disk or the file system reports an error",
                  "look into the kernel's log (dmesg), then run the same command again");
  }
  return failed(Code::bug, "a statement was refused", "report this");
}

void make_private_file(const fs::path& file) {
  const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const int why = made < 0 ? errno : 0;
  if (made >= 0) {
    ::close(made);
  }
  if (why == 0 || why == EEXIST) {
    return;
  }
  const auto shortage = shortage_of(why);
  throw Failure(
      shortage ? shortage->code : Code::configuration,
      fmt::format("'{}' cannot be made: {}", file.string(), std::generic_category().message(why)),
      fmt::format("{}. {}",
                  shortage ? shortage->hint
                           : "correct [state] directory in abgleich.toml, or its owner "
                             "and rights",
                  kUnchanged));
}

Endpoint endpoint_of(const fs::path& file, std::chrono::seconds patience) {
  auto endpoint = endpoint_of_file(Role::primary, file);
  endpoint.statement_timeout = {};  // as long as it takes: nobody's views or triggers are in it
  endpoint.lock_timeout = patience;
  return endpoint;
}

/// The bytes of a cell of our own tables; refuses another class of values.
std::string_view expected(const fs::path& file, const Cell& cell, Cell::Storage storage) {
  if (cell.storage != storage) {
    throw unusable(file, "is damaged: a record is not readable");
  }
  return cell.bytes;
}

Cell blob(const PeerDatabase::Box& box) {
  return {Cell::Storage::blob, {reinterpret_cast<const char*>(box.data()), box.size()}};
}

}  // namespace

class PeerDatabase::Inside {
 public:
  Inside(const fs::path& file, std::chrono::seconds patience)
      : path_(file), file_(endpoint_of(file, patience), Access::write), rows_(file_) {
    for (const auto* setting : kPeerSettings) {
      file_.run(setting);
    }
    file_.run("BEGIN IMMEDIATE");
    if (number("SELECT count(*) FROM sqlite_schema") == 0) {
      for (const auto* ddl : kPeerBooks) {
        file_.run(ddl);
      }
      file_.run(fmt::format("INSERT INTO abgleich_channel (only_row, format) VALUES (1, {})",
                            kPeerFormat));
    }
    expect_format();
    file_.run("COMMIT");
  }

  /// Runs `work`, and explains what the database says.
  template <class Work>
  auto explaining(const Work& work) {
    try {
      return work();
    } catch (const Fault& fault) {
      throw explained(path_, fault);
    }
  }

  void begin() {
    rows_.forget();
    file_.run("BEGIN IMMEDIATE");
  }

  void commit() {
    expect_transaction();
    file_.run("COMMIT");
  }

  void rollback() noexcept {
    rows_.forget();  // tables that were made may be gone
    try {
      if (file_.in_transaction()) {
        file_.run("ROLLBACK");
      }
    } catch (...) {  // NOLINT(bugprone-empty-catch)
      // the transaction is over then as well: the next process that opens the file takes it back
    }
  }

  std::optional<std::string> channel() {
    std::optional<std::string> text;
    query("SELECT state FROM abgleich_channel", [&](std::span<const Cell> row) {
      if (row[0].storage != Cell::Storage::null) {
        text = expected(path_, row[0], Cell::Storage::text);
      }
    });
    return text;
  }

  std::map<Box, std::string> grants() {
    std::map<Box, std::string> grants;
    query("SELECT box, sealed FROM abgleich_grant", [&](std::span<const Cell> row) {
      const auto name = expected(path_, row[0], Cell::Storage::blob);
      Box box{};
      if (name.size() != box.size()) {
        throw unusable(path_, "is damaged: a record is not readable");
      }
      std::ranges::copy(name, box.begin());
      grants[box] = expected(path_, row[1], Cell::Storage::blob);
    });
    return grants;
  }

  void write(std::string_view sql, std::span<const Cell> parameters) {
    expect_transaction();
    sqlite::Statement statement(file_, sql);
    statement.bind(parameters);
    statement.step();
  }

  /// The peer's rows, to be changed in a transaction.
  PeerRows& rows() {
    expect_transaction();
    return rows_;
  }

 private:
  template <class OnRow>
  void query(std::string_view sql, const OnRow& on_row) {
    sqlite::Statement statement(file_, sql);
    while (statement.step()) {
      on_row(statement.row());
    }
  }

  std::int64_t number(const std::string& sql) {
    std::int64_t value = 0;
    query(sql, [&](std::span<const Cell> row) { value = db::number(row[0]); });
    return value;
  }

  void expect_format() {
    if (number("SELECT count(*) FROM sqlite_schema WHERE name IN ('abgleich_channel', "
               "'abgleich_grant')") != 2) {
      throw unusable(path_, "has tables that are not of this program");
    }
    std::optional<std::int64_t> format;
    query("SELECT format FROM abgleich_channel",
          [&](std::span<const Cell> row) { format = db::number(row[0]); });
    if (format != kPeerFormat) {
      throw unusable(path_, fmt::format("is of format {}, and this abgleich knows format {}",
                                        format.value_or(0), kPeerFormat));
    }
  }

  void expect_transaction() const {
    if (!file_.in_transaction()) {
      throw Failure(Code::bug, "what is kept of a peer was to be changed outside a transaction");
    }
  }

  fs::path path_;
  sqlite::DatabaseFile file_;
  PeerRows rows_;  // its statements end before the file is closed
};

PeerDatabase::PeerDatabase(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
PeerDatabase::PeerDatabase(PeerDatabase&&) noexcept = default;
PeerDatabase& PeerDatabase::operator=(PeerDatabase&&) noexcept = default;
PeerDatabase::~PeerDatabase() = default;

void PeerDatabase::remove(const std::filesystem::path& file) {
  for (const auto* const end : {"", "-journal", "-wal", "-shm"}) {
    std::filesystem::remove(file.string() + end);
  }
}

PeerDatabase PeerDatabase::open(const fs::path& file, std::chrono::seconds patience) {
  make_private_file(file);
  try {
    return PeerDatabase(std::make_unique<Inside>(file, patience));
  } catch (const Fault& fault) {
    throw explained(file, fault);
  }
}

std::optional<std::string> PeerDatabase::channel() {
  return inside_->explaining([&] { return inside_->channel(); });
}

std::map<PeerDatabase::Box, std::string> PeerDatabase::grants() {
  return inside_->explaining([&] { return inside_->grants(); });
}

void PeerDatabase::begin() {
  inside_->explaining([&] { inside_->begin(); });
}

void PeerDatabase::commit() {
  inside_->explaining([&] { inside_->commit(); });
}

void PeerDatabase::rollback() noexcept {
  inside_->rollback();
}

void PeerDatabase::keep_channel(std::string_view text) {
  const Cell cells[] = {text_cell(text)};
  inside_->explaining([&] { inside_->write("UPDATE abgleich_channel SET state = $1", cells); });
}

void PeerDatabase::add_grant(const Box& box, std::string_view sealed) {
  const Cell cells[] = {blob(box), {Cell::Storage::blob, sealed}};
  inside_->explaining(
      [&] { inside_->write("INSERT INTO abgleich_grant (box, sealed) VALUES ($1, $2)", cells); });
}

void PeerDatabase::remove_grant(const Box& box) {
  const Cell cells[] = {blob(box)};
  inside_->explaining([&] { inside_->write("DELETE FROM abgleich_grant WHERE box = $1", cells); });
}

void PeerDatabase::begin_whole(const std::vector<PeerTable>& tables) {
  inside_->explaining([&] { inside_->rows().begin_whole(tables); });
}

bool PeerDatabase::has(const std::vector<PeerTable>& tables) {
  return inside_->explaining([&] { return inside_->rows().has(tables); });
}

bool PeerDatabase::put(std::size_t table, const std::vector<Value>& cells) {
  return inside_->explaining([&] { return inside_->rows().put(table, cells); });
}

void PeerDatabase::remove(std::size_t table, const std::vector<Value>& key) {
  inside_->explaining([&] { inside_->rows().remove(table, key); });
}

std::int64_t PeerDatabase::rows(std::size_t table) {
  return inside_->explaining([&] { return inside_->rows().rows(table); });
}

}  // namespace abgleich::db
