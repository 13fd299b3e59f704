// What an engine is: the list of what it has to do, and of what it may do besides. A folder of
// lib/db implements each one (`postgresql`, `sqlite`) and gives out one object, which the registry
// below finds by the engine of an endpoint. Nothing outside these folders asks which engine it has
// before it: it asks here what the engine does, or the list in core/engine.hpp what it is like.
//
// What an engine has to do, in the order in which a run meets it. Of a primary:
//   - connect; begin a snapshot; say which faults may pass, and which hide a commit's outcome;
//   - read a catalogue, and say which database this is;
//   - Dialect: quote and name tables, write types and operators, decode values;
//   - Connection: query, read, read_unknown.
// Of a secondary besides:
//   - a transaction that undoes DDL with the rows (begin_write), and one for a rehearsal;
//   - Dialect: encode and fit values, statements in sets, temporary tables, equality by bytes,
//     definitions;
//   - Connection: execute, open, load;
//   - the bookkeeping: its DDL, and which of its tables and columns there are;
//   - what people declare: equality, what is unique, whose rows refer to others, what a refusal is
//     about, and which keys this program has made.
//
// What it may do, and what a run does where it does not. Of a primary:
//   - hold tables still (hold): then the snapshot has to hold the schema as well as the rows;
//   - tell how far it has got (watch): an older copy is not noticed;
//   - tell which rows are new (row_versions): every row is read;
//   - read with several connections (readers): one reads;
//   - have roles (grants_to_read): nothing is asked.
// Of a secondary:
//   - put constraints off (Connection::defer_constraints): rows are sorted, and cycles broken;
//   - have roles (missing_rights, grants_beyond, strangers) and search paths (peoples_path):
//   nothing is asked;
//   - load bare tables (bare), move a base without its key (without_key): keys are kept up;
//   - lay rows down anew (lay_down): they have no order that would tell anything.
// All this has a default below, which is "no".
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
#include "db/engine/session.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Readers;

/// Constraints that this program has made of a table that is there, and that are to go.
struct TableKeys {
  const CatalogTable* table = nullptr;   // of the session's schema
  const Relation* relation = nullptr;    // which has lost `lost_keys`
  const CatalogKey* outgrown = nullptr;  // the primary key, where new rows bring no values for it
};

/// What a bare load took off its tables: the statements that put it on again.
struct Bared {
  std::vector<std::string> keys;
  std::vector<std::string> foreign_keys;  // after all keys
  std::string patience;                   // of the server with us, as it was before
};

/// A table whose rows are to lie in the order of a key.
struct RowsToLayDown {
  std::string table;                          // quoted, with its schema
  std::string name;                           // as the catalogue has it
  const CatalogTable* people_have = nullptr;  // null: a base
  std::vector<std::string> key;               // its columns
  std::string order;                          // the key, in SQL, by its bytes
  std::string temporary;                      // a name that is free for a temporary table
};

class Backend {
 public:
  virtual ~Backend() = default;

  [[nodiscard]] virtual const Dialect& dialect() const = 0;
  /// To read this primary with, where the form of its texts asks for another.
  [[nodiscard]] virtual const Dialect& dialect_to_read(Connection& /*connection*/) const {
    return dialect();
  }

  // Connections and transactions ----------------------------------------------------------------

  /// See `open`. What the configuration asks for is in the endpoint.
  [[nodiscard]] virtual std::unique_ptr<Connection> connect(const Endpoint& endpoint,
                                                            Access access) const = 0;
  /// Where the configuration asks for less than a server that proves who it is; empty: nowhere.
  [[nodiscard]] virtual std::string wire_weakness(const Endpoint& /*endpoint*/) const { return {}; }

  /// What everything is read in: one snapshot, read only.
  virtual void begin_snapshot(Session& session) const = 0;
  /// What a run writes in; and what it rehearses in, which takes no lock that writes need, has
  /// temporary tables, and is rolled back. Both undo DDL with the rows.
  virtual void begin_write(Session& session) const = 0;
  virtual void begin_rehearsal(Session& session) const = 0;
  /// A fault of COMMIT after which nobody can say whether it was done.
  [[nodiscard]] virtual bool hides_outcome(const Fault& fault) const = 0;
  /// Whether what has failed with this state may go well in a moment.
  [[nodiscard]] virtual bool may_pass(std::string_view state) const = 0;

