// What the primary has of one relation, in temporary tables of the secondary (clauses.hpp), and its
// rows paired with those of base and data.
#pragma once

#include "core/value.hpp"
#include "db/engine/clauses.hpp"
#include "db/engine/connection.hpp"
#include "db/secondary/located_relation.hpp"
#include "db/secondary/stage_statements.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Target;

/// One row as primary, base and secondary have it. `primary_digests` and `base_digests` are packed
/// digests; absent where that side does not have the row. The rows are reused between calls.
struct Pair {
  Row primary;  // where absent: only the key's cells are set
  std::optional<std::string> primary_digests;
  std::optional<std::string> base_digests;
  Row secondary;
  bool in_secondary = false;
};

/// A row that is held back for being rare, and whether base and secondary still have it.
struct RareRow {
  Row key;  // only the key's cells are set
  bool in_base = false;
  bool in_secondary = false;
};

/// Given out by `Target::prepare`, which says how long it lives. The temporary tables are made when
/// the first row is staged, or when a function needs them: a table in which nothing changes costs
/// the secondary nothing.
class StagedTable {
 public:
  StagedTable(Target& target, const LocatedRelation& relation);
  StagedTable(const StagedTable&) = delete;
  StagedTable& operator=(const StagedTable&) = delete;
  ~StagedTable() = default;

  [[nodiscard]] Target& target() const { return target_; }
  [[nodiscard]] const LocatedRelation& relation() const { return relation_; }
  [[nodiscard]] const Names& names() const { return names_; }

  /// Makes the temporary tables at once, unless they are there.
  void make();
  /// Whether they are there; where not, nothing was staged or planned.
  [[nodiscard]] bool is_made() const { return made_; }

  // What the stage holds back, once it is finished -----------------------------------------------

  /// Gives the keys that the stage has more than once, and holds all of their rows back.
  void hold_duplicates(const std::function<void(const Row&)>& on_key);
  /// Gives the keys of rows of the stage that are rows of other pairings (Relation::shared_bases),
  /// with the name of that pairing's bookkeeping, and holds these rows back. Returns how many.
  using OnTaken = std::function<void(const Row& key, const std::string& books)>;
  std::int64_t hold_taken(const OnTaken& on_taken);
  /// Holds back rows of the stage that refer, by a foreign key, to rows of other tables that are
  /// held back for being rare. Returns how many. REQUIRES: the parents are staged.
  std::int64_t hold_with_rare();
  /// Whether rows are held back for being rare.
  [[nodiscard]] bool has_rare() const { return rare_; }
  void note_rare() { rare_ = true; }
  /// The foreign keys by which rows of this relation refer to such rows of others.
  [[nodiscard]] std::vector<Belonging> belongings() const;
  void rare_rows(const std::function<void(const RareRow&)>& on_row);

  // Pairs ----------------------------------------------------------------------------------------

  // `staged_pairs`, `missing_pairs`, `held_back_pairs` and `secondary_only` together give every row
  // that primary, base or secondary has, once.

  using OnPair = std::function<void(Pair&)>;
  /// Rows whose primary side is not as the base has it.
  void changed_pairs(const OnPair& on_pair);
  /// Every row of the primary that is not held back.
  void staged_pairs(const OnPair& on_pair);
  /// Rows of the base that the primary no longer has.
  void missing_pairs(const OnPair& on_pair);
  /// Rows of the base that were named as gone, and that the stage does not have.
  void gone_pairs(const OnPair& on_pair);
  /// Rows of the base that the primary has, but that are held back.
  void held_back_pairs(HeldBack which, const OnPair& on_pair);
  /// Rows that only the secondary has.
  void secondary_only(const OnPair& on_pair);

  // What a run leaves open, after its writes -----------------------------------------------------

  /// `staged` and `base` are packed digests, empty where the row is held back or the base does not
  /// have it.
  using OnOpen = std::function<void(const Row& key, std::string_view mark, std::string_view staged,
                                    std::string_view base)>;
  enum class OpenRows : std::uint8_t { held_back, all };
  void open_rows(OpenRows which, const OnOpen& on_open);
  /// Rows that the base still has although the primary does not. `named`: those that were named as
  /// gone. `unstaged`: all, where the primary was staged whole; the mark is then empty.
  enum class AbsentRows : std::uint8_t { named, unstaged };
  void absent_rows(AbsentRows which,
                   const std::function<void(const Row& key, std::string_view mark)>& on_row);
  /// Marks of staged rows that the base does not have.
  void new_marks(const std::function<void(std::string_view)>& on_mark);
  /// Whether the base has staged rows that were not named as gone: then two rows of the primary
  /// have one key.
  [[nodiscard]] bool doubtful();

  /// Writes the whole stage into an empty table and its base, without a plan. Returns the number of
  /// rows, or nothing where a constraint refused one (then nothing was written).
  std::optional<std::int64_t> fill_empty_table();

 private:
  void read_pairs(const std::string& sql, const OnPair& on_pair);

  Target& target_;
  LocatedRelation relation_;
  Names names_;
  bool made_ = false;
  bool rare_ = false;
};

/// Takes the primary's rows into a stage: with their digests, or held back, where only their
/// key is staged.
class StageWriter {
 public:
  /// `refused` gets the ordinal of rows that the secondary's types would not take.
  StageWriter(StagedTable& table, Loader::Refused refused);
  /// `cells`: the row's digests, packed. `mark`: its fingerprints and place, packed.
  void add(const Row& row, std::string_view cells, std::string_view mark = {});
  void hold(const Row& key_cells, std::string_view mark = {});
  /// Sends what is buffered: `refused` is not called afterwards for a row that was added before.
  void flush();
  /// After the last row of the table: makes the stage ready to be paired.
  void finish();

 private:
  Loader& loader();

  StagedTable& table_;
  Loader::Refused refused_;
  std::unique_ptr<Loader> loader_;  // from the first row on
  std::vector<Cell> cells_;
  std::vector<std::string> scratch_;
};

/// Takes keys of rows that the primary may no longer have, where it was not read whole. Keys that
/// the stage has as well do no harm.
class GoneWriter {
 public:
  explicit GoneWriter(StagedTable& table) : table_(table) {}
  void add(const Row& key_cells, std::string_view mark);
  void finish();

 private:
  StagedTable& table_;
  std::unique_ptr<Loader> loader_;
  std::vector<Cell> cells_;
  std::vector<std::string> scratch_;
};

}  // namespace abgleich::db
