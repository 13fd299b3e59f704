#include "drift/retype.hpp"

#include "drift/vendor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string_view>
#include <utility>

using namespace abgleich;
using namespace abgleich::drift;
using tests::type_of;

namespace {

using Change = std::pair<std::string_view, std::string_view>;

Type enumeration(std::vector<std::string> labels) {
  Type type = type_of("status");
  type.labels = std::move(labels);
  return type;
}

}  // namespace

TEST_CASE("a type that holds more than before is widened") {
  constexpr std::array kWidened{
      Change{"character varying(64)", "character varying(255)"},
      Change{"character varying(64)", "character varying"},
      Change{"character varying(64)", "text"},
      Change{"smallint", "integer"},
      Change{"smallint", "bigint"},
      Change{"integer", "bigint"},
      Change{"numeric(8,2)", "numeric(12,2)"},
      Change{"numeric(8,2)", "numeric"},
      Change{"timestamp(3) without time zone", "timestamp without time zone"},
      Change{"time(0) without time zone", "time(3) without time zone"},
  };
  for (const auto& [was, now] : kWidened) {
    CAPTURE(was);
    CAPTURE(now);
    CHECK(compare_types(type_of(was), type_of(now)) == Retype::widened);
    CHECK(compare_types(type_of(now), type_of(was)) == Retype::changed);
  }
}

TEST_CASE("another spelling of a type is the same type") {
  constexpr std::array kSame{
      Change{"text", "text"},
      Change{"text", "character varying"},
      Change{"numeric(8,2)", "numeric(8,2)"},
      Change{"timestamp without time zone", "timestamp(6) without time zone"},
      Change{"character(3)", "character(3)"},
      Change{"inet", "inet"},
  };
  for (const auto& [was, now] : kSame) {
    CAPTURE(was);
    CAPTURE(now);
    CHECK(compare_types(type_of(was), type_of(now)) == Retype::none);
    CHECK(compare_types(type_of(now), type_of(was)) == Retype::none);
  }
}

TEST_CASE("a type in which a value may read otherwise is changed, in both directions") {
  constexpr std::array kChanged{
      Change{"integer", "text"},
      Change{"integer", "numeric(10,0)"},
      Change{"integer", "real"},
      Change{"real", "double precision"},
      Change{"numeric(8,2)", "numeric(12,4)"},
      Change{"character(3)", "character(4)"},
      Change{"character(3)", "text"},
      Change{"text", "json"},
      Change{"json", "jsonb"},
      Change{"inet", "cidr"},
      Change{"date", "timestamp without time zone"},
      Change{"timestamp without time zone", "timestamp with time zone"},
      Change{"time without time zone", "time with time zone"},
      Change{"character varying(36)", "uuid"},
      Change{"boolean", "integer"},
  };
  for (const auto& [was, now] : kChanged) {
    CAPTURE(was);
    CAPTURE(now);
    CHECK(compare_types(type_of(was), type_of(now)) == Retype::changed);
    CHECK(compare_types(type_of(now), type_of(was)) == Retype::changed);
  }
}

TEST_CASE("an enumeration may gain labels, anywhere in its order") {
  const Type was = enumeration({"A", "B"});
  const Type now = enumeration({"N", "B", "A", "Z"});
  CHECK(compare_types(was, now) == Retype::none);
  CHECK(new_labels(was, now) == std::vector<std::string>{"N", "Z"});
  CHECK(compare_types(was, was) == Retype::none);
  CHECK(new_labels(was, was).empty());
}

TEST_CASE("a label that is gone or renamed changes values, and so does losing the enumeration") {
  const Type was = enumeration({"A", "B"});
  CHECK(compare_types(was, enumeration({"A"})) == Retype::changed);
  CHECK(compare_types(was, enumeration({"A", "b", "C"})) == Retype::changed);
  CHECK(new_labels(was, enumeration({"A", "b", "C"})).empty());
  CHECK(compare_types(was, type_of("text")) == Retype::changed);
  CHECK(compare_types(type_of("text"), was) == Retype::changed);
}

TEST_CASE("types of different engines are compared by what they can hold") {
  Type sqlite = type_of("bigint");
  sqlite.engine = Engine::sqlite;
  sqlite.native = "INTEGER";
  CHECK(compare_types(type_of("bigint"), sqlite) == Retype::none);
  CHECK(compare_types(type_of("integer"), sqlite) == Retype::widened);
}

TEST_CASE("a type is called what the engine calls it") {
  CHECK(type_text(type_of("character varying(64)")) == "character varying(64)");
  Type dynamic;
  dynamic.family = Family::dynamic;
  CHECK(type_text(dynamic) == "dynamic");
}
