// The interface of an engine: what it has to do, and what it may do besides. Each engine has a
// folder in lib/db (`postgresql`, `sqlite`) with one Backend object, which `backend` below finds by
// the engine of an endpoint. Code outside these folders never asks which engine it has. It asks
// here what the engine can do, or core/engine.hpp for the engine's traits.
//
// What an engine has to do, in the order in which a run meets it. Of a primary:
//   - connect; begin a snapshot; say after which faults a second attempt may succeed, and which
//     hide a commit's outcome;
//   - read a catalogue, and say which database this is;
//   - Dialect: quote and name tables, write types and operators, decode values;
//   - Connection: query, read, read_unknown.
// Of a secondary besides:
//   - a transaction that undoes DDL with the rows (begin_write), and one for a rehearsal;
//   - Dialect: encode and fit values, statements in sets, temporary tables, equality by bytes,
//     definitions;
//   - Connection: execute, open, load;
//   - the bookkeeping: its DDL, which of its tables and columns there are, and whose there is
//     besides;
//   - what people declare: which values are equal, what is unique, whose rows refer to others, why
//     a row was refused, and which keys this program has made;
//   - a copy of it in one file (copy_out), and such a copy restored beside it (restore_copy).
//
// What an engine may do besides. All this has a default below, which is "no"; after the arrow
// stands what a run does then. Of a primary:
//   - lock tables against DDL (hold) -> the snapshot has to cover the schema as well as the rows;
//   - tell its position (watch) -> an older copy is not noticed;
//   - tell which rows are new (row_versions) -> every row is read;
//   - read with several connections (readers) -> one connection reads;
//   - have roles (grants_to_read) -> rights are not checked.
// Of a secondary:
//   - defer constraints (Connection::defer_constraints) -> rows are sorted, and cycles broken;
//   - have roles (missing_rights, grants_beyond, strangers) and search paths (peoples_path)
//     -> neither is checked;
//   - load tables without keys (bare), change a base without its key (without_key) -> keys stay;
//   - lay rows down anew (lay_down) -> the order in which rows lie tells nothing anyway.
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/constraints.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/equality.hpp"
#include "db/engine/grants.hpp"
#include "db/engine/position.hpp"
#include "db/engine/relation.hpp"
#include "db/engine/row_versions.hpp"
#include "db/engine/schema_lock.hpp"
#include "db/engine/secondary_copy.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Readers;

/// Constraints of an existing table that are to be dropped.
struct TableKeys {
  const CatalogTable* table = nullptr;   // of the session's schema
  const Relation* relation = nullptr;    // its `lost_keys` are to be dropped
  const CatalogKey* outgrown = nullptr;  // the primary key, if new rows have no values for it
};

/// What `bare` dropped from its tables: the statements that add it again.
struct Bared {
  std::vector<std::string> keys;
  std::vector<std::string> foreign_keys;  // to be run after all keys
  std::string patience;                   // how long the transaction could be idle before
};

/// A table whose rows are to lie in the order of a key.
struct RowsToLayDown {
  std::string table;                          // quoted, with its schema
  std::string name;                           // as the catalogue has it
  const CatalogTable* people_have = nullptr;  // a table of the data; null: a base
  std::vector<std::string> key;               // its columns
  std::string order;                          // the key, in SQL, by its bytes
  std::string temporary;                      // a name that is free for a temporary table
};

class Backend {
 public:
  virtual ~Backend() = default;

  [[nodiscard]] virtual const Dialect& dialect() const = 0;
  /// The dialect to read this primary with: another one where its encoding needs that.
  [[nodiscard]] virtual const Dialect& dialect_to_read(Connection& /*connection*/) const {
    return dialect();
  }

  // Connections and transactions ----------------------------------------------------------------

