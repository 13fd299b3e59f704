#include "mask/masker.hpp"

#include "core/error.hpp"
#include "mask/known_keyring.hpp"
#include "mask/reveal.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Class;
using contract::Column;
using contract::Format;
using contract::Generalisation;
using contract::Normaliser;
using contract::Table;

using To = Generalisation::To;

Type of_family(Family family) {
  Type type;
  type.family = family;
  return type;
}

Value text(std::string bytes) {
  return {Kind::text, std::move(bytes)};
}
RawValue raw(Kind kind, std::string bytes) {
  return {kind, std::move(bytes)};
}
RawValue raw(std::string bytes) {
  return {Kind::text, std::move(bytes)};
}

Column plain(std::string name) {
  return {.name = std::move(name), .cls = Class::plain};
}
Column pseudonym_of(std::string identity, std::string name = "id") {
  return {.name = std::move(name), .cls = Class::pseudonym, .identity = std::move(identity)};
}
Column generalised(To to, int n = 0) {
  return {.name = "coarse",
          .cls = Class::generalise,
          .generalisation = {.to = to, .n = n, .reference = "2020-05-17"}};
}

/// A table with these columns, all of the given types, and its masker.
struct Bench {
  Bench(std::vector<Column> columns, std::vector<Type> types, std::vector<std::string> key = {},
        std::string subject = {})
      : table{.name = "person",
              .key = std::move(key),
              .subject = std::move(subject),
              .columns = std::move(columns)},
        masker(table, table.exported(), types, known_keyring()) {}

  Masker::Outcome mask(std::vector<RawValue> cells) {
    return masker.mask(RawRow{.cells = std::move(cells)}, row);
  }

  Table table;
  Masker masker;
  Row row;
};

/// One column alone: its value, or the refusal's reason as text in front of which stands "!".
Value one(const Column& column, RawValue value, Family family = Family::text) {
  Bench bench({column}, {of_family(family)});
  const auto outcome = bench.mask({std::move(value)});
  if (outcome.refusal) {
    CHECK(outcome.refusal->column == 0);
    CHECK(outcome.key_is_whole);
    return text("!" + outcome.refusal->reason);
  }
  return bench.row.cells.at(0);
}

TEST_CASE("plain values leave as they are, of every kind") {
  const std::vector<Value> values{Value(),
                                  {Kind::boolean, "t"},
                                  {Kind::integer, "-42"},
                                  {Kind::decimal, "1.00"},
                                  {Kind::real, "NaN"},
                                  {Kind::text, ""},
                                  {Kind::text, " "},
                                  {Kind::text, "Ä"},
                                  {Kind::bytes, "\xff"},
                                  {Kind::date, "infinity"},
                                  {Kind::timestamptz, "2020-02-29 23:59:59.5+00"},
                                  {Kind::uuid, "00000000-0000-4000-8000-000000000000"},
                                  {Kind::json, "{}"},
                                  {Kind::other, "{1,2}"}};
  for (const auto& value : values) {
    CHECK(one(plain("c"), raw(value.kind(), value.bytes()), Family::dynamic) == value);
  }
}

TEST_CASE("NULL, the empty text and white space stay distinct in every class") {
  const std::vector<Column> columns{plain("c"), pseudonym_of("p"), generalised(To::prefix, 3)};
  for (const auto& column : columns) {
    const auto null = one(column, RawValue());
    const auto empty = one(column, raw(""));
    const auto blank = one(column, raw("  "));
    CHECK(null.is_null());
    CHECK_FALSE(empty.is_null());
    CHECK_FALSE(blank.is_null());
    CHECK(empty != blank);
  }
  for (const auto to : {To::year, To::month, To::week, To::age_band}) {
    CHECK(one(generalised(to, 10), RawValue()).is_null());
    CHECK(one(generalised(to, 10), raw("")) == text("!not a date"));
    CHECK(one(generalised(to, 10), raw("  ")) == text("!not a date"));
  }
}

TEST_CASE("NULL, the empty text and white space in columns that are mapped, constant or rounded") {
  auto mapped = generalised(To::map);
  mapped.generalisation.map = {{"", "nothing"}, {"  ", "blank"}};
  auto constant = generalised(To::constant);
  constant.generalisation.value = "hidden";
  CHECK(one(mapped, RawValue()).is_null());
  CHECK(one(mapped, raw("")) == text("nothing"));
  CHECK(one(mapped, raw("  ")) == text("blank"));
  CHECK(one(constant, RawValue()).is_null());
  CHECK(one(constant, raw("")) == text("hidden"));
  CHECK(one(constant, raw("  ")) == text("hidden"));
  const auto rounded = generalised(To::round, 5);
  CHECK(one(rounded, RawValue()).is_null());
  CHECK(one(rounded, raw("")) == text("!not a number"));
  CHECK(one(rounded, raw("  ")) == text("!not a number"));
}

