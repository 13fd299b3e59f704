// Opening a database: connection, dialect and catalogue reader of its engine.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/connection.hpp"
#include "db/dialect.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace abgleich::db {

enum class Access : std::uint8_t { read, write };

/// A connection that was made for one purpose. `read` cannot write: PostgreSQL
/// default_transaction_read_only and a read-only transaction, SQLite a read-only file handle.
struct Session {
  std::unique_ptr<Connection> connection;
  const Dialect* dialect = nullptr;
  std::string schema;
};

/// Opens the database with pinned settings (UTC, ISO dates, extra_float_digits, hex bytea, …) and a
/// name that says who we are. Throws Fault{unreachable} that says what was tried. A SQLite file
/// that is not there is never created. Nothing has begun yet.
Session open(const Endpoint& endpoint, Access access);

/// begin_snapshot: one repeatable-read, read-only transaction for everything that follows.
/// begin_write: repeatable read (SQLite: BEGIN IMMEDIATE).
void begin_snapshot(Session& session);
void begin_write(Session& session);
/// PostgreSQL: a lost connection here is Failure{outcome_unknown}.
void commit(Session& session);
void rollback(Session& session) noexcept;

/// Which database this is: PostgreSQL's numbers of system and database; a file's number in its file
/// system, which a copy of it does not have. Empty where that is not known.
std::string identity_of(Session& session);

/// Reads the catalogue of the session's schema: from pg_catalog or sqlite_schema, in the session's
/// transaction. Bookkeeping tables (`abgleich` schema or prefix) are left out.
Catalog read_catalog(Session& session);

}  // namespace abgleich::db
