#include "contract/edit.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

namespace abgleich::contract {

namespace {

constexpr std::string_view kText = R"(format = 1
# people
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }  # the key
sex = "plain"

# their contacts
[tables."a.b"]
key = ["id"]
[tables."a.b".columns]
id = { class = "pseudonym", identity = "contact" }
)";

Code code_of(const NewColumn& column, std::string_view text = kText) {
  try {
    (void)add_column(text, "contract.toml", column);
  } catch (const Failure& failure) {
    return failure.error().code;
  }
  return Code::done;
}

}  // namespace

TEST_CASE("a column is added behind the table's last one, and all else stays to the letter") {
  const auto edited =
      add_column(kText, "contract.toml", {.table = "person", .column = "note", .cls = "withhold"});
  std::string expected(kText);
  const std::string_view before = "sex = \"plain\"\n";
  expected.insert(expected.find(before) + before.size(), "note = \"withhold\"\n");
  CHECK(edited == expected);
}

TEST_CASE("options are written with the class, and hostile names are quoted") {
  const auto edited = add_column(kText, "contract.toml",
                                 {.table = "person",
                                  .column = "tele\"phone nr.",
                                  .cls = "pseudonym",
                                  .identity = "phone",
                                  .normalise = "phone"});
  const auto parsed = parse_contract(edited, "contract.toml");
  const auto* column = parsed.find_table("person")->find_column("tele\"phone nr.");
  REQUIRE(column != nullptr);
  CHECK(column->identity == "phone");
  CHECK(column->normaliser == Normaliser::phone);
}

TEST_CASE("a text without a newline at its end is taken as well") {
  const auto text = kText.substr(0, kText.size() - 1);
  const auto edited =
      add_column(text, "contract.toml", {.table = "a.b", .column = "met", .cls = "plain"});
  CHECK(edited.ends_with("met = \"plain\"\n"));
}

TEST_CASE("unknown tables, known columns and unfitting options are refused") {
  CHECK(code_of({.table = "visit", .column = "x", .cls = "plain"}) == Code::usage);
  CHECK(code_of({.table = "person", .column = "sex", .cls = "plain"}) == Code::usage);
  CHECK(code_of({.table = "person", .column = "x", .cls = "pseudonym"}) == Code::configuration);
}

TEST_CASE("columns written as one inline table are left to the hand") {
  CHECK(code_of({.table = "t", .column = "x", .cls = "plain"},
                "format = 1\n[tables.t]\nkey = [\"id\"]\n"
                "columns = { id = { class = \"pseudonym\", identity = \"t\" } }\n") ==
        Code::configuration);
}

TEST_CASE("a name is split where a table of the contract ends, points in names or not") {
  const auto contract = parse_contract(kText, "contract.toml");
  CHECK(named_column(contract, "a.b.c.d").table == "a.b");
  CHECK(named_column(contract, "a.b.c.d").column == "c.d");
  CHECK_THROWS_AS((void)named_column(contract, "nobody.x"), Failure);
}

TEST_CASE("a column's line is changed in place: withheld, or under another name in the secondary") {
  const auto edited = [](const ColumnEdit& edit, std::string_view text = kText) {
    return edit_column(text, "contract.toml", edit);
  };
  std::string withheld(kText);
  withheld.replace(withheld.find("\"plain\""), 7, "\"withhold\"");
  CHECK(edited({.table = "person", .column = "sex", .cls = "withhold"}) == withheld);
  const auto named = edited({.table = "person", .column = "sex", .as = "a \"b\""});
  CHECK(named.find("sex = { class = \"plain\", as = \"a \\\"b\\\"\" }\n") != std::string::npos);
  const auto key = edited({.table = "person", .column = "id", .as = "number"});
  CHECK(key.find(
            "id = { class = \"pseudonym\", identity = \"person\", as = \"number\" }  # the key") !=
        std::string::npos);
  const auto again = edited({.table = "person", .column = "id", .as = "no"}, key);
  CHECK(again.find("identity = \"person\", as = \"no\" }  # the key") != std::string::npos);
  const std::string codes =
      "format = 1\n[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n"
      "\"a = b\" = { class = \"plain\", codes = [\"x, }\", \"y\"] } # {\n";
  CHECK(
      edited({.table = "t", .column = "a = b", .as = "c"}, codes)
          .find("\"a = b\" = { class = \"plain\", codes = [\"x, }\", \"y\"], as = \"c\" } # {\n") !=
      std::string::npos);
}

TEST_CASE("a column that the contract does not name, or not in a line, is not changed") {
  CHECK_THROWS_AS((void)edit_column(kText, "c", {.table = "person", .column = "x", .as = "y"}),
                  Failure);
  const std::string sections =
      "format = 1\n[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n"
      "[tables.t.columns.a]\nclass = \"plain\"\n";
  CHECK_THROWS_AS(
      (void)edit_column(sections, "c", {.table = "t", .column = "a", .cls = "withhold"}), Failure);
}

}  // namespace abgleich::contract
