// PostgreSQL: libpqxx for the connection, raw libpq on the same connection for COPY.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/connection.hpp"
#include "db/dialect.hpp"
#include "db/session.hpp"

#include <memory>
#include <string>

namespace abgleich::db::postgresql {

std::unique_ptr<Connection> connect(const Endpoint& endpoint, Access access);
const Dialect& dialect();
Catalog read_catalog(Connection& connection, const std::string& schema);

/// Which database this is, as far as this role may know.
DatabaseIdentity read_identity(Connection& connection);

}  // namespace abgleich::db::postgresql
