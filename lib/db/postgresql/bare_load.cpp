#include "db/postgresql/bare_load.hpp"

#include "db/engine/cell_values.hpp"
#include "db/postgresql/faults.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

/// Name and definition of the foreign keys, or the primary key, of a table ($1) that this
/// transaction has made.
std::string select_constraints(bool foreign) {
  return fmt::format(
      "SELECT k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k "
      "JOIN pg_class c ON c.oid = k.conrelid WHERE c.oid = CAST($1 AS regclass) "
      "AND k.contype = '{}' "
      "AND CAST(CAST(c.xmin AS text) AS bigint) = txid_current() % 4294967296 ORDER BY k.conname",
      foreign ? 'f' : 'p');
}

/// Name and definition of the primary key of a table ($1).
std::string select_primary_key() {
  return "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
         "WHERE conrelid = CAST($1 AS regclass) AND contype = 'p'";
}

}  // namespace

Bared bare(Session& session, const std::vector<std::string>& tables) {
  Bared bared;
  auto& connection = *session.connection;
  // while a table of the primary is read, nothing is sent here, which may take long
  connection.query("SELECT current_setting('idle_in_transaction_session_timeout')", {},
                   [&](std::span<const Cell> row) { bared.patience = row[0].bytes; });
  connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0");
  // foreign keys are dropped before the keys that they refer to, and added after them
  for (const bool foreign : {true, false}) {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& table : tables) {
      const Cell cell = text_cell(table);
      connection.query(select_constraints(foreign), {&cell, 1}, [&](std::span<const Cell> row) {
        const auto name = session.dialect->quote(row[0].bytes);
        found.emplace_back(
            fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table, name),
            fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table, name, row[1].bytes));
      });
    }
    auto& later = foreign ? bared.foreign_keys : bared.keys;
    for (const auto& [drop, add] : found) {
      connection.execute(drop);
      later.push_back(add);
    }
  }
  return bared;
}

void end_bare(Session& session, const Bared& bared) {
  session.connection->execute(
      fmt::format("SET LOCAL idle_in_transaction_session_timeout = '{}'", bared.patience));
}

bool without_key(Session& session, const std::string& table, const std::function<void()>& work) {
  const Cell cell = text_cell(table);
  auto& connection = *session.connection;
  std::string name;
  std::string definition;
  connection.query(select_primary_key(), {&cell, 1}, [&](std::span<const Cell> row) {
    name = session.dialect->quote(row[0].bytes);
    definition = row[1].bytes;
  });
  if (name.empty()) {
    return false;
  }
  std::string patience;
  connection.query("SELECT current_setting('lock_timeout')", {},
                   [&](std::span<const Cell> row) { patience = row[0].bytes; });
  connection.execute("SAVEPOINT unkeyed");
  try {
    // does not wait long for others who read the table; an autovacuum gives way after a second
    connection.execute("SET LOCAL lock_timeout = '2s'");
    connection.execute(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table, name));
    connection.execute(fmt::format("SET LOCAL lock_timeout = '{}'", patience));
    work();
    connection.execute(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table, name, definition));
  } catch (const Fault& fault) {
    using Cause = Fault::Cause;
    const bool busy = fault.state() == kLockNotAvailable;
    if (!busy && (fault.cause() == Cause::unreachable || fault.cause() == Cause::serialization ||
                  fault.cause() == Cause::no_space)) {
      throw;
    }
    // others read the table, this role does not own it, or a publication needs the key: it stays
    connection.execute("ROLLBACK TO SAVEPOINT unkeyed");
    connection.execute("RELEASE SAVEPOINT unkeyed");
    return false;
  }
  connection.execute("RELEASE SAVEPOINT unkeyed");
  return true;
}

}  // namespace abgleich::db::postgresql
