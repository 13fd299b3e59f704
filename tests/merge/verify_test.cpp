#include "merge/verify.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <set>
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

/// A row of three sides that lives as long as what looks at it.
struct Sides {
  Sides(std::string_view b, std::string_view p, std::string_view s)
      : base(side(b)), primary(side(p)), secondary(side(s)) {}
  /// One letter a side.
  explicit Sides(std::string_view pattern)
      : Sides(pattern.substr(0, 1), pattern.substr(1, 1), pattern.substr(2, 1)) {}
  [[nodiscard]] Three<Cells> three() const {
    return {cells(base), cells(primary), cells(secondary)};
  }

  Side base, primary, secondary;
};

Rules rules(std::initializer_list<Owner> owners, OnDelete on_delete = OnDelete::remove,
            int group = -1) {
  Rules result;
  for (const auto owner : owners) {
    result.cells.push_back({owner, group});
  }
  result.on_delete = on_delete;
  return result;
}

constexpr std::array kPatterns{"aaa", "aab", "aba", "abb", "abc", "aa-", "ab-",
                               "a-a", "a-b", "a--", "-a-", "-aa", "-ab", "--a"};
constexpr std::array kOwners{Owner::both, Owner::primary, Owner::secondary};
constexpr std::array kOnDeletes{OnDelete::remove, OnDelete::keep, OnDelete::erase};

std::string_view stands(std::string_view pattern, Owner owner, OnDelete on_delete,
                        const Evidence& evidence) {
  const auto how = rules({owner}, on_delete);
  Explainer explainer(how);
  return name_of(explainer.explain(Sides(pattern).three(), evidence).row);
}

/// Calls `test` with every combination of pattern, owner and on_delete.
template <class Test>
void for_all(const Test& test) {
  for (const std::string pattern : kPatterns) {
    for (const auto owner : kOwners) {
      for (const auto on_delete : kOnDeletes) {
        CAPTURE(pattern);
        CAPTURE(static_cast<int>(owner));
        CAPTURE(static_cast<int>(on_delete));
        test(pattern, owner, on_delete);
      }
    }
  }
}

}  // namespace

TEST_CASE("each pattern of base, primary and secondary has its class, for every owner and trust") {
  struct Expected {
    std::string_view pattern;
    std::string_view both, primary, secondary;  // by owner, the base being sealed
    std::string_view altered;                   // owner both, the seal broken
  };
  constexpr std::array<Expected, kPatterns.size()> table{{
      {"aaa", "agrees", "agrees", "agrees", "agrees"},
      {"aab", "edited", "owner_primary", "owner_secondary", "edited"},
      {"aba", "pending", "pending", "owner_secondary", "pending"},
      {"abb", "pending", "pending", "agrees", "unexplained"},
      {"abc", "pending", "pending", "owner_secondary", "unexplained"},
      {"aa-", "deleted", "deleted", "deleted", "deleted"},
      {"ab-", "pending", "pending", "deleted", "unexplained"},
      {"a-a", "pending", "pending", "pending", "pending"},
      {"a-b", "pending", "pending", "pending", "unexplained"},
      {"a--", "pending", "pending", "pending", "unexplained"},
      {"-a-", "pending", "pending", "pending", "pending"},
      {"-aa", "pending", "pending", "pending", "unexplained"},
      {"-ab", "pending", "pending", "pending", "unexplained"},
      {"--a", "secondary_only", "secondary_only", "secondary_only", "secondary_only"},
  }};
  for (const auto& row : table) {
    CAPTURE(row.pattern);
    CHECK(stands(row.pattern, Owner::both, OnDelete::remove, {}) == row.both);
    CHECK(stands(row.pattern, Owner::primary, OnDelete::remove, {}) == row.primary);
    CHECK(stands(row.pattern, Owner::secondary, OnDelete::remove, {}) == row.secondary);
    CHECK(stands(row.pattern, Owner::both, OnDelete::remove, {.trust = Trust::altered}) ==
          row.altered);
    // a base that has lost rows may have known a row that now looks new
    CHECK(stands(row.pattern, Owner::both, OnDelete::remove, {.trust = Trust::incomplete}) ==
          (row.pattern == "-a-" ? "unexplained" : row.altered));
  }
}

