// What people declare in their tables, as far as it changes what happens to rows: which values
// columns take for equal, what is unique, whose rows refer to others.
#pragma once

#include "db/engine/constraints.hpp"
#include "db/engine/equality.hpp"
#include "db/engine/session.hpp"

#include <string>

namespace abgleich::db::sqlite {

Equalities read_equalities(const Catalog& catalog);
Dependants read_dependants(Session& session, const Catalog& catalog);
void query_uniques(Session& session, const std::string& table, const Connection::OnRow& row);

}  // namespace abgleich::db::sqlite
