#include "db/postgresql/schema_lock.hpp"

#include "db/engine/cell_values.hpp"
#include "db/postgresql/lock_holder.hpp"
#include "db/postgresql/postgres_connection.hpp"
#include "db/postgresql/postgresql.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

// Shorter than the server's deadlock_timeout (1 s), so that the server never ends a vendor's
// transaction that waits for our locks. After this time we give up all locks and begin again.
constexpr std::string_view kShortWait = "200ms";

// Tables that this transaction has locked (also partitions, and tables behind views) and that have
// other files now than in the snapshot, or did not exist in it. pg_class shows what the snapshot
// sees; pg_locks and pg_relation_filenode(), what is committed now.
constexpr const char* kOtherFiles =
    "SELECT count(*) FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation"
    " WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation'"
    " AND (c.oid IS NULL OR (c.relkind IN ('r', 'm') AND c.relfilenode <> 0"
    "  AND c.relfilenode IS DISTINCT FROM pg_relation_filenode(c.oid)))";

// The types in the snapshot. For a domain, libpq gets the type behind it, so that is not compared.
constexpr const char* kTypes =
    "SELECT a.attrelid, a.attnum, a.atttypid FROM pg_attribute a JOIN pg_type t"
    " ON t.oid = a.atttypid WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0"
    " AND NOT a.attisdropped AND t.typtype <> 'd'";

// So many tables are locked in one exchange.
constexpr std::size_t kAtOnce = 64;

std::vector<const CatalogColumn*> found_columns(const CatalogTable& table, const Reading& reading) {
  std::vector<const CatalogColumn*> found;
  for (const auto& name : reading.columns) {
    if (const auto* column = table.find_column(name); column != nullptr && column->readable) {
      found.push_back(column);
    }
  }
  return found;
}

/// A table to lock, and what the server has told of it.
struct Touched {
  const CatalogTable* table = nullptr;
  std::vector<const CatalogColumn*> columns;
  Result result{};
};

/// SQL that selects no row: it takes the lock, and tells which columns the server finds by these
/// names now.
std::string touch(const std::string& schema, const Touched& touched) {
  const auto& names = dialect();
  std::string list;
  for (const auto* column : touched.columns) {
    list += (list.empty() ? "" : ", ") + names.quote(column->name);
  }
  return fmt::format("SELECT {} FROM {} LIMIT 0", list, names.table(schema, touched.table->name));
}

/// Locks the tables one after the other. `name` is the one that it was at, also after a Fault.
void touch_all(PostgresConnection& connection, const std::string& schema,
               std::vector<Touched>& tables, std::string& name) {
  for (std::size_t from = 0; from < tables.size(); from += kAtOnce) {
    const auto count = std::min(kAtOnce, tables.size() - from);
    std::vector<std::string> statements;
    for (std::size_t i = from; i < from + count; ++i) {
      statements.push_back(touch(schema, tables[i]));
    }
    std::size_t done = 0;
    try {
      auto results = connection.run_each(statements, done);
      for (std::size_t i = 0; i < count; ++i) {
        tables[from + i].result = std::move(results[i]);
      }
    } catch (const Fault&) {
      name = tables[from + std::min(done, count - 1)].table->name;
      throw;
    }
  }
}

/// By table, the types of its columns by number.
using Types = std::map<std::int64_t, std::map<std::int64_t, std::int64_t>>;

Types types_of(PostgresConnection& connection, const std::vector<Touched>& tables) {
  std::string oids;
  for (const auto& touched : tables) {
    oids += fmt::format("{}{}", oids.empty() ? "{" : ",", touched.table->identity);
  }
  oids += oids.empty() ? "{}" : "}";
  Types types;
  const Cell parameter = text_cell(oids);
  connection.query(kTypes, {&parameter, 1}, [&](std::span<const Cell> row) {
    types[number(row[0])].emplace(number(row[1]), number(row[2]));
  });
  return types;
}

/// Those that exist; where policies hide rows, a table is not read either.
std::vector<Touched> tables_to_lock(const Catalog& catalog, const std::vector<Reading>& readings) {
  std::vector<Touched> tables;
  for (const auto& reading : readings) {
    const auto* table = catalog.find_table(reading.table);
    if (table == nullptr || table->row_security) {
      continue;
    }
    if (auto columns = found_columns(*table, reading); !columns.empty()) {
      tables.push_back({.table = table, .columns = std::move(columns)});
    }
  }
  return tables;
}

