// The first load: rows are collected as they come from the primary, then laid down in the order of
// their keys, with their base, in bare tables, while the next table is read; keys and foreign keys
// are made afterwards. The order of the primary tells who came when, or the alphabet, and is
// nobody's affair in the secondary: it is given no row before all of a table are sorted. Where what
// it stores may be something else than what it is sent, or rows are left out with others, it sorts
// itself, in a temporary table.
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
  /// Whether one may go into all of these tables: the engine bares tables, all of them and their
  /// bases are empty, and there are no triggers. REQUIRES: they exist.
  [[nodiscard]] static bool possible(Target& target, const std::vector<LocatedRelation>& relations);

  /// Takes the keys and foreign keys off those of the tables that this transaction has made.
  FirstLoad(Target& target, const std::vector<LocatedRelation>& relations);
  FirstLoad(const FirstLoad&) = delete;
  FirstLoad& operator=(const FirstLoad&) = delete;
  ~FirstLoad();  // waits for what is being sent

  /// Puts them on again when the rows are there. False where the rows break them, or where a row
  /// that is held back has the key of one that was loaded: then, as where a FirstLoadTable says
  /// false, `abandon` makes everything as it was.
  [[nodiscard]] bool end();
  /// Forgets the prepared tables as well: nothing may refer to one any more. Nothing can be loaded
  /// afterwards.
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
  Bared bared_;                       // what ends it
  std::set<std::int64_t> here_;       // relations that are sorted here
  std::vector<StagedTable*> tables_;  // that rows were loaded into
  std::vector<Filled> filled_;
  std::atomic<bool> abandoned_ = false;
  std::string rows_not_kept_;
};

/// Takes rows into a table and its base, where they end up in the order of their keys. The loads of
/// a table come one after the other.
class FirstLoadTable {
 public:
  /// Rows that do not fit into memory wait in `directory`, encrypted. Everything outlives it.
  FirstLoadTable(FirstLoad& load, StagedTable& table, std::filesystem::path directory);
  void add(const Row& row, std::string_view cells);
  /// Runs `load`, which adds all rows. They may still be on their way when this returns. False
  /// where the secondary refused a row, of this table or of one before: then nothing more is
  /// possible in this transaction but `FirstLoad::abandon`.
  bool try_all(const std::function<void()>& load);
  /// Rows that were left out since they belong to one that is held back for being rare.
  [[nodiscard]] std::int64_t left_out() const { return left_out_; }

 private:
  void begin();
  void leave_out_rare();
  /// In the order of their keys, while the caller does something else.
  void lay_down();
  /// The same by the secondary.
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
