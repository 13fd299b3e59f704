#include "db/sqlite/database_file.hpp"

#include <fmt/format.h>
// Debian's SOCI is built with Boost, whose headers are neither needed nor installed with it.
#include <soci/soci-config.h>
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

namespace fs = std::filesystem;
namespace api = sqlite_api;  // SOCI includes sqlite3.h inside this namespace

/// Bounded memory (8 MiB of pages), no trust in the file's contents, and a primary cannot be
/// written. A primary's values are not masked, so what its views sort stays in memory. On a
/// secondary, where values are masked, temporary tables are on disk, and deleted content is
/// overwritten with zeros.
constexpr std::array kSettings{"PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON",
                               "PRAGMA mmap_size = 0", "PRAGMA cache_size = -8192"};
constexpr std::array kReadSettings{"PRAGMA query_only = ON", "PRAGMA temp_store = MEMORY"};
constexpr std::array kWriteSettings{"PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL",
                                    "PRAGMA secure_delete = ON", "PRAGMA temp_store = FILE",
                                    "PRAGMA temp.cache_size = -8192"};

/// Steps of SQLite's virtual machine between two checks of the deadline: about a millisecond.
constexpr int kStepsBetweenLooks = 20'000;
/// How much memory SQLite may use on a primary, where it has no temporary files. In bytes.
constexpr std::int64_t kMostSorted = std::int64_t{1} << 30U;

/// Where SQLite was built without SQLITE_USE_URI, it takes URIs only after this. It fails where
/// SQLite is in use already; on Debian it is not needed.
void allow_uris() {
  static const int result = api::sqlite3_config(SQLITE_CONFIG_URI, 1);
  (void)result;
}

void require_file(const Peer& peer, const fs::path& file) {
  const std::string hint =
      fmt::format("correct the {}'s url, or wait until the file is there; nothing was changed",
                  name_of(peer.role));
  std::error_code error;
  const auto status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) {
    throw unreachable(peer, SQLITE_CANTOPEN, "does not exist; it was not created", hint);
  }
  if (error) {
    throw unreachable(peer, SQLITE_CANTOPEN,
                      fmt::format("cannot be looked at ({})", error.message()), hint);
  }
  if (status.type() != fs::file_type::regular) {
    throw unreachable(peer, SQLITE_CANTOPEN,
                      status.type() == fs::file_type::directory ? "is a directory, not a file"
                                                                : "is not a regular file",
                      hint);
  }
}

/// Whether the header says that the file is in WAL mode (file format, section 1.3.3).
bool is_wal(const fs::path& file) {
  constexpr std::size_t kReadVersion = 19;
  constexpr char kWal = 2;
  std::array<char, kReadVersion + 1> header{};
  std::ifstream stream(file, std::ios::binary);
  return stream.read(header.data(), header.size()) && header[kReadVersion] == kWal;
}

/// Reading a database in WAL mode that nobody has open makes its -wal and -shm files, which stay.
/// If they had another owner than the database, the program that owns it could not write to them.
void require_no_foreign_files(const Peer& peer, const fs::path& file) {
  const auto ownership = [](const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0
               ? Ownership{.user = status.st_uid, .group = status.st_gid, .mode = status.st_mode}
               : Ownership{.user = geteuid()};
  };
  std::error_code ignored;
  const auto real = fs::canonical(file, ignored);  // SQLite makes them beside this one
  if (!is_wal(file) || (fs::exists(real.native() + "-wal", ignored) &&
                        fs::exists(real.native() + "-shm", ignored))) {
    return;
  }
  if (!owner_could_write(ownership(real), ownership(real.parent_path()), geteuid(), getegid())) {
    throw unreachable(
        peer, SQLITE_READONLY_CANTINIT,
        "is in WAL mode and nobody has it open; reading it now would leave files beside it that "
        "its owner cannot write to",
        "run this as the file's owner or as root, or while the program that owns it is running");
  }
}

/// SOCI splits at the first '=' and at spaces, so options come first and the URI, which has no
/// spaces, is the last value. `mode` keeps SQLite from creating the file, as SOCI would tell
/// it to.
std::string connection_string(const fs::path& file, Access access,
                              std::chrono::seconds lock_timeout, std::string_view files) {
  const bool read = access == Access::read;
  return fmt::format("{}timeout={} db={}?mode={}&vfs={}", read ? "readonly=true " : "",
                     lock_timeout.count(), file_uri(file.native()), read ? "ro" : "rw", files);
}

