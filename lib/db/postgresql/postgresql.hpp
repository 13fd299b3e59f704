// PostgreSQL: libpqxx for the connection, raw libpq on the same connection for COPY.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

std::unique_ptr<Connection> connect(const Endpoint& endpoint, Access access);
const Backend& backend();
const Dialect& dialect();
/// The DDL of the bookkeeping, from migrations/.
std::string_view books_ddl();

/// The dialect to read a database of this encoding with: as `dialect()`, except that texts are
/// fetched as bytes where not every byte is a character (encoding.hpp).
const Dialect& dialect_to_read(std::string_view server_encoding);
/// The database's encoding, by the server's name. Empty: the server does not say.
std::string_view server_encoding(Connection& connection);

Catalog read_catalog(Connection& connection, const std::string& schema);

/// Which database this is, as far as this role may know.
DatabaseIdentity read_identity(Connection& connection);

}  // namespace abgleich::db::postgresql
