// What people declare in their tables, as far as it changes what happens to rows: which values
// columns take for equal, what is unique, whose rows refer to others.
#pragma once

#include "db/engine/constraints.hpp"
#include "db/engine/equality.hpp"
#include "db/engine/session.hpp"

#include <string>

namespace abgleich::db::postgresql {

Equalities read_equalities(Session& session);
Dependants read_dependants(Session& session);
void query_uniques(Session& session, const std::string& table, const Connection::OnRow& row);
bool has_heirs(Session& session, const CatalogTable& table);

}  // namespace abgleich::db::postgresql