TEST_CASE("a date is shifted by its row's subject, which must be there") {
  Bench bench({pseudonym_of("person"), generalised(To::shift, 14)}, {text_type(), text_type()}, {},
              "id");
  CHECK_FALSE(bench.mask({raw("42"), raw("1980-05-18")}).refusal.has_value());
  CHECK(bench.row.cells[1] == text("1980-05-09"));
  CHECK_FALSE(bench.mask({raw("42"), RawValue()}).refusal.has_value());
  CHECK(bench.row.cells[1].is_null());
  CHECK(bench.mask({raw("42"), raw("")}).refusal->reason == "not a date");
  CHECK(bench.mask({raw("42"), raw("  ")}).refusal->reason == "not a date");
  CHECK(bench.mask({RawValue(), raw("1980-05-18")}).refusal->reason == "its subject is NULL");
  CHECK_FALSE(bench.mask({RawValue(), RawValue()}).refusal.has_value());
  CHECK_FALSE(bench.mask({raw(""), raw("1980-05-18")}).refusal.has_value());
  CHECK(bench.mask({raw("\xff"), raw("1980-05-18")}).refusal->reason == "not valid UTF-8");
  CHECK_THROWS_AS(Bench({generalised(To::shift, 14)}, {text_type()}), Failure);
}

TEST_CASE("a blank-padded subject shifts like one that is not") {
  auto padded = text_type();
  padded.padded = true;
  Bench bench({pseudonym_of("person"), generalised(To::shift, 14)}, {padded, text_type()}, {},
              "id");
  CHECK_FALSE(bench.mask({raw("42   "), raw("1980-05-18")}).refusal.has_value());
  CHECK(bench.row.cells[1] == text("1980-05-09"));
}

TEST_CASE("a column that the contract withholds is absent, which is no NULL") {
  const Table table{.name = "person",
                    .columns = {plain("a"), {.name = "secret", .cls = Class::withhold}}};
  Masker masker(table, table.exported(), {text_type()}, known_keyring());
  Row row;
  masker.mask({.cells = {RawValue()}}, row);
  CHECK(row.cells.size() == 1);
  CHECK_THROWS_AS(Masker(table, {&table.columns[1]}, {text_type()}, known_keyring()), Failure);
}

TEST_CASE("phone and email refuse white space, text and name make it the empty text") {
  auto column = pseudonym_of("p");
  column.normaliser = Normaliser::phone;
  CHECK(one(column, raw(" ")) == text("!not a phone number"));
  CHECK(one(column, RawValue()).is_null());
  column.normaliser = Normaliser::email;
  CHECK(one(column, raw("")) == text("!not an e-mail address"));
  column.normaliser = Normaliser::name;
  CHECK(one(column, raw(" ")) == one(column, raw("")));
}

TEST_CASE("the same identity joins across columns of text, integers and blank-padded text") {
  const auto expected = one(pseudonym_of("p"), raw("42"));
  CHECK(expected == pseudonym(known_keyring(), "p", Format::text, Normaliser::none, text("42")));
  CHECK(one(pseudonym_of("p", "other"), raw(Kind::integer, "42"), Family::integer) == expected);
  CHECK(one(pseudonym_of("p"), raw(Kind::integer, "42"), Family::dynamic) == expected);
  auto padded = text_type();
  padded.padded = true;
  Bench bench({pseudonym_of("p")}, {padded});
  CHECK_FALSE(bench.mask({raw("42   ")}).refusal.has_value());
  CHECK(bench.row.cells[0] == expected);
  CHECK(one(pseudonym_of("p"), raw("42   ")) != expected);
}

TEST_CASE("an automatic format is uuid for uuid columns and text for all others") {
  const auto uuid = "00000000-0000-4000-8000-000000000000";
  CHECK(one(pseudonym_of("p"), raw(Kind::uuid, uuid), Family::uuid).kind() == Kind::uuid);
  CHECK(one(pseudonym_of("p"), raw(Kind::uuid, uuid), Family::dynamic).kind() == Kind::text);
  CHECK(one(pseudonym_of("p"), raw(uuid)).kind() == Kind::text);
  auto asked = pseudonym_of("p");
  asked.format = Format::text;
  CHECK(one(asked, raw(Kind::uuid, uuid), Family::uuid).kind() == Kind::text);
}