/// The Fault where something beside the database, or in it, would make SQLite touch another file.
Fault untrusted(const Peer& peer, std::string_view what) {
  return {
      Fault::Cause::other, name_of_result(SQLITE_CANTOPEN),
      Error{.code = Code::key_or_trust,
            .message = fmt::format("the {} '{}' is not opened: {}; no other file was touched",
                                   name_of(peer.role), peer.file, what),
            .hint = "find out who put it there; where a program that writes to several "
                    "databases was killed, start that program, so that it can repair its files"}};
}

/// Refuses a symbolic link in the database's place, unless it belongs to the owner of the file that
/// it leads to, to root or to this user.
void require_own_link(const Peer& peer, const fs::path& file) {
  struct stat link {};
  struct stat status {};
  if (::lstat(file.c_str(), &link) == 0 && S_ISLNK(link.st_mode) &&
      ::stat(file.c_str(), &status) == 0 && link.st_uid != 0 && link.st_uid != geteuid() &&
      link.st_uid != status.st_uid) {
    throw untrusted(peer, "it is a symbolic link of another user");
  }
}

/// The file's path without symbolic links.
fs::path canonical(const Peer& peer, const fs::path& file) {
  std::error_code error;
  auto path = fs::canonical(file, error);
  if (error) {
    throw unreachable(peer, SQLITE_CANTOPEN,
                      fmt::format("cannot be looked at ({})", error.message()),
                      "give this user the right to enter its directory");
  }
  return path;
}

}  // namespace

std::string file_uri(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '_' || c == '-';
    if (plain) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4U];
    uri += kHex[byte & 0x0fU];
  }
  return uri;
}

namespace {

/// SOCI's library does not export the type information of its backend. So the sanitizer cannot
/// check this cast, and it is no dynamic_cast.
__attribute__((no_sanitize("vptr"))) api::sqlite3* handle_of(soci::session& session) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

}  // namespace

bool owner_could_write(const Ownership& file, const Ownership& directory, uid_t user, gid_t group) {
  // files that root makes, SQLite itself gives to the database's owner
  if (user == 0 || user == file.user || (file.mode & S_IWOTH) != 0) {
    return true;
  }
  const auto made = (directory.mode & S_ISGID) != 0 ? directory.group : group;
  return (file.mode & S_IWGRP) != 0 && made == file.group;
}

namespace {

Fault stopped(const Peer& peer, bool too_long, std::chrono::seconds limit) {
  if (too_long) {
    return {Fault::Cause::other, name_of_result(SQLITE_INTERRUPT),
            Error{.code = Code::try_again,
                  .message = fmt::format("a statement on the {} '{}' took longer than {} s and was "
                                         "stopped: a view or trigger of it may have no end",
                                         name_of(peer.role), peer.file, limit.count()),
                  .hint = "look at its views and triggers; where it needs longer, set "
                          "statement_timeout higher. Nothing was changed"}};
  }
  return {
      Fault::Cause::no_space, name_of_result(SQLITE_NOMEM),
      Error{.code = Code::out_of_space,
            .message = fmt::format("a statement on the {} '{}' needs more than {} MiB of memory: "
                                   "what a view of it sorts is not written to disk",
                                   name_of(peer.role), peer.file, kMostSorted >> 20U),
            .hint = "leave ORDER BY, DISTINCT and GROUP BY out of the view, or name its table in "
                    "the contract. Nothing was changed"}};
}

}  // namespace

struct DatabaseFile::Session {
  explicit Session(const std::string& connection)
      : session(*soci::factory_sqlite3(), connection), raw(handle_of(session)) {}

  soci::session session;
  api::sqlite3* raw;
};