  // A primary -----------------------------------------------------------------------------------

  [[nodiscard]] virtual Catalog read_catalog(Session& session) const = 0;
  /// Which database this is; empty where that is not known.
  [[nodiscard]] virtual std::string identity_of(Session& session) const = 0;

  /// Looks how far a primary has got, around each snapshot.
  [[nodiscard]] virtual std::unique_ptr<Watch> watch() const { return std::make_unique<Watch>(); }

  /// Holds what exists of `readings` still until the transaction ends, and compares it with the
  /// snapshot's catalogue. Throws Fault for everything that is no DDL.
  [[nodiscard]] virtual SchemaLock hold(Session& /*session*/, const Catalog& /*catalog*/,
                                        const std::vector<Reading>& /*readings*/,
                                        Gone /*gone*/) const {
    return {};
  }
  /// The fault of a table that stays locked (Hold::locked).
  [[nodiscard]] virtual Fault locked(Session& session, const std::string& table) const;
  /// Stands for the labels of all enumerations, where `hold` does not hold these.
  [[nodiscard]] virtual std::string labels_mark(Session& /*session*/) const { return {}; }

  /// Tables that give the key of a deleted row to the next one.
  [[nodiscard]] virtual std::set<std::string> reused_keys(Session& /*session*/,
                                                          const Catalog& /*catalog*/) const {
    return {};
  }
  /// Those of the tables (by their numbers in the catalogue) whose rows lie on other servers, or
  /// have no versions for another reason. REQUIRES: there is one.
  [[nodiscard]] virtual std::vector<std::string> lying_elsewhere(
      Session& /*session*/, const std::vector<std::int64_t>& /*tables*/) const {
    return {};
  }
  /// Makes the queries of this transaction that read keys alone go by the table, as others do.
  virtual void read_in_table_order(Session& /*session*/) const {}

  /// See Source::row_versions. Not usable: every run reads every row.
  [[nodiscard]] virtual RowVersions row_versions(Session& /*session*/,
                                                 const VersionedTable& /*table*/) const {
    return {};
  }
  /// SQL over a table's row: where it is. REQUIRES: row versions are usable.
  [[nodiscard]] virtual std::string place() const { return {}; }
  /// The same, with '+' in front where it may be new since a horizon;
  /// and whether it may be new or is at one of these places. REQUIRES: row versions are usable.
  [[nodiscard]] virtual std::string recent_place(std::uint64_t /*horizon*/) const { return {}; }
  [[nodiscard]] virtual std::string recent_or_at(std::uint64_t /*horizon*/,
                                                 const std::vector<std::string>& /*places*/) const {
    return {};
  }

  /// The rights that the session's role needs to read this and nothing else, and those that it has
  /// beyond. Nothing: no roles.
  [[nodiscard]] virtual std::optional<Grants> grants_to_read(Session& /*session*/,
                                                             const Catalog& /*catalog*/,
                                                             const ReadColumns& /*columns*/) const {
    return std::nullopt;
  }

  /// Others that read beside this connection. It and the endpoint outlive them. Null: one reads.
  [[nodiscard]] virtual std::unique_ptr<Readers> readers(const Endpoint& endpoint,
                                                         Session& session) const;

  // A secondary ---------------------------------------------------------------------------------

  /// Settings of a transaction in which much is written.
  virtual void prepare_for_sets(Session& /*session*/) const {}
  /// The path that names are looked up by in people's own sessions. Empty: they are looked up in
  /// one way only.
  [[nodiscard]] virtual std::string peoples_path(Session& /*session*/) const { return {}; }
  /// Names are looked up by this path from here on; empty: the engine's own names alone.
  virtual void look_up_by(Session& /*session*/, const std::string& /*path*/) const {}