TEST_CASE("integer pseudonyms take the domain of the column") {
  auto column = pseudonym_of("p");
  column.format = Format::integer;
  auto narrow = of_family(Family::integer);
  narrow.bits = 32;
  Bench bench({column}, {narrow});
  CHECK(bench.mask({raw(Kind::integer, "1000000000")}).refusal->reason ==
        "outside the domain of integer pseudonyms");
  CHECK_FALSE(bench.mask({raw(Kind::integer, "7")}).refusal.has_value());
  const auto seven = bench.row.cells[0];
  CHECK(one(column, raw(Kind::integer, "7"), Family::integer) == seven);
  CHECK(one(column, raw(Kind::integer, "1000000000"), Family::integer).kind() == Kind::integer);
  CHECK(one(column, raw(Kind::integer, "-1"), Family::integer) ==
        text("!outside the domain of integer pseudonyms"));
  CHECK(one(column, raw("x"), Family::dynamic) == text("!not an integer"));
}

TEST_CASE("text that is not UTF-8 is refused in every class, bytes are not") {
  const std::vector<Column> columns{plain("c"), pseudonym_of("p"), generalised(To::prefix, 3),
                                    generalised(To::year)};
  for (const auto& column : columns) {
    for (const auto kind : {Kind::text, Kind::json, Kind::other}) {
      CHECK(one(column, raw(kind, "1980\xff")) == text("!not valid UTF-8"));
    }
  }
  CHECK(one(plain("c"), raw(Kind::bytes, "\xff")) == Value(Kind::bytes, "\xff"));
  CHECK(one(pseudonym_of("p"), raw(Kind::bytes, "\xff")).kind() == Kind::text);
}

TEST_CASE("codes hold for what leaves, and for what a pseudonym is made of") {
  auto column = plain("c");
  column.codes = {"b", "a", ""};
  CHECK(one(column, raw("a")) == text("a"));
  CHECK(one(column, raw("")) == text(""));
  CHECK(one(column, raw(Kind::integer, "7")) == text("!not among the contract's codes"));
  CHECK(one(column, raw("c")) == text("!not among the contract's codes"));
  CHECK(one(column, raw("A")) == text("!not among the contract's codes"));
  CHECK(one(column, raw("a ")) == text("!not among the contract's codes"));
  CHECK(one(column, RawValue()).is_null());

  auto year = generalised(To::year);
  year.codes = {"1980"};
  CHECK(one(year, raw("1980-05-17")) == Value(Kind::integer, "1980"));
  CHECK(one(year, raw("1981-05-17")) == text("!not among the contract's codes"));

  auto hidden = pseudonym_of("p");
  hidden.codes = {"42"};
  CHECK(one(hidden, raw(Kind::integer, "42")) == one(pseudonym_of("p"), raw("42")));
  CHECK(one(hidden, raw("43")) == text("!not among the contract's codes"));
}

TEST_CASE("the blanks that fill a character(n) do not make another code of it, and do leave") {
  auto column = plain("c");
  column.codes = {"A"};
  auto padded = text_type();
  padded.padded = true;
  Bench bench({column}, {padded});
  CHECK_FALSE(bench.mask({raw("A  ")}).refusal.has_value());
  CHECK(bench.row.cells[0] == text("A  "));
  CHECK(bench.mask({raw("B  ")}).refusal.has_value());
}

TEST_CASE("a key that is NULL cannot name its row") {
  Bench bench({plain("note"), pseudonym_of("p")}, {text_type(), text_type()}, {"id"});
  const auto outcome = bench.mask({raw("x"), RawValue()});
  REQUIRE(outcome.refusal.has_value());
  CHECK(outcome.refusal->column == 1);
  CHECK(outcome.refusal->reason == "the key is NULL");
  CHECK_FALSE(outcome.key_is_whole);
}

