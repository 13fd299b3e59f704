#include "merge/merge.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace abgleich;
using namespace abgleich::merge;

namespace {

using Side = std::optional<std::vector<Digest>>;

/// One letter a cell; "-" is an absent row.
Side side(std::string_view letters) {
  if (letters == "-") {
    return std::nullopt;
  }
  std::vector<Digest> digests;
  for (const char letter : letters) {
    digests.push_back(Digest{static_cast<std::uint64_t>(letter)});
  }
  return digests;
}

Cells cells(const Side& row) {
  return row ? Cells{std::span<const Digest>{*row}} : Cells{};
}

std::string text(const std::vector<Digest>& digests) {
  std::string letters;
  for (const Digest& digest : digests) {
    letters += static_cast<char>(digest.bits);
  }
  return letters;
}

/// k keep, t take, c converge, o override, ! conflict.
std::string text(const std::vector<CellAction>& actions) {
  std::string letters;
  for (const CellAction action : actions) {
    letters += std::string_view{"ktco!"}[static_cast<std::size_t>(action)];
  }
  return letters;
}

/// One letter a cell: b both, p primary, s secondary; upper case: in group 0.
Rules rules(std::string_view owners, OnDelete on_delete = OnDelete::remove) {
  Rules result;
  for (const char letter : owners) {
    const char lower = letter < 'a' ? static_cast<char>(letter - 'A' + 'a') : letter;
    result.cells.push_back({lower == 'b'   ? Owner::both
                            : lower == 'p' ? Owner::primary
                                           : Owner::secondary,
                            letter == lower ? -1 : 0});
  }
  result.on_delete = on_delete;
  return result;
}

Decision decide(const Rules& how, std::string_view base, std::string_view primary,
                std::string_view secondary) {
  const Side b = side(base);
  const Side p = side(primary);
  const Side s = side(secondary);
  Decision decision;
  merge_row(how, {cells(b), cells(p), cells(s)}, decision);
  return decision;
}

}  // namespace

TEST_CASE("a row on which nobody worked stays") {
  const Decision decision = decide(rules("bb"), "aa", "aa", "aa");
  CHECK(decision.happened == Case::unchanged);
  CHECK(decision.action == RowAction::nothing);
  CHECK(text(decision.cells) == "kk");
  CHECK(decision.base.empty());
  CHECK_FALSE(decision.conflict);
}

TEST_CASE("a change of the primary is taken, cell by cell") {
  const Decision decision = decide(rules("bbb"), "aaa", "aba", "aaa");
  CHECK(decision.happened == Case::primary_updated);
  CHECK(decision.action == RowAction::update);
  CHECK(text(decision.cells) == "ktk");
  CHECK(text(decision.base) == "aba");
}

TEST_CASE("an edit of the secondary is kept and its base does not move") {
  const Decision decision = decide(rules("bb"), "aa", "aa", "ab");
  CHECK(decision.happened == Case::secondary_updated);
  CHECK(decision.action == RowAction::nothing);
  CHECK(text(decision.cells) == "kk");
  CHECK(decision.base.empty());
}

TEST_CASE("changes on both sides to different cells merge") {
  const Decision decision = decide(rules("bb"), "aa", "ba", "ac");
  CHECK(decision.happened == Case::both_updated);
  CHECK(decision.action == RowAction::update);
  CHECK(text(decision.cells) == "tk");
  CHECK(text(decision.base) == "ba");
  CHECK_FALSE(decision.conflict);
}

TEST_CASE("the same change on both sides converges and only the base advances") {
  const Decision decision = decide(rules("bb"), "aa", "ab", "ab");
  CHECK(decision.happened == Case::updated_alike);
  CHECK(decision.action == RowAction::agree);
  CHECK(text(decision.cells) == "kc");
  CHECK(text(decision.base) == "ab");
}

TEST_CASE("a cell that both changed conflicts, the other cells of the row merge") {
  const Decision decision = decide(rules("bbb"), "aaa", "bba", "caa");
  CHECK(decision.happened == Case::both_updated);
  CHECK(decision.action == RowAction::update);
  CHECK(decision.conflict);
  CHECK(text(decision.cells) == "!tk");
  CHECK(text(decision.base) == "aba");
}

