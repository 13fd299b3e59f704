#include "contract/limit.hpp"

#include "contract/refusal.hpp"

#include <doctest/doctest.h>

using namespace abgleich;
using namespace abgleich::contract;

namespace {

Limit parse(const std::string& written) {
  const Node root = read_toml("max_deleted = " + written, "f");
  return limit_of(root.members.front());
}

}  // namespace

TEST_CASE("a limit is a share of the rows or a number of them") {
  CHECK(parse("\"5%\"") == Limit{.unit = Limit::Unit::share, .share = 0.05, .rows = 0});
  CHECK(parse("\"0.5%\"") == Limit{.unit = Limit::Unit::share, .share = 0.005, .rows = 0});
  CHECK(parse("\"100%\"").share == 1.0);
  CHECK(parse("\"0%\"").share == 0.0);
  CHECK(parse("100") == Limit{.unit = Limit::Unit::rows, .share = 0, .rows = 100});
  CHECK(parse("0") == Limit{.unit = Limit::Unit::rows, .share = 0, .rows = 0});
}

TEST_CASE("anything else is no limit") {
  for (const std::string bad : {"\"\"",
                                "\"%\"",
                                "\"5 %\"",
                                "\"-5%\"",
                                "\"+5%\"",
                                "\"5%%\"",
                                "\".5%\"",
                                "\"5.%\"",
                                "\"1e1%\"",
                                "\"nan%\"",
                                "\"inf%\"",
                                "\"101%\"",
                                "\"100.0001%\"",
                                "\"5,5%\"",
                                "\"100\"",
                                "\"99999999999999999999\"",
                                "-1",
                                "0.05",
                                "true",
                                "[5]",
                                "2024-01-01"}) {
    CAPTURE(bad);
    const Error error = refusal_of([&] { static_cast<void>(parse(bad)); });
    CHECK(contains(error.message, "f:1:15: 'max_deleted' "));
    CHECK(contains(error.hint, "max_deleted = \""));
  }
}

TEST_CASE("a share allows exactly its share, in spite of binary fractions") {
  CHECK(parse("\"5%\"").allows(5, 100));
  CHECK_FALSE(parse("\"5%\"").allows(6, 100));
  CHECK(parse("\"29%\"").allows(29, 100));
  CHECK_FALSE(parse("\"29%\"").allows(30, 100));
  CHECK(parse("\"0.1%\"").allows(1'000'000, 1'000'000'000));
  CHECK_FALSE(parse("\"0.1%\"").allows(1'000'001, 1'000'000'000));
  CHECK(parse("\"100%\"").allows(7, 7));
  CHECK_FALSE(parse("\"100%\"").allows(1, 0));
  CHECK(parse("\"5%\"").allows(1, 12));
  CHECK_FALSE(parse("\"5%\"").allows(2, 12));
  CHECK_FALSE(parse("\"0%\"").allows(1, 100));
  CHECK(parse("\"0%\"").allows(0, 100));
}

TEST_CASE("a number of rows does not depend on the size of the table") {
  CHECK(parse("3").allows(3, 3));
  CHECK_FALSE(parse("3").allows(4, 1'000'000));
  CHECK_FALSE(parse("0").allows(1, 10));
  CHECK(parse("0").allows(0, 0));
}

TEST_CASE("a limit is shown as it is written") {
  CHECK(parse("\"5%\"").text() == "5%");
  CHECK(parse("\"0.5%\"").text() == "0.5%");
  CHECK(parse("\"7%\"").text() == "7%");
  CHECK(parse("\"100%\"").text() == "100%");
  CHECK(parse("100").text() == "100");
}
