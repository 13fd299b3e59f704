// The merge against a deliberately naive oracle. The oracle works on plain values and on what the
// three sides hold afterwards, straight from the merge table of lib/README.md; it shares no code
// with lib/merge and knows neither digests nor decisions.
#include "merge/merge.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace abgleich;

// ---- the oracle ------------------------------------------------------------------------------

using Values = std::vector<int>;
using Side = std::optional<Values>;

struct Table {
  std::string owners;                // a letter a column: 'b', 'p', 's'
  std::vector<std::set<int>> units;  // every column is in exactly one
  std::string on_delete;             // "delete", "keep", "erase"
};

struct World {
  Side base, primary, secondary;

  bool operator==(const World&) const = default;
};

struct Outcome {
  Side base, secondary;     // afterwards
  std::set<int> conflicts;  // columns
  bool row_conflict = false;
  std::string fate;
};

Values only(const Values& row, const std::set<int>& columns) {
  Values result;
  for (const int column : columns) {
    result.push_back(row[static_cast<std::size_t>(column)]);
  }
  return result;
}

void copy(const Values& from, const std::set<int>& columns, Values& to) {
  for (const int column : columns) {
    to[static_cast<std::size_t>(column)] = from[static_cast<std::size_t>(column)];
  }
}

std::set<int> owned_by(const Table& table, const std::string& letters) {
  std::set<int> columns;
  for (std::size_t i = 0; i < table.owners.size(); ++i) {
    if (letters.find(table.owners[i]) != std::string::npos) {
      columns.insert(static_cast<int>(i));
    }
  }
  return columns;
}

/// Three times a row: what the words "P updated", "S updated" and "to the same" mean.
std::string fate_of_rows(const Values& base, const Values& primary, const Values& secondary) {
  static const std::map<std::array<bool, 3>, std::string> kFateOf{
      // P = base, S = base, P = S
      {{true, true, true}, "unchanged"},         {{true, false, false}, "secondary_updated"},
      {{false, true, false}, "primary_updated"}, {{false, false, true}, "updated_alike"},
      {{false, false, false}, "both_updated"},
  };
  return kFateOf.at({primary == base, secondary == base, primary == secondary});
}

Outcome all_three(const Table& table, const Values& base, const Values& primary,
                  const Values& secondary) {
  Outcome after;
  Values new_base = base;
  Values new_secondary = secondary;
  for (const auto& unit : table.units) {
    const char owner = table.owners[static_cast<std::size_t>(*unit.begin())];
    const Values was = only(base, unit);
    const Values here = only(primary, unit);
    const Values there = only(secondary, unit);
    if (owner == 's' || here == was) {
      continue;  // set on insert, then left alone; or the primary did nothing
    }
    if (there == was || here == there || owner == 'p') {
      copy(primary, unit, new_secondary);
      copy(primary, unit, new_base);
    } else {
      after.conflicts.insert(unit.begin(), unit.end());
    }
  }
  Values primary_that_counts = primary;
  copy(base, owned_by(table, "s"), primary_that_counts);
  after.fate = fate_of_rows(base, primary_that_counts, secondary);
  after.base = new_base;
  after.secondary = new_secondary;
  return after;
}

Outcome deleted_in_secondary(const Table& table, const Values& base, const Values& primary) {
  const std::set<int> counting = owned_by(table, "bp");
  Outcome after;
  after.base = base;
  after.row_conflict = only(primary, counting) != only(base, counting);
  after.fate = after.row_conflict ? "updated_and_deleted" : "secondary_deleted";
  return after;
}

Outcome deleted_in_primary(const Table& table, const Values& base, const Values& secondary) {
  const std::set<int> counting = owned_by(table, "bs");
  const bool edited = only(secondary, counting) != only(base, counting);
  Outcome after;
  after.fate = edited ? "deleted_and_updated" : "primary_deleted";
  if (table.on_delete == "keep") {
    after.secondary = secondary;
  } else if (table.on_delete == "delete" && edited) {
    after.base = base;
    after.secondary = secondary;
    after.row_conflict = true;
  }
  return after;
}

