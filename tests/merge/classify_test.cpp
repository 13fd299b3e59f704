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
  constexpr std::array<std::pair<std::string_view, Fate>, kFates> patterns{{
      {"aaa", Fate::unchanged},
      {"aab", Fate::secondary_updated},
      {"aa-", Fate::secondary_deleted},
      {"aba", Fate::primary_updated},
      {"abb", Fate::updated_alike},
      {"abc", Fate::both_updated},
      {"ab-", Fate::updated_and_deleted},
      {"a-a", Fate::primary_deleted},
      {"a-b", Fate::deleted_and_updated},
      {"a--", Fate::both_deleted},
      {"-a-", Fate::primary_inserted},
      {"--a", Fate::secondary_only},
      {"-aa", Fate::inserted_alike},
      {"-ab", Fate::both_inserted},
  }};
  std::set<Fate> seen;
  for (const auto& [pattern, fate] : patterns) {
    CAPTURE(pattern);
    CHECK(classify(sides(pattern)) == fate);
    seen.insert(fate);
  }
  CHECK(seen.size() == kFates);
}

TEST_CASE("every fate has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kFates; ++i) {
    names.insert(name_of(static_cast<Fate>(i)));
  }
  CHECK(names.size() == kFates);
  CHECK(names.count("") == 0);
  CHECK(name_of(Fate::unchanged) == "unchanged");
  CHECK(name_of(Fate::updated_and_deleted) == "updated_and_deleted");
  CHECK(name_of(Fate::both_inserted) == "both_inserted");
}

TEST_CASE("a row that is nowhere is a bug of the caller") {
  CHECK_THROWS_AS(classify(sides("---")), Failure);
}
