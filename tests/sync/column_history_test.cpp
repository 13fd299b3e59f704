#include "sync/mapping/column_history.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::sync;

namespace {

Remembered column(const std::string& source, const std::string& was = "",
                  const std::string& identity = "") {
  return {.source = source, .was = was, .name = source, .read_as = "text", .identity = identity};
}

CatalogTable live(const std::vector<std::string>& names) {
  CatalogTable table{.name = "person"};
  for (const auto& name : names) {
    table.columns.push_back({.name = name});
  }
  return table;
}

contract::Table contract_of(const std::vector<contract::Column>& columns = {}) {
  return {.name = "person", .columns = columns};
}

/// "label source name state" of every column.
std::string text(const ColumnHistory& layout) {
  std::string out;
  for (const auto& one : layout.columns) {
    out += (out.empty() ? "" : "; ") + one.label + " " + one.source + " " + one.name +
           (one.state == ColumnState::exported ? "" : " " + std::string(name_of(one.state)));
  }
  return out;
}

/// The layout after a run, as the next one finds it.
std::vector<Remembered> kept(const ColumnHistory& layout) {
  return read_column_history({.source = "person", .columns = column_history_text(layout.columns)});
}

}  // namespace

TEST_CASE("layout: a new table's columns are labelled by their names") {
  const auto first =
      next_column_history({}, {column("a"), column("b")}, contract_of(), live({"a", "b"}));
  CHECK(text(first) == "a a a; b b b");
  CHECK_FALSE(first.known[0]);
  CHECK(first.renamed_from(0).empty());
}

TEST_CASE("layout: two columns that swap their names keep their labels, however often") {
  auto before =
      kept(next_column_history({}, {column("a"), column("b")}, contract_of(), live({"a", "b"})));
  const auto swapped = next_column_history(before, {column("a", "b"), column("b", "a")},
                                           contract_of(), live({"a", "b"}));
  CHECK(text(swapped) == "b a a; a b b");
  CHECK(swapped.renamed_from(0) == "b");
  CHECK(swapped.renamed_from(1) == "a");
  const auto again = next_column_history(kept(swapped), {column("a", "b"), column("b", "a")},
                                         contract_of(), live({"a", "b"}));
  CHECK(text(again) == "b a a; a b b");
  CHECK(again.renamed_from(0).empty());
  // the lines lose their `was` when everybody has forgotten why
  const auto plain =
      next_column_history(kept(again), {column("a"), column("b")}, contract_of(), live({"a", "b"}));
  CHECK(text(plain) == "b a a; a b b");
}

TEST_CASE("layout: a column that is gone keeps its values, and makes way for another of its name") {
  auto before =
      kept(next_column_history({}, {column("a"), column("b")}, contract_of(), live({"a", "b"})));
  const auto without = next_column_history(before, {column("a")}, contract_of(), live({"a"}));
  CHECK(text(without) == "a a a; b b b gone");
  const auto other = next_column_history(kept(without), {column("a"), column("b")}, contract_of(),
                                         live({"a", "b"}));
  CHECK(text(other) == "a a a; b#2 b b; b b b_gone gone");
  CHECK(other.renamed_from(2) == "b");
  const auto third = next_column_history(
      kept(next_column_history(kept(other), {column("a")}, contract_of(), live({"a"}))),
      {column("a"), column("b")}, contract_of(), live({"a", "b"}));
  CHECK(text(third) == "a a a; b#3 b b; b#2 b b_gone_2 gone; b b b_gone gone");
}

TEST_CASE("layout: a withdrawn column is the same one when it comes back") {
  auto before =
      kept(next_column_history({}, {column("a"), column("b")}, contract_of(), live({"a", "b"})));
  const auto without = next_column_history(before, {column("a")}, contract_of(), live({"a", "b"}));
  CHECK(text(without) == "a a a; b b b withdrawn");
  CHECK(text(next_column_history(kept(without), {column("a"), column("b")}, contract_of(),
                                 live({"a", "b"}))) == "a a a; b b b");
}

TEST_CASE("layout: another column of the same table of the same database is another column") {
  auto before =
      kept(next_column_history({}, {column("a", "", "1/2/3.1")}, contract_of(), live({"a"})));
  const auto plain = contract_of({{.name = "a", .as = "a", .cls = contract::Class::plain}});
  CHECK(text(next_column_history(before, {column("a", "", "1/2/3.4")}, plain, live({"a"}))) ==
        "a#2 a a; a a a_gone gone");
  // a table made anew, and a database restored, have other numbers everywhere
  for (const auto* identity : {"1/2/9.4", "1/7/3.4", ""}) {
    CHECK(text(next_column_history(before, {column("a", "", identity)}, contract_of(),
                                   live({"a"}))) == "a a a");
  }
  // a person has said that it is the same under a new name
  CHECK(text(next_column_history(before, {column("b", "a", "1/2/3.4")}, contract_of(),
                                 live({"b"}))) == "a b b");
}

TEST_CASE("layout: what is to be erased is kept no longer") {
  auto before =
      kept(next_column_history({}, {column("a"), column("b")}, contract_of(), live({"a", "b"})));
  const auto erased = next_column_history(
      before, {column("a")},
      contract_of({{.name = "b", .as = "b", .cls = contract::Class::withhold, .erase = true}}),
      live({"a", "b"}));
  CHECK(text(erased) == "a a a");
  REQUIRE(erased.erased.size() == 1);
  CHECK(erased.erased[0].name == "b");
}

TEST_CASE("layout: what is remembered comes back as it was, and damage is refused") {
  auto one = column("a", "b", "1/2/3.4");
  one.label = "first";
  one.formerly = {"x", "y"};
  one.type = {.family = Family::decimal, .native = "numeric(8,2)", .precision = 8, .scale = 2};
  one.nullable = false;
  one.state = ColumnState::withdrawn;
  const auto text = column_history_text({one});
  CHECK(column_history_text(read_column_history({.source = "person", .columns = text})) == text);
  for (const std::string broken :
       {"", "{}", "[{}]", "[1]", "[{\"label\": \"a\"}]",
        "[{\"label\":\"a\",\"source\":\"a\",\"name\":\"a\",\"family\":\"text\","
        "\"engine\":\"sqlite\",\"native\":\"\",\"read_as\":\"\",\"state\":\"lost\"}]"}) {
    CAPTURE(broken);
    if (broken == "{}") {
      CHECK(read_column_history({.source = "person", .columns = broken}).empty());
      continue;
    }
    try {
      read_column_history({.source = "person", .columns = broken});
      FAIL("damage was taken");
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::integrity);
    }
  }
}

TEST_CASE("layout: values of another kind begin a column anew, but a key goes on") {
  auto number = column("a");
  number.type.family = Family::integer;
  const auto before = kept(next_column_history({}, {number}, contract_of(), live({"a"})));
  CHECK(text(next_column_history(before, {column("a")}, contract_of(), live({"a"}))) ==
        "a#2 a a; a a a_gone withdrawn");
  contract::Table keyed = contract_of();
  keyed.key = {"a"};
  CHECK(text(next_column_history(before, {column("a")}, keyed, live({"a"}))) == "a a a");
}