Outcome inserted_in_both(const Table& table, const Values& primary, const Values& secondary) {
  const std::set<int> shared = owned_by(table, "b");
  Outcome after;
  after.fate = primary == secondary ? "inserted_alike" : "both_inserted";
  after.secondary = secondary;
  if (only(primary, shared) != only(secondary, shared)) {
    after.row_conflict = true;
    return after;
  }
  copy(primary, owned_by(table, "p"), *after.secondary);
  after.base = primary;
  return after;
}

Outcome oracle(const Table& table, const World& world) {
  const auto& [base, primary, secondary] = world;
  const std::string present =
      std::string{base ? "B" : "."} + (primary ? "P" : ".") + (secondary ? "S" : ".");
  if (present == "BPS") {
    return all_three(table, *base, *primary, *secondary);
  }
  if (present == "BP.") {
    return deleted_in_secondary(table, *base, *primary);
  }
  if (present == "B.S") {
    return deleted_in_primary(table, *base, *secondary);
  }
  if (present == ".PS") {
    return inserted_in_both(table, *primary, *secondary);
  }
  Outcome after;
  if (present == "B..") {
    after.fate = "both_deleted";
  } else if (present == ".P.") {
    after.fate = "primary_inserted";
    after.base = primary;
    after.secondary = primary;
  } else {
    after.fate = "secondary_only";
    after.secondary = secondary;
  }
  return after;
}

// ---- the merge, applied to the same worlds ---------------------------------------------------

constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
constexpr int kNoValue = 10;  // more than any universe has

Digest digest_of(int value) {
  return Digest{kOdd * static_cast<std::uint64_t>(value + 1)};
}

merge::Rules rules_of(const Table& table) {
  merge::Rules rules;
  for (const char owner : table.owners) {
    rules.cells.push_back({owner == 'b'   ? merge::Owner::both
                           : owner == 'p' ? merge::Owner::primary
                                          : merge::Owner::secondary,
                           -1});
  }
  int group = 0;
  for (const auto& unit : table.units) {
    if (unit.size() > 1) {
      for (const int column : unit) {
        rules.cells[static_cast<std::size_t>(column)].group = group;
      }
      ++group;
    }
  }
  rules.on_delete = table.on_delete == "delete" ? merge::OnDelete::remove
                    : table.on_delete == "keep" ? merge::OnDelete::keep
                                                : merge::OnDelete::erase;
  return rules;
}

merge::Decision& decide(const merge::Rules& rules, const World& world, merge::Decision& decision) {
  thread_local merge::Three<std::vector<Digest>> digests;
  const auto cells = [](const Side& side, std::vector<Digest>& of_side) -> merge::Cells {
    if (!side) {
      return std::nullopt;
    }
    of_side.clear();
    for (const int value : *side) {
      of_side.push_back(digest_of(value));
    }
    return of_side;
  };
  merge::merge_row(rules,
                   {cells(world.base, digests.base), cells(world.primary, digests.primary),
                    cells(world.secondary, digests.secondary)},
                   decision);
  return decision;
}

/// The values behind a base.
Side values_of(const std::vector<Digest>& digests) {
  Values values;
  for (const Digest& digest : digests) {
    int value = 0;
    while (value < kNoValue && digest_of(value) != digest) {
      ++value;
    }
    values.push_back(value);
  }
  return values;
}

/// What `sync` does with a decision.
World apply(const merge::Decision& decision, World world) {
  using merge::CellAction;
  using merge::RowAction;
  switch (decision.action) {
    case RowAction::insert:
      world.secondary = world.primary;
      break;
    case RowAction::update:
      for (std::size_t i = 0; i < decision.cells.size(); ++i) {
        if (decision.cells[i] == CellAction::take || decision.cells[i] == CellAction::override_) {
          (*world.secondary)[i] = (*world.primary)[i];
        }
      }
      break;
    case RowAction::remove:
      world.secondary.reset();
      world.base.reset();
      break;
    case RowAction::forget:
      world.base.reset();
      break;
    case RowAction::agree:
    case RowAction::nothing:
    case RowAction::conflict:
      break;
  }
  if (!decision.base.empty()) {
    world.base = values_of(decision.base);
  }
  return world;
}