TEST_CASE("a row with nothing but a conflicted cell writes nothing, and again at the next run") {
  const Decision decision = decide(rules("bb"), "aa", "ba", "ca");
  CHECK(decision.action == RowAction::nothing);
  CHECK(decision.conflict);
  CHECK(text(decision.cells) == "!k");
  CHECK(decision.base.empty());
}

TEST_CASE("a conflict closes by itself when both sides come to agree") {
  const Decision decision = decide(rules("bb"), "aa", "ba", "ba");
  CHECK_FALSE(decision.conflict);
  CHECK(decision.action == RowAction::agree);
  CHECK(text(decision.base) == "ba");
}

TEST_CASE("where the primary owns a cell its change wins over an edit") {
  const Decision decision = decide(rules("pb"), "aa", "ba", "ca");
  CHECK(decision.happened == Case::both_updated);
  CHECK(decision.action == RowAction::update);
  CHECK(text(decision.cells) == "ok");
  CHECK(text(decision.base) == "ba");
  CHECK_FALSE(decision.conflict);
}

TEST_CASE("an edit of a cell that the primary owns stays until the primary changes it") {
  const Decision decision = decide(rules("pb"), "aa", "ab", "ca");
  CHECK(decision.action == RowAction::update);
  CHECK(text(decision.cells) == "kt");
  CHECK(text(decision.base) == "ab");
}

TEST_CASE("where the secondary owns a cell the primary's changes are ignored") {
  const Decision decision = decide(rules("sb"), "aa", "ba", "aa");
  CHECK(decision.happened == Case::unchanged);
  CHECK(decision.action == RowAction::nothing);
  CHECK(text(decision.cells) == "kk");
  CHECK(decision.base.empty());

  SUBCASE("even where both changed it to the same") {
    const Decision alike = decide(rules("sb"), "aa", "bb", "ba");
    CHECK(text(alike.cells) == "kt");
    CHECK(text(alike.base) == "ab");
  }
}

TEST_CASE("columns that merge together are taken, kept or in conflict as one") {
  SUBCASE("taken") {
    const Decision decision = decide(rules("BBb"), "aaa", "baa", "aac");
    CHECK(text(decision.cells) == "tkk");
    CHECK(text(decision.base) == "baa");
  }
  SUBCASE("in conflict, though each side changed another cell") {
    const Decision decision = decide(rules("BBb"), "aaa", "bab", "aca");
    CHECK(decision.conflict);
    CHECK(decision.action == RowAction::update);
    CHECK(text(decision.cells) == "!!t");
    CHECK(text(decision.base) == "aab");
  }
  SUBCASE("overridden as a whole where the primary owns them") {
    const Decision decision = decide(rules("PP"), "aa", "ba", "ac");
    CHECK(text(decision.cells) == "to");
    CHECK(text(decision.base) == "ba");
  }
  SUBCASE("converged only where all cells are equal") {
    CHECK(text(decide(rules("BB"), "aa", "bb", "bb").cells) == "cc");
    CHECK(text(decide(rules("BB"), "aa", "bb", "bc").cells) == "!!");
  }
  SUBCASE("with a cell of another unit between them") {
    const Decision decision = decide(rules("BbB"), "aaa", "bba", "aac");
    CHECK(text(decision.cells) == "!t!");
    CHECK(text(decision.base) == "aba");
  }
}

TEST_CASE("what the secondary deleted is never resurrected") {
  SUBCASE("unchanged in the primary: nothing, and the base stands") {
    const Decision decision = decide(rules("b"), "a", "a", "-");
    CHECK(decision.happened == Case::secondary_deleted);
    CHECK(decision.action == RowAction::nothing);
    CHECK(decision.base.empty());
  }
  SUBCASE("updated in the primary: a conflict of the row") {
    const Decision decision = decide(rules("b"), "a", "b", "-");
    CHECK(decision.happened == Case::updated_and_deleted);
    CHECK(decision.action == RowAction::conflict);
    CHECK(decision.conflict);
    CHECK(decision.cells.empty());
    CHECK(decision.base.empty());
  }
  SUBCASE("a change of a cell that the secondary owns is no update") {
    CHECK(decide(rules("sb"), "aa", "ba", "-").happened == Case::secondary_deleted);
    CHECK(decide(rules("pb"), "aa", "ba", "-").happened == Case::updated_and_deleted);
  }
}

