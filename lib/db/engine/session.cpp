#include "db/engine/session.hpp"

#include "db/engine/engine.hpp"

#include <string>

namespace abgleich::db {

Session open(const Endpoint& endpoint, Access access) {
  const auto& engine = backend(endpoint.engine);
  auto connection = engine.connect(endpoint, access);
  const auto& dialect =
      access == Access::read ? engine.dialect_to_read(*connection) : engine.dialect();
  return {.connection = std::move(connection),
          .backend = &engine,
          .dialect = &dialect,
          .schema = endpoint.schema,
          .books = endpoint.books};
}

void begin_snapshot(Session& session) {
  session.backend->begin_snapshot(session);
}

void begin_write(Session& session) {
  session.backend->begin_write(session);
}

void commit(Session& session) {
  try {
    session.connection->execute("COMMIT");
  } catch (const Fault& fault) {
    if (!session.backend->hides_outcome(fault)) {
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
  return session.backend->identity_of(session);
}

Catalog read_catalog(Session& session) {
  return session.backend->read_catalog(session);
}

}  // namespace abgleich::db