/// What the decision must say, from what the world was and what the oracle says it becomes.
bool agrees(const World& before, const Outcome& after, const merge::Decision& decision) {
  using merge::CellAction;
  using merge::RowAction;
  const World applied = apply(decision, before);
  if (applied.secondary != after.secondary || applied.base != after.base ||
      merge::name_of(decision.happened) != after.fate ||
      decision.conflict != (after.row_conflict || !after.conflicts.empty())) {
    return false;
  }
  RowAction action = RowAction::nothing;
  if (after.row_conflict) {
    action = RowAction::conflict;
  } else if (before.secondary && !after.secondary) {
    action = RowAction::remove;
  } else if (!before.secondary && after.secondary) {
    action = RowAction::insert;
  } else if (before.secondary != after.secondary) {
    action = RowAction::update;
  } else if (before.base && !after.base) {
    action = RowAction::forget;
  } else if (before.base != after.base) {
    action = RowAction::agree;
  }
  if (decision.action != action) {
    return false;
  }
  if (decision.base.empty() == (after.base.has_value() && after.base != before.base)) {
    return false;
  }
  const bool with_cells =
      action == RowAction::update || action == RowAction::agree || action == RowAction::nothing;
  if (!with_cells) {
    return decision.cells.empty();
  }
  const Values& any = before.secondary ? *before.secondary : *before.base;
  if (decision.cells.size() != any.size()) {
    return false;
  }
  for (std::size_t i = 0; i < any.size(); ++i) {
    CellAction cell = CellAction::keep;
    if (after.conflicts.count(static_cast<int>(i)) > 0) {
      cell = CellAction::conflict;
    } else if (after.secondary && (*after.secondary)[i] != any[i]) {
      const bool edited = !before.base || (*before.base)[i] != any[i];
      cell = edited ? CellAction::override_ : CellAction::take;
    } else if (after.base && !before.base) {
      cell = (*after.base)[i] == any[i] ? CellAction::converge : CellAction::keep;
    } else if (after.base && (*after.base)[i] != (*before.base)[i]) {
      cell = CellAction::converge;
    }
    if (decision.cells[i] != cell) {
      return false;
    }
  }
  return true;
}

// ---- universes -------------------------------------------------------------------------------

std::vector<Side> all_sides(int columns, int values) {
  std::vector<Side> sides{std::nullopt};
  int count = 1;
  for (int i = 0; i < columns; ++i) {
    count *= values;
  }
  for (int number = 0; number < count; ++number) {
    Values row;
    for (int i = 0, rest = number; i < columns; ++i, rest /= values) {
      row.push_back(rest % values);
    }
    sides.emplace_back(row);
  }
  return sides;
}

std::vector<Table> all_tables(int columns) {
  std::vector<Table> tables;
  int owners = 1;
  for (int i = 0; i < columns; ++i) {
    owners *= 3;
  }
  for (int number = 0; number < owners; ++number) {
    std::string letters;
    for (int i = 0, rest = number; i < columns; ++i, rest /= 3) {
      letters += std::string{"bps"}[static_cast<std::size_t>(rest % 3)];
    }
    std::vector<std::vector<std::set<int>>> layouts;
    std::vector<std::set<int>> alone;
    for (int i = 0; i < columns; ++i) {
      alone.push_back({i});
    }
    layouts.push_back(alone);
    if (columns > 1 && letters[0] == letters[1]) {  // the contract refuses a group of two owners
      std::vector<std::set<int>> together{{0, 1}};
      together.insert(together.end(), alone.begin() + 2, alone.end());
      layouts.push_back(together);
    }
    for (const auto& units : layouts) {
      for (const char* on_delete : {"delete", "keep", "erase"}) {
        tables.push_back({letters, units, on_delete});
      }
    }
  }
  return tables;
}

std::string words(const Side& side) {
  if (!side) {
    return "absent";
  }
  std::string text;
  for (const int value : *side) {
    text += std::to_string(value);
  }
  return text;
}

std::string words(const Table& table, const World& world) {
  std::string text = "owners " + table.owners + ", on_delete " + table.on_delete;
  for (const auto& unit : table.units) {
    text += unit.size() > 1 ? ", a group" : "";
  }
  return text + ": base " + words(world.base) + ", primary " + words(world.primary) +
         ", secondary " + words(world.secondary);
}

