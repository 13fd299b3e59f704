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

}  // namespace abgleich::db::postgresql