TEST_CASE("what the primary deleted goes, stays or conflicts as the contract says") {
  CHECK(decide(rules("b"), "a", "-", "a").action == RowAction::remove);
  CHECK(decide(rules("b", OnDelete::keep), "a", "-", "a").action == RowAction::forget);
  CHECK(decide(rules("b", OnDelete::erase), "a", "-", "a").action == RowAction::remove);

  const Decision edited = decide(rules("b"), "a", "-", "b");
  CHECK(edited.happened == Case::deleted_and_updated);
  CHECK(edited.action == RowAction::conflict);
  CHECK(edited.conflict);
  CHECK(decide(rules("b", OnDelete::keep), "a", "-", "b").action == RowAction::forget);
  const Decision erased = decide(rules("b", OnDelete::erase), "a", "-", "b");
  CHECK(erased.action == RowAction::remove);
  CHECK_FALSE(erased.conflict);
}

TEST_CASE("against a delete only the edits of cells count that the primary does not own") {
  CHECK(decide(rules("pb"), "aa", "-", "ba").action == RowAction::remove);
  CHECK(decide(rules("pb"), "aa", "-", "ab").action == RowAction::conflict);
  CHECK(decide(rules("sb"), "aa", "-", "ba").action == RowAction::conflict);
}

TEST_CASE("a row that both deleted is forgotten") {
  const Decision decision = decide(rules("b"), "a", "-", "-");
  CHECK(decision.happened == Case::both_deleted);
  CHECK(decision.action == RowAction::forget);
}

TEST_CASE("a row of the primary alone is inserted, one of the secondary alone is not touched") {
  const Decision inserted = decide(rules("bps"), "-", "abc", "-");
  CHECK(inserted.happened == Case::primary_inserted);
  CHECK(inserted.action == RowAction::insert);
  CHECK(text(inserted.base) == "abc");

  const Decision foreign = decide(rules("bps"), "-", "-", "abc");
  CHECK(foreign.happened == Case::secondary_only);
  CHECK(foreign.action == RowAction::nothing);
  CHECK(foreign.base.empty());
}

TEST_CASE("a row that both inserted is adopted where equal and conflicts where different") {
  const Decision equal = decide(rules("bps"), "-", "abc", "abc");
  CHECK(equal.happened == Case::inserted_alike);
  CHECK(equal.action == RowAction::agree);
  CHECK(text(equal.base) == "abc");

  const Decision different = decide(rules("bps"), "-", "abc", "xyz");
  CHECK(different.happened == Case::both_inserted);
  CHECK(different.action == RowAction::conflict);
  CHECK(different.conflict);
  CHECK(different.cells.empty());
  CHECK(different.base.empty());
}

TEST_CASE("owners settle a row that both inserted where they own all that differs") {
  const Decision both = decide(rules("bps"), "-", "abc", "ayz");
  CHECK(both.action == RowAction::update);
  CHECK_FALSE(both.conflict);
  CHECK(text(both.cells) == "cok");
  CHECK(text(both.base) == "abc");

  const Decision secondary = decide(rules("bps"), "-", "abc", "abz");
  CHECK(secondary.action == RowAction::agree);
  CHECK(text(secondary.cells) == "cck");
  CHECK(text(secondary.base) == "abc");
}

TEST_CASE("a decision is reused without new memory") {
  const Rules how = rules("bbbb");
  const Side base = side("aaaa");
  const Side primary = side("abaa");
  Decision decision;
  merge_row(how, {cells(base), cells(primary), cells(base)}, decision);
  const auto* actions = decision.cells.data();
  const auto* digests = decision.base.data();
  merge_row(how, {cells(base), cells(base), cells(base)}, decision);
  CHECK(decision.cells.data() == actions);
  CHECK(decision.base.empty());
  CHECK(text(decision.cells) == "kkkk");
  merge_row(how, {cells(base), cells(primary), cells(base)}, decision);
  CHECK(decision.cells.data() == actions);
  CHECK(decision.base.data() == digests);
  CHECK(text(decision.base) == "abaa");
}

TEST_CASE("rows that cannot be are a bug of the caller, not a guess") {
  CHECK_THROWS_AS(decide(rules("bb"), "-", "-", "-"), Failure);
  CHECK_THROWS_AS(decide(rules("bb"), "aa", "a", "aa"), Failure);
  CHECK_THROWS_AS(decide(rules("bb"), "aaa", "aa", "aa"), Failure);
  CHECK_THROWS_AS(decide(rules("bb"), "-", "aa", "aaa"), Failure);
}
