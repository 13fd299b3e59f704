// Opening a database: connection, dialect and catalogue reader of its engine.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/dialect.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace abgleich::db {

class Backend;  // engine.hpp

enum class Access : std::uint8_t { read, write };

/// A connection that was made for one purpose. `read` cannot write: PostgreSQL
/// default_transaction_read_only and a read-only transaction, SQLite a read-only file handle.
struct Session {
  std::unique_ptr<Connection> connection;
  const Backend* backend = nullptr;
  const Dialect* dialect = nullptr;  // the backend's
  std::string schema;
};

/// Opens the database with pinned settings (UTC, ISO dates, extra_float_digits, hex bytea, …) and a
/// name that says who we are. Throws Fault{unreachable} that says what was tried. A SQLite file
/// that is not there is never created. Nothing has begun yet.
Session open(const Endpoint& endpoint, Access access);

/// begin_snapshot: one repeatable-read, read-only transaction for everything that follows.
/// begin_write: repeatable read as well.
void begin_snapshot(Session& session);
void begin_write(Session& session);
/// Where it hides its outcome, as a lost connection does: Failure{outcome_unknown}.
void commit(Session& session);
void rollback(Session& session) noexcept;

/// Which database this is: the engine's name, and what a copy of the database does not have (a
/// server's numbers of system and database, a file's number in its file system). Empty where that
/// is not known.
std::string identity_of(Session& session);

/// Reads the catalogue of the session's schema, in the session's transaction. Bookkeeping tables
/// (`abgleich` schema or prefix) are left out.
Catalog read_catalog(Session& session);

}  // namespace abgleich::db
