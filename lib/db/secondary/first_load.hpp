// The first load. The rows of a table are collected as they come from the primary and sorted by
// their keys; then they are written, with their base, into bare tables (without keys) while the
// next table is read. Keys and foreign keys are made afterwards. The order of rows in the primary
// may tell who was entered when, or whose name comes first in the alphabet; so the secondary is
// given no row before all rows of the table are sorted. Where the secondary may store something
// else than what it is sent, or where rows are left out together with others, the secondary sorts
// them itself, in a temporary table.
#pragma once

#include "core/digest.hpp"
#include "core/value.hpp"
#include "db/bookkeeping/sealer.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/engine.hpp"
#include "db/secondary/located_relation.hpp"
#include "db/secondary/sorted_rows.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"

#include <atomic>
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

class FirstLoad {
 public:
  /// Whether a first load may go into all of these tables: the engine loads bare tables, this
  /// is no dry run, the tables and their bases are empty and no other pairing's, and there are no
  /// triggers.
  /// REQUIRES: they exist.
  [[nodiscard]] static bool possible(Target& target, const std::vector<LocatedRelation>& relations);

  /// Drops keys and foreign keys of those of the tables that this transaction has made.
  FirstLoad(Target& target, const std::vector<LocatedRelation>& relations);
  FirstLoad(const FirstLoad&) = delete;
  FirstLoad& operator=(const FirstLoad&) = delete;
  ~FirstLoad();  // waits for what is being sent

  /// Waits until all rows are written, and makes the keys and foreign keys again. False where
  /// the rows violate them, or where a row that is held back has the key of one that was
  /// loaded. Then, as where FirstLoadTable::try_all gives false, `abandon` has to be called,
  /// which undoes everything.
  [[nodiscard]] bool end();
  /// Destroys the prepared tables as well: nothing may refer to one any more. Nothing can
  /// be loaded afterwards.
  void abandon();
  /// Why this machine could not keep the rows until they were sorted; empty: it could.
  [[nodiscard]] const std::string& rows_not_kept() const { return rows_not_kept_; }

 private:
  friend class FirstLoadTable;
  struct Filled {
    const Relation* relation = nullptr;
    std::optional<Seal> seal;  // where it can be made from what is sent
  };
  /// False where the secondary refuses a row, or this machine has no room.
  bool try_to(const std::function<void()>& work);
  [[nodiscard]] bool make_keys();

  Target& target_;
  Bared bared_;                       // what makes the keys again
  std::set<std::int64_t> here_;       // relations that this program sorts
  std::vector<StagedTable*> tables_;  // that rows were loaded into
  std::vector<Filled> filled_;
  std::atomic<bool> abandoned_ = false;
  std::string rows_not_kept_;
};

/// Takes the rows of one table, and writes them into it and its base in the order of their keys.
/// Tables are loaded one after the other.
class FirstLoadTable {
 public:
  /// Rows that do not fit into memory wait in `directory`, encrypted. `load` and
  /// `table` outlive this.
  FirstLoadTable(FirstLoad& load, StagedTable& table, std::filesystem::path directory);
  void add(const Row& row, std::string_view cells);
  /// Runs `load`, which adds all rows. They may still be on their way to the secondary when
  /// this returns. False where the secondary refused a row, of this table or of an earlier one,
  /// or where this machine had no room for them: then nothing more is possible in this
  /// transaction but `FirstLoad::abandon`.
  bool try_all(const std::function<void()>& load);
  /// How many rows were left out since they belong to one that is held back for being rare.
  [[nodiscard]] std::int64_t left_out() const { return left_out_; }

 private:
  void begin();
  void leave_out_rare();
  /// Writes the sorted rows while the caller does something else.
  void lay_down();
  /// Lets the secondary sort the rows and write them.
  void sort_there();

  FirstLoad& load_;
  Target& target_;
  StagedTable& table_;
  const LocatedRelation& relation_;
  std::filesystem::path directory_;
  bool sealed_;                       // the seal can be made from what is sent
  std::shared_ptr<SortedRows> rows_;  // shared with the work that lays them down
  std::string order_;
  std::unique_ptr<Loader> loader_;  // where the secondary sorts
  std::vector<Cell> cells_;
  std::vector<Cell> key_;
  std::vector<std::string> scratch_;
  LockedSipKey base_key_;
  std::string sum_bytes_;
  Seal seal_;
  std::int64_t left_out_ = 0;
};

}  // namespace abgleich::db