DatabaseFile::DatabaseFile(const Endpoint& endpoint, Access access)
    : peer_{.role = endpoint.role, .access = access, .file = endpoint.file.string()},
      statement_timeout_(endpoint.statement_timeout) {
  require_file(peer_, endpoint.file);
  require_own_link(peer_, endpoint.file);
  const auto file = canonical(peer_, endpoint.file);
  if (const auto what = strange_companion(file)) {
    throw untrusted(peer_, *what);
  }
  if (access == Access::read) {
    require_no_foreign_files(peer_, endpoint.file);
  }
  allow_uris();
  files_ = std::make_unique<ConfinedFiles>(
      file, access == Access::read ? Temporary::in_memory : Temporary::in_files);
  try {
    session_ = std::make_unique<Session>(
        connection_string(file, access, endpoint.lock_timeout, files_->name()));
  } catch (const soci::sqlite3_soci_error& error) {
    if (const auto what = files_->refusal(); !what.empty()) {
      throw untrusted(peer_, what);
    }
    throw unreachable(peer_, error.result(), "cannot be opened",
                      "give this user the right to read it and to enter its directory");
  }
  // the same C type, which SOCI declares in a namespace
  raw_ = reinterpret_cast<sqlite3*>(session_->raw);
  api::sqlite3_extended_result_codes(session_->raw, 1);
  harden();
  // where SQLite may not write, it opens the file read-only without an error
  if (access == Access::write && api::sqlite3_db_readonly(session_->raw, "main") != 0) {
    throw fault_of(peer_, SQLITE_READONLY);
  }
  for (const auto* setting : kSettings) {
    run(setting);
  }
  if (access == Access::read) {
    for (const auto* setting : kReadSettings) {
      run(setting);
    }
  } else {
    for (const auto* setting : kWriteSettings) {
      run(setting);
    }
  }
  run("SELECT count(*) FROM sqlite_schema");  // the first read: fails if it is no database
  encoding_ = ask("PRAGMA encoding") == "UTF-8" ? Encoding::utf8 : Encoding::utf16;
}

DatabaseFile::~DatabaseFile() = default;

void DatabaseFile::harden() {
  auto* const raw = session_->raw;
  api::sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  for (const auto& [setting, value] : {std::pair(SQLITE_DBCONFIG_DEFENSIVE, 1),
                                       std::pair(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
                                       std::pair(SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0),
                                       std::pair(SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)}) {
    api::sqlite3_db_config(raw, setting, value, nullptr);
  }
  api::sqlite3_progress_handler(raw, kStepsBetweenLooks, look_up, this);
}

int DatabaseFile::look_up(void* self) {
  auto& file = *static_cast<DatabaseFile*>(self);
  if (Clock::now() > file.deadline_) {
    file.stopped_ = Stopped::too_long;
  } else if (file.peer_.access == Access::read && api::sqlite3_memory_used() > kMostSorted) {
    file.stopped_ = Stopped::too_large;
  }
  return file.stopped_ == Stopped::no ? 0 : 1;
}

DatabaseFile::Clock::time_point DatabaseFile::deadline() const {
  return statement_timeout_.count() == 0 ? Clock::time_point::max()
                                         : Clock::now() + statement_timeout_;
}

bool DatabaseFile::in_transaction() const {
  return api::sqlite3_get_autocommit(session_->raw) == 0;
}

void DatabaseFile::run(const std::string& sql) {
  const bool before = in_transaction();
  work_until(deadline());
  try {
    soci::statement statement = (session_->session.prepare << sql);
    statement.execute(true);
  } catch (const soci::soci_error&) {
    throw fault(before);  // SOCI's text is not used: it quotes the statement, and SQLite's text
  }
}

std::string DatabaseFile::ask(const std::string& sql) {
  std::string answer;
  work_until(deadline());
  try {
    // step by step, since `<<` with an into needs type information that SOCI does not export
    soci::statement statement(session_->session);
    statement.alloc();
    statement.prepare(sql);
    statement.exchange(soci::into(answer));
    statement.define_and_bind();
    statement.execute(true);
  } catch (const soci::soci_error&) {
    throw fault(in_transaction());
  }
  return answer;
}

Fault DatabaseFile::fault(bool was_in_transaction) {
  if (const auto what = files_->refusal(); !what.empty()) {
    return untrusted(peer_, what);
  }
  auto fault = fault_of(peer_, raw_);
  if (const auto why = std::exchange(stopped_, Stopped::no); why != Stopped::no) {
    return stopped(peer_, why == Stopped::too_long, statement_timeout_);
  }
  if (fault.cause() != Fault::Cause::constraint || !was_in_transaction || in_transaction()) {
    return fault;
  }
  return {Fault::Cause::other, fault.state(),
          Error{.code = Code::secondary_refuses,
                .message = fmt::format("a trigger or constraint of the {} '{}' rolled back the "
                                       "whole transaction ({}); nothing was changed",
                                       name_of(peer_.role), peer_.file, fault.state()),
                .hint = "replace ROLLBACK by ABORT in its ON CONFLICT clause or RAISE function"}};
}

}  // namespace abgleich::db::sqlite
