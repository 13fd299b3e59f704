// Opening a database: connection, dialect and catalogue reader of its engine.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/dialect.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Backend;  // engine.hpp

enum class Access : std::uint8_t { read, write };

/// A connection for one purpose (Access). One that reads cannot write: in PostgreSQL by
/// default_transaction_read_only and a read-only transaction, in SQLite by a read-only file handle.
struct Session {
  std::unique_ptr<Connection> connection;
  const Backend* backend = nullptr;
  const Dialect* dialect = nullptr;  // the backend's
  std::string schema;
  std::string books;  // of a secondary: see Endpoint::books

  /// A table of the bookkeeping: `abgleich."run"`, or `"abgleich_run"` where there are no schemas.
  [[nodiscard]] std::string own_table(std::string_view name) const {
    return dialect->own_table(books, name);
  }
  /// The same for messages and catalogues: `abgleich.run`, or `abgleich_run`.
  [[nodiscard]] std::string own_name(std::string_view name) const {
    return dialect->own_name(books, name);
  }
};

/// Opens the database with pinned settings (UTC, ISO dates, extra_float_digits, hex bytea, …) and,
/// where servers show one, an application name. Begins no transaction. Never creates a SQLite file.
/// Throws Fault, which says what was tried.
Session open(const Endpoint& endpoint, Access access);

/// begin_snapshot: one repeatable-read, read-only transaction for everything that follows.
/// begin_write: repeatable read as well.
void begin_snapshot(Session& session);
void begin_write(Session& session);
/// Throws Failure{outcome_unknown} where a fault, such as a lost connection, hides whether it was
/// done.
void commit(Session& session);
void rollback(Session& session) noexcept;

/// Which database this is: the engine's name, and numbers that a copy of the database does not
/// share (of the server's system and database, or of the file in its file system). Empty where
/// these are not known.
std::string identity_of(Session& session);

/// Reads the catalogue of the session's schema, in the session's transaction. Bookkeeping tables
/// (`abgleich` schema or prefix) are left out.
Catalog read_catalog(Session& session);

}  // namespace abgleich::db