  /// GRANT and the like, for what this role lacks: with these relations, of which `ddl` is missing.
  [[nodiscard]] virtual std::vector<std::string> missing_rights(
      Session& /*session*/, const std::vector<Relation>& /*relations*/,
      const std::vector<std::string>& /*ddl*/) const {
    return {};
  }
  /// What the session's role may do with tables that are not these, nor the bookkeeping, with the
  /// statements that take it back. Nothing: no roles.
  [[nodiscard]] virtual std::optional<Grants> grants_beyond(
      Session& /*session*/, const std::set<std::string>& /*tables*/) const {
    return std::nullopt;
  }
  /// What others could put in the way of a run, in words.
  [[nodiscard]] virtual std::vector<std::string> strangers(
      Session& /*session*/, const std::vector<Relation>& /*relations*/,
      const std::string& /*peoples_path*/) const {
    return {};
  }

  // Its bookkeeping -----------------------------------------------------------------------------

  /// The file of migrations/.
  [[nodiscard]] virtual std::string_view books_ddl() const = 0;
  /// SQL: name and column of every bookkeeping table, without the prefix.
  [[nodiscard]] virtual std::string_view select_books_layout() const = 0;
  [[nodiscard]] virtual bool has_own_table(const Session& session, std::string_view name) const = 0;
  /// The type of a bookkeeping table's column, as DDL calls it; empty where there is no such
  /// column, and where types hold nothing back.
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
  /// See `read_uniques`: one row a column, the index's name or number in front of the column.
  virtual void query_uniques(Session& session, const std::string& table,
                             const Connection::OnRow& row) const = 0;
  /// Whether rows of other tables are read and changed with the table's own.
  [[nodiscard]] virtual bool has_heirs(Session& /*session*/, const CatalogTable& /*table*/) const {
    return false;
  }
  /// What a row was refused for, by the state of the Fault: "unique", "foreign_key", "check",
  /// "not_null", "exclusion" or "trigger". Empty: something else.
  [[nodiscard]] virtual std::string_view broken_by(std::string_view state) const = 0;
  /// Whether a definition was refused for what the table is like: types, a key that is not there.
  [[nodiscard]] virtual bool refuses_definition(const Fault& /*fault*/) const { return false; }

  /// Whether a foreign key is written as this program writes its own.
  [[nodiscard]] virtual bool is_ours(const Session& session, const std::string& table,
                                     const CatalogForeignKey& key) const = 0;
  // Statements, by ADD and DROP CONSTRAINT where the engine has nothing else: a foreign key more;
  // what is lost, the primary key that is outgrown (after all that may refer to it), and both put
  // back.
  [[nodiscard]] virtual std::vector<std::string> add_key(const Session& session,
                                                         const Relation& relation,
                                                         const RelationForeignKey& key) const;
  [[nodiscard]] virtual std::vector<std::string> drop_keys(const Session& session,
                                                           const TableKeys& keys) const;
  [[nodiscard]] virtual std::vector<std::string> drop_outgrown_key(const Session& session,
                                                                   const TableKeys& keys) const;
  [[nodiscard]] virtual std::vector<std::string> put_back_keys(const Session& session,
                                                               const TableKeys& keys) const;

  // What makes much of it fast ------------------------------------------------------------------

  /// Whether a first load may go into bare tables.
  [[nodiscard]] virtual bool loads_bare() const { return false; }
  /// Takes keys and foreign keys off those of the tables that this transaction has made, and lets
  /// the server wait for as long as it takes; and ends that.
  [[nodiscard]] virtual Bared bare(Session& /*session*/,
                                   const std::vector<std::string>& /*tables*/) const {
    return {};
  }
  virtual void end_bare(Session& /*session*/, const Bared& /*bared*/) const {}

  /// Runs `work` while the table has no primary key. False: it cannot be taken off now, and nothing
  /// was done.
  [[nodiscard]] virtual bool without_key(Session& /*session*/, const std::string& /*table*/,
                                         const std::function<void()>& /*work*/) const {
    return false;
  }

  /// See DataTable::lay_down.
  [[nodiscard]] virtual std::string lay_down(Session& /*session*/,
                                             const RowsToLayDown& /*rows*/) const {
    return {};
  }
};

/// The registry: one object an engine, without state.
const Backend& backend(Engine engine);

}  // namespace abgleich::db