  /// See `open` (session.hpp).
  [[nodiscard]] virtual std::unique_ptr<Connection> connect(const Endpoint& endpoint,
                                                            Access access) const = 0;
  /// What an attacker in the network could do, where the configuration does not require that the
  /// server is verified. Empty: it does.
  [[nodiscard]] virtual std::string wire_weakness(const Endpoint& /*endpoint*/) const { return {}; }

  /// Begins the transaction in which everything is read: one snapshot, read only.
  virtual void begin_snapshot(Session& session) const = 0;
  /// Begins the transaction in which a run writes. A rollback undoes its DDL, too.
  virtual void begin_write(Session& session) const = 0;
  /// The same for a dry run, which is rolled back: it can make temporary tables, and takes no lock
  /// that keeps others from writing.
  virtual void begin_rehearsal(Session& session) const = 0;
  /// Whether it is unknown, after this fault of COMMIT, if the transaction was committed.
  [[nodiscard]] virtual bool hides_outcome(const Fault& fault) const = 0;
  /// Whether a second attempt may succeed after a fault with this state.
  [[nodiscard]] virtual bool may_pass(std::string_view state) const = 0;

  // A primary -----------------------------------------------------------------------------------

  [[nodiscard]] virtual Catalog read_catalog(Session& session) const = 0;
  /// Which database this is; empty where that is not known.
  [[nodiscard]] virtual std::string identity_of(Session& session) const = 0;

  /// Asks for the primary's position, around each snapshot.
  [[nodiscard]] virtual std::unique_ptr<Watch> watch() const { return std::make_unique<Watch>(); }

  /// Locks those tables of `readings` that exist against DDL until the transaction ends, and
  /// compares them with the snapshot's catalogue. What DDL of others causes is in the result;
  /// throws Fault for everything else.
  [[nodiscard]] virtual SchemaLock hold(Session& /*session*/, const Catalog& /*catalog*/,
                                        const std::vector<Reading>& /*readings*/,
                                        Gone /*gone*/) const {
    return {};
  }
  /// The Fault to throw where a table stays locked by others (Hold::locked).
  [[nodiscard]] virtual Fault locked(Session& session, const std::string& table) const;
  /// A text that changes with the labels of any enumeration, where `hold` does not lock these.
  /// Empty: it does, or there are no enumerations.
  [[nodiscard]] virtual std::string labels_mark(Session& /*session*/) const { return {}; }

  /// The names of the tables that give the key of a deleted row to the next one.
  [[nodiscard]] virtual std::set<std::string> reused_keys(Session& /*session*/,
                                                          const Catalog& /*catalog*/) const {
    return {};
  }
  /// The names of those of the tables (given by their numbers in the catalogue) whose rows lie on
  /// other servers, or have no versions for another reason. REQUIRES: `tables` is not empty.
  [[nodiscard]] virtual std::vector<std::string> lying_elsewhere(
      Session& /*session*/, const std::vector<std::int64_t>& /*tables*/) const {
    return {};
  }
  /// From here on, a query that reads only key columns gives rows in the table's order, too.
  virtual void read_in_table_order(Session& /*session*/) const {}

  /// See Source::row_versions. As here, not usable: every run reads every row.
  [[nodiscard]] virtual std::vector<RowVersions> row_versions(
      Session& /*session*/, const std::vector<VersionedTable>& tables) const {
    return std::vector<RowVersions>(tables.size());
  }
  /// SQL over a row of a table: its place. REQUIRES, as for the next two: row versions are usable.
  [[nodiscard]] virtual std::string place() const { return {}; }
  /// The same, with '+' in front where the row may be new since the horizon.
  [[nodiscard]] virtual std::string recent_place(std::uint64_t /*horizon*/) const { return {}; }
  /// SQL: whether the row may be new since the horizon, or is at one of these places.
  [[nodiscard]] virtual std::string recent_or_at(std::uint64_t /*horizon*/,
                                                 const std::vector<std::string>& /*places*/) const {
    return {};
  }

