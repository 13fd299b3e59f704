#include "db/postgresql/lock_holder.hpp"

#include "db/postgresql/result.hpp"

#include <fmt/format.h>

#include <memory>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

namespace {

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};

/// Nobody waits long for what only makes a message better.
constexpr const char* kTimeout = "3";

// Locks that stand in somebody's way, on tables that are not the server's own (oid 16384 is the
// first). A prepared transaction holds locks without a process.
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

std::unique_ptr<PGconn, Finish> connect_like(PGconn* like) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfo(like));
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    if (at->val != nullptr && std::string_view(at->keyword) != "connect_timeout") {
      keywords.push_back(at->keyword);
      values.push_back(at->val);
    }
  }
  keywords.insert(keywords.end(), {"connect_timeout", nullptr});
  values.insert(values.end(), {kTimeout, nullptr});
  return std::unique_ptr<PGconn, Finish>(PQconnectdbParams(keywords.data(), values.data(), 0));
}

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