/// Seeded random worlds: wider rows, several groups, all owners.
class Worlds {
 public:
  explicit Worlds(std::uint32_t seed) : random_(seed) {}

  Table table(const std::string& letters) {
    Table result;
    const int columns = 1 + pick(7);
    for (int i = 0; i < columns;) {
      const int size = std::min(columns - i, pick(3) == 0 ? 1 + pick(3) : 1);
      const char owner = letters[static_cast<std::size_t>(pick(static_cast<int>(letters.size())))];
      std::set<int> unit;
      for (int end = i + size; i < end; ++i) {
        unit.insert(i);
        result.owners += owner;
      }
      result.units.push_back(unit);
    }
    result.on_delete = std::array{"delete", "keep", "erase"}[static_cast<std::size_t>(pick(3))];
    return result;
  }

  World world(const Table& table) {
    World result;
    do {
      result.base = side(table, std::nullopt);
      result.primary = side(table, result.base);
      result.secondary = side(table, pick(4) == 0 ? result.primary : result.base);
    } while (!result.base && !result.primary && !result.secondary);
    return result;
  }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<std::uint32_t>(below)); }

  Side side(const Table& table, const Side& like) {
    if (pick(8) == 0) {
      return std::nullopt;
    }
    Values row;
    for (std::size_t i = 0; i < table.owners.size(); ++i) {
      row.push_back(like && pick(3) > 0 ? (*like)[i] : pick(3));
    }
    return row;
  }

  std::mt19937 random_;
};

constexpr int kSeededCases = 20'000;

}  // namespace

TEST_CASE("every row of up to three cells merges as the oracle says") {
  std::size_t cases = 0;
  std::size_t wrong = 0;
  std::string first_wrong;
  std::set<std::string> fates;
  merge::Decision decision;
  for (int columns = 1; columns <= 3; ++columns) {
    const std::vector<Side> sides = all_sides(columns, 3);
    for (const Table& table : all_tables(columns)) {
      const merge::Rules rules = rules_of(table);
      for (const Side& base : sides) {
        for (const Side& primary : sides) {
          for (const Side& secondary : sides) {
            if (!base && !primary && !secondary) {
              continue;
            }
            const World world{base, primary, secondary};
            const Outcome expected = oracle(table, world);
            ++cases;
            fates.insert(expected.fate);
            if (!agrees(world, expected, decide(rules, world, decision))) {
              first_wrong = wrong++ == 0 ? words(table, world) : first_wrong;
            }
          }
        }
      }
    }
  }
  CAPTURE(first_wrong);
  CHECK(wrong == 0);
  CHECK(fates.size() == merge::kCases);
  CHECK(cases > 2'000'000);
}

TEST_CASE("wide rows with several groups merge as the oracle says") {
  Worlds worlds{20240229};
  merge::Decision decision;
  for (int i = 0; i < kSeededCases; ++i) {
    const Table table = worlds.table("bps");
    const World world = worlds.world(table);
    if (!agrees(world, oracle(table, world), decide(rules_of(table), world, decision))) {
      FAIL_CHECK(words(table, world));
    }
  }
}

TEST_CASE("classify agrees with the oracle for every combination of three values") {
  const Table table{"b", {{0}}, "delete"};
  const std::vector<Side> sides = all_sides(1, 4);
  std::set<std::string> seen;
  for (const Side& base : sides) {
    for (const Side& primary : sides) {
      for (const Side& secondary : sides) {
        if (!base && !primary && !secondary) {
          continue;
        }
        const auto digest = [](const Side& side) -> std::optional<Digest> {
          return side ? std::optional{digest_of(side->front())} : std::nullopt;
        };
        const World world{base, primary, secondary};
        const std::string expected = oracle(table, world).fate;
        CAPTURE(words(table, world));
        CHECK(merge::name_of(merge::classify({digest(base), digest(primary), digest(secondary)})) ==
              expected);
        seen.insert(expected);
      }
    }
  }
  CHECK(seen.size() == merge::kCases);
}