  /// The rights that the session's role needs to read these columns and nothing else, and those
  /// that it has beyond. Empty: the engine has no roles.
  [[nodiscard]] virtual std::optional<Grants> grants_to_read(Session& /*session*/,
                                                             const Catalog& /*catalog*/,
                                                             const ReadColumns& /*columns*/) const {
    return std::nullopt;
  }

  /// More connections that read in parallel with the session's. Endpoint and session outlive them.
  /// Null: one connection reads.
  [[nodiscard]] virtual std::unique_ptr<Readers> readers(const Endpoint& endpoint,
                                                         Session& session) const;

  // A secondary ---------------------------------------------------------------------------------

  /// Sets what suits a transaction that writes many rows.
  virtual void prepare_for_sets(Session& /*session*/) const {}
  /// The search path that people's own sessions have. Empty: the engine has no search paths.
  [[nodiscard]] virtual std::string peoples_path(Session& /*session*/) const { return {}; }
  /// Sets the search path from here on; empty: only the engine's own names are found.
  virtual void look_up_by(Session& /*session*/, const std::string& /*path*/) const {}

  /// The GRANT statements for the rights that this role lacks in order to write these relations.
  /// `ddl`: what the run has to change in their tables before.
  [[nodiscard]] virtual std::vector<std::string> missing_rights(
      Session& /*session*/, const std::vector<Relation>& /*relations*/,
      const std::vector<std::string>& /*ddl*/) const {
    return {};
  }
  /// What the session's role may do with tables other than these, and the statements that revoke
  /// it. Empty: the engine has no roles.
  [[nodiscard]] virtual std::optional<Grants> grants_beyond(Session& /*session*/,
                                                            const KeptTables& /*kept*/) const {
    return std::nullopt;
  }
  /// What gives somebody else a say about the tables of the bookkeeping, in words, one text each:
  /// triggers, and owners that could add some.
  [[nodiscard]] virtual std::vector<std::string> strangers_in_books(Session& /*session*/) const {
    return {};
  }
  /// What other users could do that disturbs a run, in words, one text each.
  [[nodiscard]] virtual std::vector<std::string> strangers(
      Session& /*session*/, const std::vector<Relation>& /*relations*/,
      const std::string& /*peoples_path*/) const {
    return {};
  }

  // Its bookkeeping -----------------------------------------------------------------------------

  /// The DDL of the bookkeeping, under its usual name: the engine's file in migrations/.
  [[nodiscard]] virtual std::string_view books_ddl() const = 0;
  /// SQL: one row per column of a bookkeeping table: the table's name without the prefix, and the
  /// column's name.
  [[nodiscard]] virtual std::string select_books_layout(const Session& session) const = 0;
  /// SQL: the names of other books in this database, and 1 where the session's role may read their
  /// tables `head`, `tracked` and `fact`, and these have the columns that are read, else 0. None
  /// with which a stranger could make a query of ours run code of theirs.
  [[nodiscard]] virtual std::string select_other_books(const Session& session) const = 0;
  /// SQL: 1 where these books have the base of the number that the SQL `number` gives, else 0.
  [[nodiscard]] virtual std::string has_base(std::string_view books,
                                             std::string_view number) const = 0;
  /// The type of a bookkeeping table's column, as DDL calls it. Empty: there is no such column, or
  /// the engine does not enforce types.
  [[nodiscard]] virtual std::string own_column_type(const Session& /*session*/,
                                                    std::string_view /*table*/,
                                                    std::string_view /*column*/) const {
    return {};
  }

  // What people declare -------------------------------------------------------------------------

