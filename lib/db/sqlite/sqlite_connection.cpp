#include "db/sqlite/sqlite_connection.hpp"

#include "db/sqlite/file_copy.hpp"
#include "db/sqlite/sqlite.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cctype>
#include <memory>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

constexpr std::size_t kLargeRow = std::size_t{1} << 20U;

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(DatabaseFile& file, const Tracer& tracer, std::string_view sql)
      : statement_(file, sql), traced_(tracer, sql) {}

  std::span<const Cell> next() override {
    if (at_end_) {
      return {};  // another step would start the statement again
    }
    if (statement_.step()) {
      traced_.row();
      return statement_.row();
    }
    at_end_ = true;
    statement_.reset();  // releases the lock
    return {};
  }

 private:
  Statement statement_;
  Tracer::Running traced_;
  bool at_end_ = false;
};

/// Inserts at once: SQLite runs in this process, so there is no round trip to save.
class SqliteLoader final : public Loader {
 public:
  // OR ABORT overrides the ON CONFLICT clauses of the table's own constraints: REPLACE would delete
  // other rows, and ROLLBACK would end the transaction.
  SqliteLoader(DatabaseFile& file, const Tracer& tracer, std::string_view table,
               const std::vector<std::string>& columns, Refused refused)
      : file_(file),
        columns_(columns.size()),
        sql_(fmt::format("INSERT OR ABORT INTO {} ({}) VALUES ({})", table,
                         fmt::join(columns, ", "), placeholders(columns.size()))),
        statement_(file, sql_),
        traced_(tracer, sql_),
        refused_(std::move(refused)) {}

  void add(std::span<const Cell> row) override {
    if (row.size() != columns_) {
      throw Failure(Code::bug, fmt::format("a row of {} cells was to be loaded into {} columns",
                                           row.size(), columns_));
    }
    const auto ordinal = next_++;
    if (!refused_) {
      insert(row);
      return;
    }
    std::string state;
    try {
      insert(row);
      return;
    } catch (const Fault& fault) {
      if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
        throw;
      }
      state = fault.state();
    }
    refused_(ordinal, state);
  }

  void flush() override {}

 private:
  static std::string placeholders(std::size_t count) {
    std::string text;
    for (std::size_t i = 1; i <= count; ++i) {
      text += fmt::format("{}${}", i == 1 ? "" : ", ", i);
    }
    return text;
  }

  void insert(std::span<const Cell> row) {
    // also after an exception: the statement must not keep pointers to the caller's cells
    const auto reset_it = [](Statement* statement) { statement->reset(); };
    const std::unique_ptr<Statement, decltype(reset_it)> reset(&statement_, reset_it);
    const auto before = sqlite3_total_changes64(file_.raw());
    statement_.bind(row);
    statement_.step();
    traced_.row();
    if (sqlite3_total_changes64(file_.raw()) == before) {
      throw Failure(Code::secondary_refuses,
                    fmt::format("the {} '{}' did not take a row: a trigger drops rows",
                                name_of(file_.peer().role), file_.peer().file),
                    "remove the trigger, or load into a table without it");
    }
  }

  DatabaseFile& file_;
  std::size_t columns_;
  std::string sql_;
  Statement statement_;
  Tracer::Running traced_;  // all rows are one statement here
  Refused refused_;
  std::int64_t next_ = 0;
};

}  // namespace

std::int64_t SqliteConnection::execute(std::string_view sql, std::span<const Cell> parameters) {
  // sqlite3_changes is the number of the last INSERT, UPDATE or DELETE, without the effects of
  // triggers and foreign keys. Whether this statement was one of these, the total tells.
  Tracer::Running traced(tracer_, sql);
  const auto before = sqlite3_total_changes64(file_.raw());
  if (parameters.empty()) {
    file_.run(std::string(sql));
  } else {
    Statement statement(file_, sql);
    statement.bind(parameters);
    while (statement.step()) {
    }
  }
  const auto changed =
      sqlite3_total_changes64(file_.raw()) == before ? 0 : sqlite3_changes64(file_.raw());
  traced.rows(changed);
  return changed;
}

