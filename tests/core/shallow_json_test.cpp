#include "core/shallow_json.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace abgleich;

TEST_CASE("what nests deeper than anything of ours is seen before it is parsed") {
  const auto nested = [](int levels, char open, char close) {
    const auto count = static_cast<std::size_t>(levels);
    return std::string(count, open) + std::string(count, close);
  };
  for (const auto& [open, close] : {std::pair('[', ']'), std::pair('{', '}')}) {
    CHECK_FALSE(nests_deeply(nested(kMostNesting, open, close)));
    CHECK(nests_deeply(nested(kMostNesting + 1, open, close)));
    CHECK(nests_deeply(nested(200'000, open, close)));
  }
  std::string wide = "[";
  for (int i = 0; i < 1'000; ++i) {
    wide += "[{}],";
  }
  CHECK_FALSE(nests_deeply(wide + "0]"));
}

TEST_CASE("brackets in texts nest nothing") {
  CHECK_FALSE(nests_deeply("[\"" + std::string(1'000, '[') + "\"]"));
  CHECK_FALSE(nests_deeply("[\"\\\"" + std::string(1'000, '{') + "\"]"));
  CHECK(nests_deeply("\"\\\\\"" + std::string(1'000, '[')));
  CHECK_FALSE(nests_deeply(""));
  CHECK_FALSE(nests_deeply("\"\\"));
}
