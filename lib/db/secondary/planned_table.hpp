// The finished plan of one relation (plan_N in clauses.hpp): its rows, which of them the secondary
// refuses, and what becomes of base and journal.
#pragma once

#include "core/value.hpp"
#include "db/bookkeeping/sealer.hpp"
#include "db/engine/relation.hpp"
#include "db/secondary/plan_statements.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::db {

/// What is to be done with one row.
struct PlanRow {
  PlanAction action = PlanAction::agree;
  std::string mask;  // for each cell: '0' not written, '1' written, '2' written over an edit
  std::optional<std::string> digests;    // base afterwards, packed; absent: no row in it
  std::optional<std::string_view> base;  // base until now, likewise; REQUIRED to be as it is stored
  std::string_view fate;
  std::string key_text;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

/// A row of a plan that the secondary does not take.
struct RefusedRow {
  std::int64_t n = 0;  // in the plan
  PlanAction action = PlanAction::refused_insert;
  std::string mask;
  std::string key_text;
  std::optional<std::string> digests;
  Row row;  // the planned values, where the mask says so
};

/// What is in the way of a refused row.
struct Obstacle {
  std::string kind;        // "unique", "foreign_key", "check", "not_null", "trigger", …
  std::string constraint;  // its name or columns, where the engine says it
  std::string table;       // of the row in the way, or of the one that is missing; empty: none
  std::vector<std::pair<std::string, Value>> key;  // of that row
};

/// What is known of a plan from the rows that went into it.
struct PlanSummary {
  std::int64_t rows = 0;
  std::int64_t writes = 0;                     // those of them that write to the data
  std::string actions{};                       // those that it has, a character each
  std::vector<std::size_t> updated_columns{};  // those that some update writes, in order
  BeforeImages images = BeforeImages::keep;    // whether the journal keeps what deleted rows had
  Seal base{};                                 // by how much the base's seal grows
  Seal journal{};                              // what its entries in the journal add up to
  bool inserts_base = false;
  bool updates_base = false;
  bool deletes_base = false;
};

/// Made by a PlanWriter; its StagedTable outlives it.
class PlannedTable {
 public:
  [[nodiscard]] Target& target() const { return table_->target(); }
  [[nodiscard]] const StagedTable& table() const { return *table_; }
  [[nodiscard]] const LocatedRelation& relation() const { return table_->relation(); }
  [[nodiscard]] const Names& names() const { return table_->names(); }
  [[nodiscard]] const PlanSummary& summary() const { return summary_; }
  [[nodiscard]] std::int64_t rows() const { return summary_.rows; }
  [[nodiscard]] bool has(PlanAction action) const;

  /// The rows that are not refused, in order. `mask`, `cells` and `fate` are left empty.
  void planned_rows(const std::function<void(const PlanRow&)>& on_row) const;
  void refused_rows(const std::function<void(const RefusedRow&)>& on_row) const;
  /// Reads back every row that was inserted or updated, with the plan's mask and digests (`cells`).
  void written_rows(const std::function<void(std::string_view mask, std::string_view cells,
                                             const Row& row)>& on_row) const;

  /// To be called before the plan is applied: marks rows as refused, since they have to wait. These
  /// are the rows that refer, by the foreign key `key` of the relation, to one of `rows`: rows of
  /// the primary's `parent` in whose place the secondary has another row, or none yet. Returns how
  /// many wait.
  std::int64_t hold_references(std::size_t key, const Relation& parent,
                               const std::vector<Row>& rows);
  /// Marks these rows as refused.
  void refuse(const PlanRows& rows);
  /// Marks the same rows again, after a rollback to a savepoint has undone it.
  void refuse_again() const;
  /// Notes why the row of this number was refused.
  void note_blame(std::int64_t n, Blame blame);

  /// What is in the way of a refused row: which constraint, and which row of the secondary.
  /// REQUIRES: no cursor is open.
  [[nodiscard]] Obstacle obstacle(const RefusedRow& refused) const;

  /// Writes what was applied into the journal, and brings the base and its seal to what
  /// the plan says.
  void record() const;

 private:
  friend class PlanWriter;
  PlannedTable(StagedTable& table, PlanSummary summary)
      : table_(&table), summary_(std::move(summary)) {}

  void move_base() const;
  /// The same without the base's key, which is cheaper where most rows change. False: the key
  /// cannot be taken off now, and nothing was done.
  [[nodiscard]] bool move_base_without_key() const;

  StagedTable* table_;
  PlanSummary summary_;
  std::vector<std::string> refusals_;             // the statements that mark refused rows
  std::map<std::int64_t, Blame> blames_;          // by number in the plan
  std::map<std::int64_t, std::size_t> waits_by_;  // the foreign key by which a row waits
};

}  // namespace abgleich::db