void SqliteConnection::execute_script(std::string_view sql) {
  const Tracer::Running traced(tracer_, sql);
  const bool before = file_.in_transaction();
  file_.work_until(file_.deadline());
  if (sqlite3_exec(file_.raw(), std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw file_.fault(before);
  }
}

void SqliteConnection::query(std::string_view sql, std::span<const Cell> parameters,
                             const OnRow& row) {
  Tracer::Running traced(tracer_, sql);
  Statement statement(file_, sql);
  statement.bind(parameters);
  while (statement.step()) {
    traced.row();
    row(statement.row());
  }
}

void SqliteConnection::read(std::string_view sql, const OnRow& row) {
  query(sql, {}, row);
}

void SqliteConnection::read_unknown(std::string_view sql, const Leading& leading,
                                    const IsKnown& known, const OnRow& row) {
  Tracer::Running traced(tracer_, sql);
  Statement statement(file_, sql);
  std::string bytes;
  while (statement.step()) {
    traced.row();
    bytes.clear();
    const auto key = statement.append_stored(leading.places, leading.keys, bytes);
    const bool is_known = known({}, std::string_view(bytes).substr(0, key), bytes);
    if (bytes.capacity() > kLargeRow) {
      std::string().swap(bytes);  // frees the memory, which the row itself may need next
    }
    if (!is_known) {
      row(statement.row());
    }
  }
}

void SqliteConnection::defer_constraints() {
  file_.run("PRAGMA defer_foreign_keys = ON");
}

void SqliteConnection::check_constraints() {
  int open = 0;
  int unused = 0;
  sqlite3_db_status(file_.raw(), SQLITE_DBSTATUS_DEFERRED_FKS, &open, &unused, 0);
  // Only now, since this also resets the number of open violations.
  file_.run("PRAGMA defer_foreign_keys = OFF");
  if (open != 0) {
    throw fault_of(file_.peer(), SQLITE_CONSTRAINT_FOREIGNKEY);
  }
}

void SqliteConnection::edit_definitions(const std::function<void()>& work) {
  int locked = 0;
  sqlite3_db_config(file_.raw(), SQLITE_DBCONFIG_DEFENSIVE, -1, &locked);
  const auto lock = [&](int value) {
    sqlite3_db_config(file_.raw(), SQLITE_DBCONFIG_DEFENSIVE, value, nullptr);
  };
  lock(0);
  try {
    work();
  } catch (...) {
    lock(locked);
    throw;
  }
  lock(locked);
}

std::uint64_t SqliteConnection::change_counter() {
  // by SQLite's own handle: opening and closing the file once more would release SQLite's locks
  constexpr sqlite3_int64 kAt = 24;  // big endian; https://www.sqlite.org/fileformat.html, 1.3
  sqlite3_file* file = nullptr;
  std::array<unsigned char, 4> bytes{};
  if (sqlite3_file_control(file_.raw(), "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr ||
      file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), kAt) != SQLITE_OK) {
    return 0;
  }
  std::uint64_t counter = 0;
  for (const auto byte : bytes) {
    counter = counter << 8U | byte;
  }
  return counter;
}

void SqliteConnection::copy_to(const std::filesystem::path& file) const {
  copy_database(file_.raw(), file);
}

std::unique_ptr<Cursor> SqliteConnection::open(std::string_view sql) {
  return std::make_unique<SqliteCursor>(file_, tracer_, sql);
}

std::unique_ptr<Loader> SqliteConnection::load(std::string_view table,
                                               const std::vector<std::string>& columns,
                                               Loader::Refused refused) {
  return std::make_unique<SqliteLoader>(file_, tracer_, table, columns, std::move(refused));
}

std::string SqliteConnection::collation_of(const std::string& table, const std::string& column) {
  const char* collation = nullptr;
  if (sqlite3_table_column_metadata(file_.raw(), "main", table.c_str(), column.c_str(), nullptr,
                                    &collation, nullptr, nullptr, nullptr) != SQLITE_OK ||
      collation == nullptr || sqlite3_stricmp(collation, "BINARY") == 0) {
    return {};
  }
  return collation;
}

std::unique_ptr<Connection> connect(const Endpoint& endpoint, Access access) {
  return std::make_unique<SqliteConnection>(endpoint, access);
}

}  // namespace abgleich::db::sqlite