TEST_CASE("an open conflict explains what the merge has left to a person, and only that") {
  const std::set<std::string> kRows{"ab-", "a-b", "-ab"};
  for_all([&](const std::string& pattern, Owner owner, OnDelete on_delete) {
    const auto row = Sides(pattern);
    const auto how = rules({owner}, on_delete);
    Decision decision;
    merge_row(how, row.three(), decision);
    const auto before = stands(pattern, owner, on_delete, {});
    const auto open =
        stands(pattern, owner, on_delete, {.row_conflict = true, .cell_conflicts = {true}});
    CHECK(open == (decision.conflict ? "conflict" : before));
    CHECK(stands(pattern, owner, on_delete,
                 {.trust = Trust::incomplete, .row_conflict = true, .cell_conflicts = {true}}) ==
          (decision.conflict ? "conflict"
                             : stands(pattern, owner, on_delete, {.trust = Trust::incomplete})));
    if (decision.conflict) {
      CHECK(kRows.contains(pattern) == (decision.action == RowAction::conflict));
    }
  });
}

TEST_CASE(
    "a row that the constraints refuse is in conflict as long as there is something to write") {
  for_all([](const std::string& pattern, Owner owner, OnDelete on_delete) {
    const auto how = rules({owner}, on_delete);
    Decision decision;
    merge_row(how, Sides(pattern).three(), decision);
    const bool writes = decision.action == RowAction::insert ||
                        decision.action == RowAction::update ||
                        decision.action == RowAction::remove || decision.conflict;
    const auto refused = stands(pattern, owner, on_delete, {.refused = true});
    if (writes) {
      CHECK(refused == "conflict");
    } else {
      CHECK(refused == stands(pattern, owner, on_delete, {}));
    }
  });
}

TEST_CASE("of a refused row, cells that both sides have alike are no difference") {
  const auto how = rules({Owner::both, Owner::primary, Owner::both});
  Explainer explainer(how);
  const Sides adopted("-", "aba", "aca");
  CHECK(explainer.explain(adopted.three(), {.refused = true}).cells ==
        std::vector{Standing::agrees, Standing::conflict, Standing::agrees});
  CHECK(explainer.explain(adopted.three(), {.refused = true}).row == Standing::conflict);
  const Sides updated("aaa", "abb", "aab");
  CHECK(explainer.explain(updated.three(), {.refused = true}).cells ==
        std::vector{Standing::agrees, Standing::conflict, Standing::agrees});
}

TEST_CASE("under a sealed base nothing is unexplained, and pending is what the next run would do") {
  for_all([](const std::string& pattern, Owner owner, OnDelete on_delete) {
    Decision decision;
    const auto how = rules({owner}, on_delete);
    const Sides row(pattern);
    merge_row(how, row.three(), decision);
    const auto standing = stands(pattern, owner, on_delete, {});
    CHECK(standing != "unexplained");
    CHECK((standing == "pending") == (decision.action != RowAction::nothing || decision.conflict));
    if (standing == "agrees") {
      CHECK(row.primary == row.secondary);
    }
  });
}

TEST_CASE("a row that is held back stands so, unless its base row cannot even be read") {
  for (const std::string_view pattern : {"a-a", "a-b", "a--", "--a"}) {
    for (const auto trust : {Trust::sealed, Trust::altered, Trust::incomplete}) {
      CAPTURE(pattern);
      CHECK(stands(pattern, Owner::both, OnDelete::remove, {.trust = trust, .held_back = true}) ==
            "quarantined");
      CHECK(stands(pattern, Owner::both, OnDelete::remove,
                   {.trust = trust, .held_back = true, .base_unreadable = true}) == "unexplained");
    }
  }
}

