#include "db/engine/equality.hpp"

#include "db/engine/engine.hpp"

namespace abgleich::db {

Equalities read_equalities(Session& session, const Catalog& catalog) {
  return session.backend->read_equalities(session, catalog);
}

}  // namespace abgleich::db