  [[nodiscard]] virtual Equalities read_equalities(Session& session,
                                                   const Catalog& catalog) const = 0;
  [[nodiscard]] virtual Dependants read_dependants(Session& session,
                                                   const Catalog& catalog) const = 0;
  /// See `read_uniques`: one row per column, the index's name or number in front of the column.
  virtual void query_uniques(Session& session, const std::string& table,
                             const Connection::OnRow& row) const = 0;
  /// Whether other tables inherit from it, whose rows are read and changed with its own.
  [[nodiscard]] virtual bool has_heirs(Session& /*session*/, const CatalogTable& /*table*/) const {
    return false;
  }
  /// What a row was refused for, by the state of the Fault: "unique", "foreign_key", "check",
  /// "not_null", "exclusion" or "trigger". Empty: something else.
  [[nodiscard]] virtual std::string_view broken_by(std::string_view state) const = 0;
  /// Whether DDL was refused because a type does not match, or a key that it refers to is missing.
  [[nodiscard]] virtual bool refuses_definition(const Fault& /*fault*/) const { return false; }

  /// Whether a foreign key is written as this program writes its own.
  [[nodiscard]] virtual bool is_ours(const Session& session, const std::string& table,
                                     const CatalogForeignKey& key) const = 0;
  /// The statements that add a foreign key. The default here, and of the next three, is ALTER TABLE
  /// with ADD or DROP CONSTRAINT.
  [[nodiscard]] virtual std::vector<std::string> add_key(const Session& session,
                                                         const Relation& relation,
                                                         const RelationForeignKey& key) const;
  /// The statements that drop the relation's `lost_keys`.
  [[nodiscard]] virtual std::vector<std::string> drop_keys(const Session& session,
                                                           const TableKeys& keys) const;
  /// The statements that drop the outgrown primary key. They are run after the foreign keys that
  /// may refer to it are dropped.
  [[nodiscard]] virtual std::vector<std::string> drop_outgrown_key(const Session& session,
                                                                   const TableKeys& keys) const;
  /// The statements that undo both. REQUIRES: neither was run yet.
  [[nodiscard]] virtual std::vector<std::string> put_back_keys(const Session& session,
                                                               const TableKeys& keys) const;

  // For speed only ------------------------------------------------------------------------------

  /// Whether to make a temporary table changes a catalogue that others use, so that it is made only
  /// when it has a row.
  [[nodiscard]] virtual bool temporary_tables_cost() const { return false; }
  /// Whether a first load may go into tables without keys.
  [[nodiscard]] virtual bool loads_bare() const { return false; }
  /// Drops keys and foreign keys of those of the tables (quoted) that this transaction has made,
  /// and lets the transaction be idle without a limit.
  [[nodiscard]] virtual Bared bare(Session& /*session*/,
                                   const std::vector<std::string>& /*tables*/) const {
    return {};
  }
  /// Sets that limit as it was before. The statements in `bared` are for the caller to run.
  virtual void end_bare(Session& /*session*/, const Bared& /*bared*/) const {}

  /// Runs `work` while the table (quoted) has no primary key. False: that is not possible now;
  /// nothing has changed.
  [[nodiscard]] virtual bool without_key(Session& /*session*/, const std::string& /*table*/,
                                         const std::function<void()>& /*work*/) const {
    return false;
  }

  /// See DataTable::lay_down.
  [[nodiscard]] virtual std::string lay_down(Session& /*session*/,
                                             const RowsToLayDown& /*rows*/) const {
    return {};
  }

  // Copies of it --------------------------------------------------------------------------------

  /// Writes the bookkeeping and these tables of the data, as the session's transaction sees them,
  /// to a new file with mode 0600; an engine whose database is a file copies all of it. Others may
  /// go on writing. Throws Failure where a program that is needed is missing, or fails.
  virtual void copy_out(Session& session, const std::set<std::string>& tables,
                        const std::filesystem::path& file) const = 0;
  /// Restores such a file beside the original. Throws Failure{secondary_refuses} where the role may
  /// not make a database, or `to` is not empty.
  [[nodiscard]] virtual std::unique_ptr<RestoredCopy> restore_copy(
      const CopyToRestore& copy) const = 0;
};

/// The engine's object, which has no state.
const Backend& backend(Engine engine);

}  // namespace abgleich::db
