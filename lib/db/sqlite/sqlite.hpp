// SQLite by SOCI. Rows are read and written by sqlite3's own interface on the same connection,
// because SOCI loses storage classes, NULs and 64-bit integers.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <memory>
#include <string_view>

namespace abgleich::db::sqlite {

/// Opens the file of `endpoint`, which is never created. `read` cannot write to it. Throws
/// Fault{unreachable} where it is not there, cannot be opened or is no database.
std::unique_ptr<Connection> connect(const Endpoint& endpoint, Access access);

const Backend& backend();
const Dialect& dialect();
/// The DDL of the bookkeeping, from migrations/.
std::string_view books_ddl();

/// REQUIRES: `connection` was made by `connect`. Shadow tables, SQLite's own tables, those of the
/// bookkeeping, and views that cannot be resolved are left out.
Catalog read_catalog(Connection& connection);

}  // namespace abgleich::db::sqlite