/// Whether libpq is told the table and number of each column. Of a view it is told nothing.
bool names_itself(const CatalogTable& table) {
  return table.kind != TableKind::view;
}

bool same_columns(const Touched& touched, const Types& all_types) {
  const auto& table = *touched.table;
  const auto* const result = touched.result.get();
  const auto types = all_types.find(table.identity);
  for (std::size_t i = 0; i < touched.columns.size(); ++i) {
    const auto at = static_cast<int>(i);
    const auto column = touched.columns[i]->identity;
    if (names_itself(table) && (std::cmp_not_equal(PQftable(result, at), table.identity) ||
                                PQftablecol(result, at) != column)) {
      return false;
    }
    if (types == all_types.end()) {
      continue;
    }
    const auto type = types->second.find(column);
    if (type != types->second.end() && std::cmp_not_equal(PQftype(result, at), type->second)) {
      return false;
    }
  }
  return true;
}

/// Does something at the end of a scope, also after an exception.
class Finally {
 public:
  explicit Finally(std::function<void()> work) : work_(std::move(work)) {}
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;
  ~Finally() { work_(); }

 private:
  std::function<void()> work_;
};

/// Sets lock_timeout for this transaction.
void wait_for_locks(PostgresConnection& connection, std::string_view time) {
  const Cell parameter = text_cell(time);
  connection.execute("SELECT set_config('lock_timeout', $1, true)", {&parameter, 1});
}

bool shows_loss(const Fault& fault) {
  return fault.cause() == Fault::Cause::missing || fault.cause() == Fault::Cause::rights ||
         fault.state() == "42809";  // the name belongs to another kind of object now
}

}  // namespace

SchemaLock hold(Connection& connection, const Catalog& catalog,
                const std::vector<Reading>& readings, Gone gone) {
  auto& server = dynamic_cast<PostgresConnection&>(connection);
  std::string usual_wait;
  server.query("SELECT current_setting('lock_timeout')", {},
               [&](std::span<const Cell> row) { usual_wait = row[0].bytes; });
  wait_for_locks(server, kShortWait);
  server.set_lock_holders(PostgresConnection::LockHolders::unnamed);
  const Finally named([&] { server.set_lock_holders(PostgresConnection::LockHolders::named); });
  auto tables = tables_to_lock(catalog, readings);
  std::string name;
  try {
    touch_all(server, catalog.schema, tables, name);
    const auto types = types_of(server, tables);
    for (const auto& touched : tables) {
      if (!same_columns(touched, types)) {
        return {.hold = Hold::moved, .table = touched.table->name};
      }
    }
  } catch (const Fault& fault) {
    if (fault.state() == kLockNotAvailable) {
      return {.hold = Hold::locked, .table = name};
    }
    if (fault.cause() == Fault::Cause::serialization ||
        (gone == Gone::by_ddl && shows_loss(fault))) {
      return {.hold = Hold::moved, .table = name};
    }
    throw;
  }
  std::int64_t others = 0;
  server.query(kOtherFiles, {}, [&](std::span<const Cell> row) { others = number(row[0]); });
  wait_for_locks(server, usual_wait);
  return {.hold = others == 0 ? Hold::held : Hold::moved, .table = {}};
}

Fault locked(Connection& connection, const std::string& table) {
  const auto holder = lock_holder(dynamic_cast<PostgresConnection&>(connection).raw());
  return {
      Fault::Cause::unreachable, std::string(kLockNotAvailable),
      Error{.code = Code::try_again,
            .message = fmt::format("'{}' of the primary is locked by {} (SQLSTATE {})", table,
                                   holder.empty() ? "somebody else" : holder, kLockNotAvailable),
            .hint = "an update of the vendor's does so for a while; run the same command again "
                    "when it has finished. Who waits for whom: SELECT * FROM pg_stat_activity on "
                    "that server. Nothing was changed"}};
}

std::string labels_mark(Connection& connection) {
  std::string mark;
  connection.query(
      "SELECT coalesce(md5(string_agg(e.oid || ':' || e.enumlabel, ',' ORDER BY e.oid)), '')"
      " FROM pg_enum e",
      {}, [&](std::span<const Cell> row) { mark = std::string(row[0].bytes); });
  return mark;
}

}  // namespace abgleich::db::postgresql