TEST_CASE("a key that cannot be masked cannot name its row") {
  auto key = pseudonym_of("p");
  key.normaliser = Normaliser::phone;
  Bench bench({key, plain("note")}, {text_type(), text_type()}, {"id"});
  const auto outcome = bench.mask({raw("unbekannt"), raw("x")});
  CHECK(outcome.refusal->reason == "not a phone number");
  CHECK_FALSE(outcome.key_is_whole);

  auto coded = plain("id");
  coded.codes = {"a"};
  Bench other({coded}, {text_type()}, {"id"});
  CHECK_FALSE(other.mask({raw("b")}).key_is_whole);
  CHECK_FALSE(other.mask({raw("\xff")}).key_is_whole);
}

TEST_CASE("keys are masked first, so that a refused row can be named") {
  Bench bench({plain("note"), pseudonym_of("p"), plain("part")},
              {text_type(), text_type(), text_type()}, {"id", "part"});
  const auto outcome = bench.mask({raw("\xff"), raw("42"), raw("x")});
  CHECK(outcome.refusal->column == 0);
  CHECK(outcome.key_is_whole);
  CHECK(bench.row.cells[0].is_null());
  CHECK(bench.row.cells[1] == one(pseudonym_of("p"), raw("42")));
  CHECK(bench.row.cells[2] == text("x"));
  // of a bad key and a bad note, the key is named
  const auto both = bench.mask({raw("\xff"), raw("42"), RawValue()});
  CHECK(both.refusal->column == 2);
  CHECK_FALSE(both.key_is_whole);
}

TEST_CASE("nothing of the last row stays in a refused one") {
  Bench bench({plain("a"), pseudonym_of("p"), plain("b")}, {text_type(), text_type(), text_type()},
              {"id"});
  REQUIRE_FALSE(bench.mask({raw("last a"), raw("1"), raw("last b")}).refusal.has_value());
  CHECK(bench.mask({raw("\xff"), raw("2"), raw("b")}).key_is_whole);
  CHECK(bench.row.cells[0].is_null());
  CHECK(bench.row.cells[1] == one(pseudonym_of("p"), raw("2")));
  CHECK(bench.row.cells[2].is_null());

  REQUIRE_FALSE(bench.mask({raw("last a"), raw("1"), raw("last b")}).refusal.has_value());
  CHECK_FALSE(bench.mask({raw("a"), RawValue(), raw("b")}).key_is_whole);
  for (const auto& cell : bench.row.cells) {
    CHECK(cell.is_null());
  }
}

TEST_CASE("a row is overwritten, and one that was refused does not spoil the next") {
  Bench bench({plain("a"), plain("b")}, {text_type(), text_type()}, {"a"});
  CHECK(bench.mask({raw("1"), raw("\xff")}).refusal.has_value());
  const auto outcome = bench.mask({raw("2"), RawValue()});
  CHECK_FALSE(outcome.refusal.has_value());
  CHECK(outcome.key_is_whole);
  CHECK(bench.row == Row{.cells = {text("2"), Value()}});
}

TEST_CASE("masking is the same however often and by whichever masker") {
  const std::vector<Column> columns{pseudonym_of("p"), generalised(To::week), plain("c")};
  const std::vector<Type> types{text_type(), of_family(Family::date), text_type()};
  Bench one_bench(columns, types);
  Bench other_bench(columns, types);
  auto moved = std::move(other_bench.masker);
  Row row;
  for (int i = 0; i < 3; ++i) {
    const std::vector<RawValue> cells{raw("42"), raw(Kind::date, "2020-03-22"), raw("c")};
    one_bench.mask(cells);
    moved.mask({.cells = cells}, row);
    CHECK(row == one_bench.row);
  }
}

TEST_CASE("no memory is asked for once rows have their size") {
  Bench bench({plain("a"), pseudonym_of("p"), generalised(To::month)},
              {text_type(), text_type(), text_type()});
  const std::vector<RawValue> cells{raw(std::string(100, 'x')), raw("42"), raw("1980-05-17")};
  bench.mask(cells);
  std::vector<const char*> before;
  for (const auto& cell : bench.row.cells) {
    before.push_back(cell.bytes().data());
  }
  bench.mask(cells);
  for (std::size_t i = 0; i < before.size(); ++i) {
    CHECK(bench.row.cells[i].bytes().data() == before[i]);
  }
}

TEST_CASE("rows and types of another width than the contract's are a bug") {
  Bench bench({plain("a"), plain("b")}, {text_type(), text_type()});
  CHECK_THROWS_AS(bench.mask({raw("1")}), Failure);
  CHECK_THROWS_AS(Masker(bench.table, bench.table.exported(), {}, known_keyring()), Failure);
}

