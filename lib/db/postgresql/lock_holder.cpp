#include "db/postgresql/lock_holder.hpp"

#include "db/postgresql/another_session.hpp"
#include "db/postgresql/result.hpp"

#include <fmt/format.h>

#include <string_view>

namespace abgleich::db::postgresql {

namespace {

// Locks that can block others, on tables that are not the server's own (oid 16384 is the first). A
// prepared transaction has locks without a process.
constexpr const char* kHolder =
    "SELECT coalesce(l.pid::pg_catalog.text, ''), coalesce(a.application_name, '')"
    " FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.granted AND l.locktype = 'relation' AND l.relation >= 16384"
    " AND l.database = (SELECT oid FROM pg_catalog.pg_database"
    "  WHERE datname = pg_catalog.current_database())"
    " AND coalesce(l.pid, 0) NOT IN (pg_catalog.pg_backend_pid(), {})"
    " AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')"
    " ORDER BY l.mode = 'AccessExclusiveLock' DESC, l.mode = 'ExclusiveLock' DESC,"
    " a.xact_start, l.pid LIMIT 1";

}  // namespace

std::string lock_holder(PGconn* like) {
  const auto connection = connect_like(like);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    return {};
  }
  const Result limited(PQexec(connection.get(), "SET statement_timeout = '3s'"));
  const Result found(
      PQexec(connection.get(), fmt::format(fmt::runtime(kHolder), PQbackendPID(like)).c_str()));
  if (PQntuples(found.get()) != 1) {
    return {};
  }
  const std::string_view process = PQgetvalue(found.get(), 0, 0);
  const std::string_view application = PQgetvalue(found.get(), 0, 1);
  if (process.empty()) {
    return "a prepared transaction";
  }
  return application.empty() ? fmt::format("process {}", process)
                             : fmt::format("process {} ('{}')", process, application);
}

}  // namespace abgleich::db::postgresql
