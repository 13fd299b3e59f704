#include "db/session.hpp"

#include "db/postgresql/postgresql.hpp"
#include "db/soci/sqlite.hpp"

#include <string>
#include <string_view>
#include <sys/stat.h>

namespace abgleich::db {

namespace {

bool is_postgresql(const Session& session) {
  return session.dialect->engine() == Engine::postgresql;
}

/// A fault after which nobody can say whether the commit was done: the server is gone, or SQLite's
/// disk failed while the journal that decides was deleted. A lock that SQLite did not get is not
/// one: its transaction is still open.
bool hides_outcome(const Session& session, const Fault& fault) {
  return is_postgresql(session) ? fault.cause() == Fault::Cause::unreachable
                                : fault.state().starts_with("SQLITE_IOERR");
}

}  // namespace

Session open(const Endpoint& endpoint, Access access) {
  const auto engine = endpoint.engine;
  return {.connection = engine == Engine::postgresql ? postgresql::connect(endpoint, access)
                                                     : sqlite::connect(endpoint, access),
          .dialect = &dialect(engine),
          .schema = endpoint.schema};
}

void begin_snapshot(Session& session) {
  auto& connection = *session.connection;
  if (is_postgresql(session)) {
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    return;
  }
  // BEGIN alone takes no snapshot; the first read does.
  connection.execute("BEGIN");
  connection.execute("SELECT count(*) FROM sqlite_schema");
}

void begin_write(Session& session) {
  session.connection->execute(is_postgresql(session)
                                  ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
                                  : "BEGIN IMMEDIATE");
}

void commit(Session& session) {
  try {
    session.connection->execute("COMMIT");
  } catch (const Fault& fault) {
    if (!hides_outcome(session, fault)) {
      throw;
    }
    throw Failure(Code::outcome_unknown,
                  "the connection to the secondary was lost in the commit (" + fault.state() +
                      "): either all of the run's changes are there or none",
                  "run 'abgleich sync' again: it finds out which");
  }
}

void rollback(Session& session) noexcept {
  try {
    session.connection->execute("ROLLBACK");
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // There is no transaction any more, or no server: either way nothing of it stays.
  }
}

std::string identity_of(Session& session) {
  if (is_postgresql(session)) {
    const auto identity = postgresql::read_identity(*session.connection);
    return identity.system.empty() ? std::string()
                                   : "postgresql:" + identity.system + ":" + identity.database;
  }
  std::string file;
  session.connection->query("SELECT file FROM pragma_database_list WHERE name = 'main'", {},
                            [&](std::span<const Cell> row) { file = row[0].bytes; });
  // not with the device's number, which many systems give anew at every start
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0 ? "sqlite:" + std::to_string(status.st_ino)
                                            : std::string();
}

Catalog read_catalog(Session& session) {
  return is_postgresql(session) ? postgresql::read_catalog(*session.connection, session.schema)
                                : sqlite::read_catalog(*session.connection);
}

}  // namespace abgleich::db