TEST_CASE("merging again changes nothing and finds the same conflicts") {
  Worlds worlds{1};
  merge::Decision first;
  merge::Decision second;
  for (int i = 0; i < kSeededCases; ++i) {
    const Table table = worlds.table("bps");
    const merge::Rules rules = rules_of(table);
    const World before = worlds.world(table);
    const World after = apply(decide(rules, before, first), before);
    if (!after.base && !after.primary && !after.secondary) {
      continue;
    }
    decide(rules, after, second);
    CAPTURE(words(table, before));
    const bool still =
        second.action == merge::RowAction::nothing || second.action == merge::RowAction::conflict;
    if (!still || apply(second, after) != after || !second.base.empty() ||
        second.conflict != first.conflict) {
      FAIL_CHECK("not settled after one merge");
      continue;
    }
    for (std::size_t cell = 0; cell < second.cells.size(); ++cell) {
      const bool conflicted = second.cells[cell] == merge::CellAction::conflict;
      const bool conflicted_before =
          !first.cells.empty() && first.cells[cell] == merge::CellAction::conflict;
      if (conflicted != conflicted_before ||
          (!conflicted && second.cells[cell] != merge::CellAction::keep)) {
        FAIL_CHECK("another conflict at the second merge");
      }
    }
  }
}

TEST_CASE("with owner both it does not matter which side is called the primary") {
  Worlds worlds{2};
  merge::Decision decision;
  merge::Decision flipped;
  int compared = 0;
  for (int i = 0; i < kSeededCases; ++i) {
    const Table table = worlds.table("b");
    const merge::Rules rules = rules_of(table);
    const World world = worlds.world(table);
    if (!world.base || !world.primary || !world.secondary) {
      continue;
    }
    ++compared;
    const World other{world.base, world.secondary, world.primary};
    const World one = apply(decide(rules, world, decision), world);
    const World two = apply(decide(rules, other, flipped), other);
    CAPTURE(words(table, world));
    for (std::size_t cell = 0; cell < decision.cells.size(); ++cell) {
      const bool conflicted = decision.cells[cell] == merge::CellAction::conflict;
      if (conflicted != (flipped.cells[cell] == merge::CellAction::conflict) ||
          (!conflicted && (*one.secondary)[cell] != (*two.secondary)[cell])) {
        FAIL_CHECK("the sides are not treated alike");
      }
    }
  }
  CHECK(compared > 10'000);
}

TEST_CASE("a conflict never changes the secondary nor the base") {
  Worlds worlds{3};
  merge::Decision decision;
  int conflicts = 0;
  for (int i = 0; i < kSeededCases; ++i) {
    const Table table = worlds.table("bps");
    const World before = worlds.world(table);
    const World after = apply(decide(rules_of(table), before, decision), before);
    if (!decision.conflict) {
      continue;
    }
    ++conflicts;
    CAPTURE(words(table, before));
    if (decision.action == merge::RowAction::conflict && after != before) {
      FAIL_CHECK("a conflict of a row changed something");
    }
    for (std::size_t cell = 0; cell < decision.cells.size(); ++cell) {
      if (decision.cells[cell] == merge::CellAction::conflict &&
          ((*after.secondary)[cell] != (*before.secondary)[cell] ||
           (*after.base)[cell] != (*before.base)[cell])) {
        FAIL_CHECK("a conflict of a cell changed something");
      }
    }
  }
  CHECK(conflicts > 1'000);
}

TEST_CASE("no value that people entered disappears but by a rule of the contract") {
  Worlds worlds{4};
  merge::Decision decision;
  for (int i = 0; i < kSeededCases; ++i) {
    const Table table = worlds.table("bps");
    const World before = worlds.world(table);
    const World after = apply(decide(rules_of(table), before, decision), before);
    if (!before.secondary) {
      continue;
    }
    CAPTURE(words(table, before));
    for (std::size_t cell = 0; cell < table.owners.size(); ++cell) {
      const bool edited = !before.base || (*before.base)[cell] != (*before.secondary)[cell];
      const bool erased = !after.secondary && table.on_delete == "erase";
      if (edited && table.owners[cell] != 'p' && !erased &&
          (!after.secondary || (*after.secondary)[cell] != (*before.secondary)[cell])) {
        // In a group that goes with the primary's value all cells were the base's.
        FAIL_CHECK("an edit was lost");
      }
    }
  }
}
