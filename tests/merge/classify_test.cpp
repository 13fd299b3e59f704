#include "core/error.hpp"
#include "merge/merge.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

using namespace abgleich;
using namespace abgleich::merge;

namespace {

/// One letter a side, base, primary and secondary: '-' is absent, letters are values.
Three<std::optional<Digest>> sides(std::string_view letters) {
  const auto side = [&](std::size_t i) -> std::optional<Digest> {
    if (letters[i] == '-') {
      return std::nullopt;
    }
    return Digest{static_cast<std::uint64_t>(letters[i])};
  };
  return {side(0), side(1), side(2)};
}

}  // namespace

TEST_CASE("each of the fourteen patterns of presence and equality has its fate") {
  constexpr std::array<std::pair<std::string_view, Case>, kCases> patterns{{
      {"aaa", Case::unchanged},
      {"aab", Case::secondary_updated},
      {"aa-", Case::secondary_deleted},
      {"aba", Case::primary_updated},
      {"abb", Case::updated_alike},
      {"abc", Case::both_updated},
      {"ab-", Case::updated_and_deleted},
      {"a-a", Case::primary_deleted},
      {"a-b", Case::deleted_and_updated},
      {"a--", Case::both_deleted},
      {"-a-", Case::primary_inserted},
      {"--a", Case::secondary_only},
      {"-aa", Case::inserted_alike},
      {"-ab", Case::both_inserted},
  }};
  std::set<Case> seen;
  for (const auto& [pattern, fate] : patterns) {
    CAPTURE(pattern);
    CHECK(classify(sides(pattern)) == fate);
    seen.insert(fate);
  }
  CHECK(seen.size() == kCases);
}

TEST_CASE("every fate has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCases; ++i) {
    names.insert(name_of(static_cast<Case>(i)));
  }
  CHECK(names.size() == kCases);
  CHECK(names.count("") == 0);
  CHECK(name_of(Case::unchanged) == "unchanged");
  CHECK(name_of(Case::updated_and_deleted) == "updated_and_deleted");
  CHECK(name_of(Case::both_inserted) == "both_inserted");
}

TEST_CASE("a row that is nowhere is a bug of the caller") {
  CHECK_THROWS_AS(classify(sides("---")), Failure);
}
