// The secondary: one transaction in it, and the catalogue as this transaction reads it. The work is
// done by other objects, each made from a Target and from what has to be there before:
//
//   SecondarySchema       which tables hold the relations, and what is missing of them
//   SecondaryConstraints  constraints that follow those of the primary
//   BaseTable, DataTable  what the two last agreed on, and people's own table
//   StagedTable           what the primary has (given out by `Target::prepare`)
//   PlanWriter            makes a PlannedTable (what is to be done) from a StagedTable's pairs
//   PlanApplication       does what the PlannedTables of a run say
//   FirstLoad             fills tables without a plan
//   RekeyWriter           takes rows that get other keys or pseudonyms (apply_rekey writes them)
#pragma once

#include "core/catalog.hpp"
#include "core/endpoint.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/constraints.hpp"
#include "db/engine/equality.hpp"
#include "db/engine/relation.hpp"
#include "db/engine/session.hpp"
#include "db/secondary/stand_ins.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class LocatedRelation;
class StagedTable;

/// Whether a run may change the secondary. A dry one works in temporary tables and rolls back.
enum class Mode : std::uint8_t { dry, real };

/// Why the secondary refused a row: an SQLSTATE, and the constraint that the row would break. Both
/// are empty where other rows would have been changed or deleted along with it.
struct Blame {
  std::string state;
  std::string broken;
};

class Target {
 public:
  /// Connects and begins the transaction.
  Target(const Endpoint& endpoint, Mode mode);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  ~Target();  // rolls back what was not committed

  [[nodiscard]] Mode mode() const { return mode_; }
  [[nodiscard]] const Dialect& dialect() const { return *session_.dialect; }
  /// Which database this is; see `identity_of`.
  [[nodiscard]] std::string identity() { return identity_of(session_); }
  [[nodiscard]] Books& books() { return *books_; }

  /// Reads the secondary's catalogue in this transaction.
  void load_catalog();
  /// As it was last read; empty before.
  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  /// Runs DDL and reads the catalogue again.
  void execute_ddl(const std::vector<std::string>& statements);

  /// Makes the StagedTable of a relation, which lives until `forget_prepared`, or as long as this.
  /// REQUIRES: the relation is not prepared yet.
  StagedTable& prepare(const LocatedRelation& relation);

  void commit();

  // For the objects that work in this transaction ------------------------------------------------

  [[nodiscard]] Session& session() { return session_; }
  [[nodiscard]] const Session& session() const { return session_; }
  [[nodiscard]] Connection& connection() { return *session_.connection; }
  [[nodiscard]] const Backend& backend() const { return *session_.backend; }
  [[nodiscard]] StandIns& stand_ins() { return stand_ins_; }
  [[nodiscard]] const StandIns& stand_ins() const { return stand_ins_; }
  /// The search path of people's own sessions; empty where the engine has none.
  [[nodiscard]] const std::string& peoples_path() const { return peoples_path_; }
  [[nodiscard]] Equality equality_of(const std::string& table, const std::string& column) const;
  /// The foreign keys by which other rows refer to the relation's and change with them; or those of
  /// all tables, by name.
  const std::vector<Dependant>& dependants(const Relation& relation);
  const Dependants& all_dependants();
  /// All that `prepare` has given out, in that order.
  [[nodiscard]] const std::vector<std::unique_ptr<StagedTable>>& prepared() const {
    return prepared_;
  }
  /// Destroys them: nothing may refer to one any more.
  void forget_prepared();

  /// Runs `work`, which writes to people's tables, with the search path that people's own sessions
  /// have: their triggers, checks and indexes may need it. Everywhere else the search path leads to
  /// the server's own names only.
  void as_people(const std::function<void()>& work);
  /// Runs one statement in this way, and returns how many rows it changed.
  std::int64_t write(const std::string& sql);
  /// The one number that a query gives.
  std::int64_t count(const std::string& sql);
  /// Runs `work` in a savepoint. Where it returns false or the secondary refuses rows, its changes
  /// are undone, and the reason is returned. Nothing: they stand.
  [[nodiscard]] std::optional<Blame> refused(std::string_view savepoint,
                                             const std::function<bool()>& work);
  /// A number that no temporary table of this transaction has in its name.
  std::int64_t next_temporary() { return ++temporaries_; }

 private:
  Session session_;
  Mode mode_;
  Catalog catalog_;
  Equalities equalities_;
  std::optional<Dependants> dependants_;
  std::string peoples_path_;
  std::unique_ptr<Books> books_;
  StandIns stand_ins_;
  std::vector<std::unique_ptr<StagedTable>> prepared_;
  std::int64_t temporaries_ = 0;
  bool open_ = true;
};

}  // namespace abgleich::db
