// Which rights a role has in a PostgreSQL database, from the catalogue, which every role may read.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/grants.hpp"
#include "db/engine/session.hpp"

#include <set>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// What a role needs that reads these columns and does nothing else. The system columns that row
/// versions need are added for tables that have them.
Grants grants_to_read(Session& session, const Catalog& catalog, const ReadColumns& needed);

/// See Backend::grants_beyond. `statements` holds REVOKEs only.
Grants grants_beyond(Session& session, const KeptTables& kept);

}  // namespace abgleich::db::postgresql