TEST_CASE("an unreadable base row is unexplained on every pattern") {
  for (const std::string_view pattern : {"-aa", "-ab", "-a-", "--a", "---"}) {
    CAPTURE(pattern);
    CHECK(stands(pattern, Owner::both, OnDelete::remove, {.base_unreadable = true}) ==
          "unexplained");
  }
}

TEST_CASE("cells stand for themselves, and the row as its most pressing one") {
  const auto how = rules({Owner::both, Owner::secondary, Owner::both, Owner::both});
  Explainer explainer(how);
  const Sides row("aaaa", "abba", "acca");
  const auto& found =
      explainer.explain(row.three(), {.cell_conflicts = {false, false, true, true}});
  CHECK(found.row == Standing::conflict);
  CHECK(found.cells == std::vector{Standing::agrees, Standing::owner_secondary, Standing::conflict,
                                   Standing::agrees});
  const Sides more("aaaa", "abbb", "acca");
  CHECK(explainer.explain(more.three(), {.cell_conflicts = {false, false, true, false}}).row ==
        Standing::pending);
}

TEST_CASE("a group is in conflict as one, but cells of it that agree are no difference") {
  const auto how = rules({Owner::both, Owner::both, Owner::both}, OnDelete::remove, 0);
  Explainer explainer(how);
  const Sides row("aaa", "baa", "aba");
  const auto& found = explainer.explain(row.three(), {.cell_conflicts = {true, true, true}});
  CHECK(found.row == Standing::conflict);
  CHECK(found.cells == std::vector{Standing::conflict, Standing::conflict, Standing::agrees});
}

TEST_CASE("after a correction nobody's value is lost: the next run is quiet or shows a conflict") {
  for_all([](const std::string& pattern, Owner owner, OnDelete on_delete) {
    for (const bool unreadable : {false, true}) {
      CAPTURE(unreadable);
      const auto how = rules({owner}, on_delete);
      Sides row(pattern);
      const Evidence evidence{.trust = Trust::incomplete, .base_unreadable = unreadable};
      if (unreadable) {
        row.base.reset();
      }
      Explainer explainer(how);
      if (explainer.explain(row.three(), evidence).row != Standing::unexplained) {
        continue;
      }
      const auto base = corrected_base(row.three(), evidence, 1);
      if (!row.primary && !row.secondary) {
        CHECK(base.empty());
        continue;
      }
      REQUIRE(base.size() == 1);
      row.base = base;
      Decision decision;
      merge_row(how, row.three(), decision);
      if (row.primary && row.secondary) {
        if (row.primary == row.secondary) {
          CHECK(decision.happened == Case::unchanged);
        } else if (owner == Owner::both) {
          CHECK(decision.conflict);
        } else {
          // by the contract the one or the other stands, and the journal has what is overridden
          CHECK(decision.cells[0] ==
                (owner == Owner::primary ? CellAction::override_ : CellAction::keep));
        }
      } else if (row.primary) {
        CHECK(decision.action ==
              (owner == Owner::secondary ? RowAction::nothing : RowAction::conflict));
      } else if (owner == Owner::primary || on_delete != OnDelete::remove) {
        CHECK(decision.action != RowAction::conflict);  // the contract decides
      } else {
        CHECK(decision.conflict);
      }
    }
  });
}

TEST_CASE("a corrected base keeps what a digest proves: that one side has not changed") {
  const Sides row("abc", "axd", "bbe");
  const auto base = corrected_base(row.three(), {.trust = Trust::altered}, 3);
  CHECK(base[0] == Digest{'a'});  // the primary's
  CHECK(base[1] == Digest{'b'});  // the secondary's
  CHECK(base[2] != Digest{'c'});  // neither's
  CHECK(base[2] != Digest{'d'});
  CHECK(base[2] != Digest{'e'});
}

TEST_CASE("every class has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kStandings; ++i) {
    names.insert(name_of(static_cast<Standing>(i)));
  }
  CHECK(names.size() == kStandings);
}