TEST_CASE("masker: a token is a pseudonym that names its issuer") {
  auto column = pseudonym_of("queue");
  column.format = Format::token;
  const contract::Table table{.name = "registration", .key = {"id"}, .columns = {column}};
  const auto keyring = known_keyring().of_domain(std::string(26, 'a'), "bbbbbb");
  Masker masker(table, table.exported(), {of_family(Family::integer)}, keyring);
  Row row;
  CHECK_FALSE(masker.mask({.cells = {raw(Kind::integer, "42")}}, row).refusal);
  // the vector of schemas/pseudonyms.md
  CHECK(row.cells.front() == text("t1_bbbbbb_4zb2xwafjd36indocwmhxhblde"));
  CHECK(exported_type(column, of_family(Family::integer)) == text_type());
  CHECK(form_of(row.cells.front().bytes()).kind == Form::Kind::token);
  CHECK_THROWS_AS(Masker(table, table.exported(), {of_family(Family::integer)}, known_keyring()),
                  Failure);
}

TEST_CASE("masker: a token of somebody else is passed on, and nothing else is") {
  const Column column{.name = "request", .cls = Class::token};
  const contract::Table table{.name = "visit", .columns = {column}};
  Masker masker(table, table.exported(), {text_type()}, known_keyring());
  Row row;
  const std::string token = "t1_bbbbbb_4zb2xwafjd36indocwmhxhblde";
  CHECK_FALSE(masker.mask({.cells = {raw(token)}}, row).refusal);
  CHECK(row.cells.front() == text(token));
  CHECK_FALSE(masker.mask({.cells = {RawValue()}}, row).refusal);
  const auto outcome = masker.mask({.cells = {raw("Annegret Kowalczyk")}}, row);
  REQUIRE(outcome.refusal);
  CHECK(outcome.refusal->reason == "not a token");
  CHECK_FALSE(outcome.unresolved);
  CHECK(misfit(column, of_family(Family::integer)).has_value());

  auto of_one = column;
  of_one.issuer = "cccccc";
  const contract::Table requests{.name = "request", .columns = {of_one}};
  Masker strict(requests, requests.exported(), {text_type()}, known_keyring());
  const auto refused = strict.mask({.cells = {raw(token)}}, row);
  REQUIRE(refused.refusal);
  CHECK(refused.refusal->reason == "a token that the peer has not made itself");
}

/// One token, and what it stands for.
class OneToken final : public contract::IssuedTokens {
 public:
  std::optional<std::string_view> value_of(std::string_view token) override {
    return token == "t1_bbbbbb_4zb2xwafjd36indocwmhxhblde" ? std::optional<std::string_view>("42")
                                                           : std::nullopt;
  }
  std::uint64_t mark() override { return 1; }
};

TEST_CASE("masker: a token that has come back becomes what it was made of") {
  const Column column{.name = "token",
                      .cls = Class::token,
                      .resolves = contract::Resolves{.table = "registration", .column = "number"},
                      .issued = std::make_shared<OneToken>()};
  const contract::Table table{.name = "slot", .key = {"token"}, .columns = {column}};
  Masker masker(table, table.exported(), {text_type()}, known_keyring());
  Row row;
  CHECK_FALSE(masker.mask({.cells = {raw("t1_bbbbbb_4zb2xwafjd36indocwmhxhblde")}}, row).refusal);
  CHECK(row.cells.front() == text("42"));
  const auto outcome = masker.mask({.cells = {raw("t1_bbbbbb_" + std::string(26, 'a'))}}, row);
  REQUIRE(outcome.refusal);
  CHECK(outcome.unresolved);
  CHECK(row.cells.front().is_null());

  // whatever else is wrong with the row, it is not this node's
  const contract::Table kinds{
      .name = "visit",
      .key = {"kind"},
      .columns = {{.name = "kind", .cls = Class::plain, .codes = {"a"}}, column}};
  Masker with_kinds(kinds, kinds.exported(), {text_type(), text_type()}, known_keyring());
  CHECK(with_kinds.mask({.cells = {raw("z"), raw("t1_bbbbbb_" + std::string(26, 'a'))}}, row)
            .unresolved);
  CHECK(row.cells.front().is_null());
  const auto held =
      with_kinds.mask({.cells = {raw("z"), raw("t1_bbbbbb_4zb2xwafjd36indocwmhxhblde")}}, row);
  CHECK_FALSE(held.unresolved);
  CHECK_FALSE(held.key_is_whole);
}

}  // namespace
}  // namespace abgleich::mask
