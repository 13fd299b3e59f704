#include "contract/contract.hpp"

#include "contract/refusal.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace abgleich;
using namespace abgleich::contract;

namespace {

Contract parse(const std::string& text) {
  return parse_contract(text, "contract.toml");
}

/// A table `person` with key `id`, and more lines.
std::string person(const std::string& columns, const std::string& table = "") {
  return "format = 1\n[tables.person]\nkey = [\"id\"]\n" + table +
         "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" }\n" +
         columns;
}

std::vector<std::string> names(const std::vector<Column>& columns) {
  std::vector<std::string> out;
  for (const Column& column : columns) {
    out.push_back(column.name);
  }
  return out;
}

}  // namespace

TEST_CASE("the contract of the manual is understood as it is meant") {
  const Contract contract = parse(R"(format = 1

[tables.person]
key       = ["id"]
target    = "persons"
on_delete = "erase"
together  = [["status", "status_date"]]
max_deleted = 3
max_updated = "12.5%"

[tables.person.columns]
id         = { class = "pseudonym", identity = "person", format = "uuid" }
phone      = { class = "pseudonym", identity = "phone", normalise = "phone" }
birth_date = { class = "generalise", to = "year" }
age        = { class = "generalise", to = "age-band:10", reference = "2024-02-29" }
plz        = { class = "generalise", to = "prefix:2", as = "region" }
sex        = { class = "plain", codes = ["F", "M"], was = "gender" }
note       = { class = "plain", owner = "secondary" }
status     = "plain"
status_date = "plain"
first_name = "withhold"
)");
  REQUIRE(contract.tables.size() == 1);
  const Table& table = contract.tables.front();
  CHECK(table.name == "person");
  CHECK(table.target == "persons");
  CHECK(table.key == std::vector<std::string>{"id"});
  CHECK(table.on_delete == OnDelete::erase);
  CHECK(table.together == std::vector<std::vector<std::string>>{{"status", "status_date"}});
  CHECK(table.max_deleted == Limit{.unit = Limit::Unit::rows, .share = 0, .rows = 3});
  CHECK(table.max_updated == Limit{.unit = Limit::Unit::share, .share = 0.125, .rows = 0});
  CHECK(table.place.text() == "contract.toml:3:9");
  CHECK(names(table.columns) == std::vector<std::string>{"id", "phone", "birth_date", "age", "plz",
                                                         "sex", "note", "status", "status_date",
                                                         "first_name"});
  CHECK(table.exported().size() == 9);

  const Column& id = *table.find_column("id");
  CHECK(id.cls == Class::pseudonym);
  CHECK(id.identity == "person");
  CHECK(id.format == Format::uuid);
  CHECK(id.normaliser == Normaliser::none);
  CHECK(id.place.text() == "contract.toml:12:1");
  CHECK(table.find_column("phone")->normaliser == Normaliser::phone);
  CHECK(table.find_column("phone")->format == Format::automatic);
  CHECK(table.find_column("birth_date")->generalisation ==
        Generalisation{.to = Generalisation::To::year, .n = 0, .reference = ""});
  CHECK(table.find_column("age")->generalisation ==
        Generalisation{.to = Generalisation::To::age_band, .n = 10, .reference = "2024-02-29"});
  CHECK(table.find_column("plz")->generalisation.n == 2);
  CHECK(table.find_column("plz")->as == "region");
  CHECK(table.find_column("sex")->codes == std::vector<std::string>{"F", "M"});
  CHECK(table.find_column("sex")->was == "gender");
  CHECK(table.find_column("sex")->as == "sex");
  CHECK(table.find_column("note")->owner == Owner::secondary);
  CHECK_FALSE(table.find_column("first_name")->exported());
  CHECK(table.find_column("last_name") == nullptr);
  CHECK(contract.find_table("persons") == nullptr);
  CHECK(contract.find_table("person") == &table);
}

TEST_CASE(
    "tables and columns keep the order they are written in, whatever form of TOML they have") {
  const Contract contract = parse(R"(
format = 1
tables.zebra.columns.z = "plain"
tables.zebra.columns.a.class = "plain"
tables.zebra.columns.m = { class = "plain" }
tables.zebra.columns.a.as = "aa"
tables.zebra.key = ["z"]
tables.inline = { columns = { y = "plain", b.class = "plain", c = "withhold" }, key = ["y"] }
[tables.apple.columns]
z = "plain"
[tables.apple.columns.b]
class = "plain"
[tables.apple.columns."a.b"]
class = "plain"
[tables.apple]
key = ["z"]
)");
  REQUIRE(contract.tables.size() == 3);
  CHECK(contract.tables[0].name == "zebra");
  CHECK(names(contract.tables[0].columns) == std::vector<std::string>{"z", "a", "m"});
  CHECK(contract.tables[0].find_column("a")->as == "aa");
  CHECK(contract.tables[1].name == "inline");
  CHECK(names(contract.tables[1].columns) == std::vector<std::string>{"y", "b", "c"});
  CHECK(contract.tables[2].name == "apple");
  CHECK(names(contract.tables[2].columns) == std::vector<std::string>{"z", "b", "a.b"});
}

TEST_CASE(
    "a contract may be without tables, begin with a byte order mark and end lines with CR LF") {
  CHECK(parse("format = 1").tables.empty());
  CHECK(parse("format = 1\n[tables]\n").tables.empty());
  CHECK(parse("\xEF\xBB\xBF"
              "format = 1\r\n[tables.t]\r\nkey = [\"a\"]\r\ncolumns.a = "
              "\"plain\"\r\n")
            .tables.size() == 1);
}

TEST_CASE("names with quotes, dots, umlauts and line breaks are names like others") {
  const Contract contract = parse(
      "format = 1\n[tables.\"Über \\\"alles\\\".x\"]\n"
      "key = [\"a\\nb\"]\n[tables.'Über \"alles\".x'.columns]\n"
      "\"a\\nb\" = \"plain\"\n\"…\" = \"withhold\"\n");
  REQUIRE(contract.tables.size() == 1);
  CHECK(contract.tables[0].name == "Über \"alles\".x");
  CHECK(contract.tables[0].key == std::vector<std::string>{"a\nb"});
}

TEST_CASE("columns may swap their names, and a new one may take the name that another one left") {
  const Contract contract =
      parse(person("a = { class = \"plain\", as = \"b\" }\n"
                   "b = { class = \"plain\", as = \"a\", was = \"a\" }\n"
                   "c = \"withhold\"\nC = \"plain\"\n"));
  CHECK(contract.tables[0].find_column("a")->as == "b");
  CHECK(contract.tables[0].find_column("C")->as == "C");
}

TEST_CASE("every error of a contract says where it is, what is wrong and what to write") {
  struct Case {
    std::string text;
    std::string message;  // whole
    std::string hint;     // a part
  };
  const auto column = [](const std::string& options) {
    return person("x = { " + options + " }\n");
  };
  const std::vector<Case> cases{
      // The document
      {"", "contract.toml:1:1: 'format' is missing", "write format = 1"},
      {"[tables]", "contract.toml:1:1: 'format' is missing", "write format = 1"},
      {"format = 2", "contract.toml:1:10: contract of format 2, which this version does not know",
       "write format = 1"},
      {"format = \"1\"", "contract.toml:1:10: 'format' must be an integer", "write format = 1"},
      {"format = 1\ntable.x = 1", "contract.toml:2:1: unknown key 'table' in the contract",
       "did you mean 'tables'? the contract takes format, country, tokens_only or tables"},
      {"format = 1\ntables = 3", "contract.toml:2:10: 'tables' is an integer, but must be a table",
       "[tables.person]"},
      {"format = 1\nformat = 1",
       "contract.toml:2:10: not valid TOML: key-value pair: cannot redefine existing integer "
       "'format'",
       "double quotes"},
      {"format = 1\n[tables.x",
       "contract.toml:2:10: not valid TOML: table header: encountered "
       "end-of-file",
       "double quotes"},
      {"format = 1\n\n# \xC3\xA4\xC3", "contract.toml:3:4: not valid UTF-8", "UTF-8"},
      {std::string("format = 1\nx\0y", 14), "contract.toml:2:2: NUL character", "text file"},
      {"format = 1\ntables.a.b.c.d.e = 1", "contract.toml:2:10: unknown key 'b' in table 'a'",
       "table 'a' takes key,"},
      // Tables
      {"format = 1\ntables.person = 1",
       "contract.toml:2:17: 'person' is an integer, but must be a table", "[tables.person]"},
      {"format = 1\n[tables.person]\ntarged = \"x\"",
       "contract.toml:3:1: unknown key 'targed' in table 'person'", "did you mean 'target'?"},
      {"format = 1\n[tables.person]", "contract.toml:2:9: table 'person' has no key",
       "write key = [\"id\"]"},
      {"format = 1\n[tables.person]\nkey = [\"id\"]",
       "contract.toml:2:9: table 'person' has no columns", "[tables.person.columns]"},
      {"format = 1\n[tables.\"a b\"]\nkey = [\"id\"]",
       "contract.toml:2:9: table 'a b' has no columns", "[tables.\"a b\".columns]"},
      {"format = 1\n[tables.person]\nkey = \"id\"",
       "contract.toml:3:7: 'key' is a string, but must be a list of strings",
       "write key = [\"id\"]"},
      {"format = 1\n[tables.person]\nkey = [1]",
       "contract.toml:3:8: 'key' holds an integer, but must be a list of strings",
       "write key = [\"id\"]"},
      {"format = 1\n[tables.person]\nkey = []",
       "contract.toml:3:7: the key of table 'person' is empty", "write key = [\"id\"]"},
      {"format = 1\n[tables.\"\"]", "contract.toml:2:9: a table name is empty", "write a name"},
      {"format = 1\n[tables.\"a\\u0000\"]",
       "contract.toml:2:9: a table name contains a NUL character", "delete it"},
      {"format = 1\n[tables.abgleich_x]\nkey = [\"id\"]",
       "contract.toml:2:9: table 'abgleich_x' would be called 'abgleich_x' in the secondary, like "
       "the bookkeeping",
       "write target = "},
      {"format = 1\n[tables.x]\ntarget = \"Abgleich_Head\"",
       "contract.toml:3:10: table 'x' would be called 'Abgleich_Head' in the secondary, like the "
       "bookkeeping",
       "does not begin with 'abgleich_'"},
      {"format = 1\n[tables.x]\ntarget = \"\"", "contract.toml:3:10: 'target' is empty",
       "write a name"},
      {"format = 1\n[tables.x]\ntarget = 1",
       "contract.toml:3:10: 'target' is an integer, but must be a string", "target = \""},
      {"format = 1\n[tables.x]\nwas = \"x\"", "contract.toml:3:7: 'was' of table 'x' is its name",
       "write the old name"},
      {"format = 1\n[tables.x]\non_delete = \"remove\"",
       "contract.toml:3:13: unknown rule for deletes 'remove'", "write delete, keep or erase"},
      {"format = 1\n[tables.x]\non_delete = true",
       "contract.toml:3:13: 'on_delete' is true or false, but must be a string",
       "on_delete = \"delete\""},
      {"format = 1\n[tables.x]\nmax_deleted = \"100\"",
       "contract.toml:3:15: 'max_deleted' is a number in quotes",
       "write max_deleted = 100 for 100 rows, or max_deleted = \"100%\" for a share"},
      {"format = 1\n[tables.x]\nmax_updated = 0.05",
       "contract.toml:3:15: 'max_updated' is neither a share nor a number of rows",
       "max_updated = \"5%\""},
      {"format = 1\n[tables.person]\nkey = [\"id\"]\ncolumns = 1",
       "contract.toml:4:11: 'columns' is an integer, but must be a table",
       "[tables.person.columns]"},
      {"format = 1\n[tables.a]\nkey = [\"x\"]\ncolumns.x = \"plain\"\n[tables.b]\n"
       "key = [\"x\"]\ncolumns.x = \"plain\"\ntarget = \"A\"",
       "contract.toml:5:9: tables 'a' and 'b' would have one name in the secondary, 'A'",
       "write target = "},
      {"format = 1\n[tables.a]\nkey = [\"x\"]\ncolumns.x = \"plain\"\nwas = \"o\"\n[tables.b]\n"
       "key = [\"x\"]\ncolumns.x = \"plain\"\nwas = \"o\"",
       "contract.toml:6:9: 'a' and 'b' both have was = 'o'", "only one of them"},
      // Keys
      {"format = 1\n[tables.person]\nkey = [\"ix\"]\ncolumns.id = \"plain\"",
       "contract.toml:3:8: the key of table 'person' names 'ix', which is not among the columns of "
       "table 'person'",
       "did you mean 'id'? write a line for it below [tables.person.columns]"},
      {"format = 1\n[tables.t]\nkey = [\"id\"]\ncolumns.id = \"withhold\"",
       "contract.toml:3:8: the key of table 't' names 'id', which is withheld",
       "id = { class = \"pseudonym\", identity = \"t\" }"},
      {"format = 1\n[tables.t]\nkey = [\"id\"]\ncolumns.id = { class = \"plain\", owner = "
       "\"secondary\" }",
       "contract.toml:3:8: the key of table 't' names 'id', which has owner = \"secondary\"",
       "delete 'owner'"},
      {"format = 1\n[tables.t]\nkey = [\"id\"]\ncolumns.id = { class = \"generalise\", to = "
       "\"year\" }",
       "contract.toml:3:8: the key of table 't' names 'id', which is generalised and so not unique",
       "class = \"pseudonym\""},
      {"format = 1\n[tables.t]\nkey = [\"id\", \"id\"]\ncolumns.id = \"plain\"",
       "contract.toml:3:14: the key of table 't' names 'id' twice", "delete one"},
      // Groups
      {person("a = \"plain\"\n", "together = [\"a\", \"b\"]\n"),
       "contract.toml:4:13: 'together' must be a list of groups of columns", "two pairs"},
      {person("a = \"plain\"\n", "together = \"a\"\n"),
       "contract.toml:4:12: 'together' must be a list of groups of columns",
       "together = [[\"status\""},
      {person("a = \"plain\"\n", "together = [[\"a\", 1]]\n"),
       "contract.toml:4:19: a group of 'together' holds an integer, but must be a list of strings",
       "together = [[\"status\""},
      {person("a = \"plain\"\n", "together = [[\"a\"]]\n"),
       "contract.toml:4:13: a group of 'together' needs two columns or more", "delete the group"},
      {person("a = \"plain\"\n", "together = [[\"a\", \"q\"]]\n"),
       "contract.toml:4:19: 'together' names 'q', which is not among the columns of table 'person'",
       "[tables.person.columns]"},
      {person("a = \"plain\"\nb = \"withhold\"\n", "together = [[\"a\", \"b\"]]\n"),
       "contract.toml:4:19: 'together' names 'b', which is withheld", "another class"},
      {person("a = \"plain\"\n", "together = [[\"a\", \"id\"]]\n"),
       "contract.toml:4:19: 'together' names 'id', a column of the key", "never changes"},
      {person("a = \"plain\"\nb = \"plain\"\nc = \"plain\"\n",
              "together = [[\"a\", \"b\"], [\"c\", \"a\"]]\n"),
       "contract.toml:4:31: 'together' names 'a' twice", "join the groups"},
      {person("a = \"plain\"\nb = { class = \"plain\", owner = \"primary\" }\n",
              "together = [[\"a\", \"b\"]]\n"),
       "contract.toml:4:19: columns 'a' and 'b' merge together, but have different owners",
       "same owner"},
      // Columns
      {person("x = \"plane\"\n"),
       "contract.toml:6:5: unknown class 'plane' of column 'x' of table "
       "'person'",
       "did you mean 'plain'? the classes are plain, pseudonym, generalise, withhold or token"},
      {column("class = \"hash\""),
       "contract.toml:6:15: unknown class 'hash' of column 'x' of table "
       "'person'",
       "the classes are plain,"},
      {column("class = 1"), "contract.toml:6:15: 'class' is an integer, but must be a string",
       "class = \"plain\""},
      {person("x = 1\n"),
       "contract.toml:6:5: column 'x' of table 'person' must be a class or a "
       "table",
       "write x = \"plain\" or x = { class = \"plain\" }"},
      {column("as = \"y\""), "contract.toml:6:1: column 'x' of table 'person' has no class",
       "the classes are"},
      {column("class = \"plain\", ownr = \"both\""),
       "contract.toml:6:24: unknown key 'ownr' in column 'x' of table 'person'",
       "did you mean 'owner'?"},
      {column("class = \"plain\", owner = \"me\""), "contract.toml:6:32: unknown owner 'me'",
       "write both, primary or secondary"},
      {column("class = \"plain\", as = \"\""), "contract.toml:6:29: 'as' is empty", "write a name"},
      {column("class = \"plain\", as = \"\\u0000\""),
       "contract.toml:6:29: 'as' contains a NUL character", "delete it"},
      {column("class = \"plain\", as = \"abgleich_x\""),
       "contract.toml:6:29: column 'x' would be called 'abgleich_x' in the secondary, like the "
       "bookkeeping",
       "as = "},
      {person("ABGLEICH_x = \"plain\""),
       "contract.toml:6:1: column 'ABGLEICH_x' would be called 'ABGLEICH_x' in the secondary, like "
       "the bookkeeping",
       "as = "},
      {person("\"\" = \"plain\""), "contract.toml:6:1: a column name in table 'person' is empty",
       "write a name"},
      {column("class = \"plain\", was = \"x\""),
       "contract.toml:6:30: 'was' of column 'x' is its name", "write the old name"},
      {column("class = \"plain\", was = \"\""), "contract.toml:6:30: 'was' is empty", "a name"},
      {column("class = \"plain\", codes = \"A\""),
       "contract.toml:6:32: 'codes' is a string, but must be a list of strings", "codes = [\"A\""},
      {column("class = \"plain\", codes = []"),
       "contract.toml:6:32: 'codes' of column 'x' is empty", "allow any"},
      {column("class = \"plain\", codes = [\"A\", \"A\"]"),
       "contract.toml:6:38: code 'A' of column 'x' is listed twice", "delete one"},
      {column("class = \"plain\", identity = \"p\""),
       "contract.toml:6:24: 'identity' does not fit column 'x' of class plain",
       "class = \"pseudonym\""},
      {column("class = \"plain\", to = \"year\""),
       "contract.toml:6:24: 'to' does not fit column 'x' of class plain", "class = \"generalise\""},
      {column("class = \"generalise\", to = \"year\", normalise = \"text\""),
       "contract.toml:6:42: 'normalise' does not fit column 'x' of class generalise",
       "delete 'normalise'"},
      {column("class = \"pseudonym\", identity = \"p\", reference = \"2024-01-01\""),
       "contract.toml:6:44: 'reference' does not fit column 'x' of class pseudonym", "delete"},
      {column("class = \"plain\", erase = true"),
       "contract.toml:6:24: 'erase' does not fit column 'x', which is exported",
       "write x = { class = \"withhold\", erase = true }"},
      {column("class = \"withhold\", codes = [\"A\"]"),
       "contract.toml:6:27: 'codes' does not fit column 'x', which is withheld",
       "write x = \"withhold\""},
      {column("class = \"withhold\", identity = \"p\""),
       "contract.toml:6:27: 'identity' does not fit column 'x', which is withheld", "withhold"},
      {person("x = \"pseudonym\""), "contract.toml:6:1: pseudonym 'x' has no identity",
       "write x = { class = \"pseudonym\", identity = \"person\" }"},
      {column("class = \"pseudonym\", identity = \"\""), "contract.toml:6:39: 'identity' is empty",
       "write a name"},
      {column("class = \"pseudonym\", identity = \"p\", format = \"uid\""),
       "contract.toml:6:53: unknown format 'uid'",
       "did you mean 'uuid'? write text, uuid, integer or "
       "token"},
      {column("class = \"pseudonym\", identity = \"p\", format = \"automatic\""),
       "contract.toml:6:53: unknown format 'automatic'", "write text, uuid, integer or token"},
      {column("class = \"pseudonym\", identity = \"p\", normalise = \"fone\""),
       "contract.toml:6:56: unknown normaliser 'fone'",
       "did you mean 'none'? write none, text, name, phone or email"},
      {person("x = \"generalise\""),
       "contract.toml:6:1: column 'x' is to be generalised, but not to what",
       "write to = \"year\""},
      {column("class = \"generalise\", to = \"age-bnd:5\""),
       "contract.toml:6:34: unknown generalisation 'age-bnd:5' of column 'x'",
       "did you mean 'age-band'? write to = \"year\", \"month\", \"week\", \"age-band:N\""},
      {column("class = \"generalise\", to = \"hash\""),
       "contract.toml:6:34: unknown generalisation 'hash' of column 'x'", "\"round:N\""},
      {column("class = \"generalise\", to = \"round\""),
       "contract.toml:6:34: 'round' is without its number", "write to = \"round:5\""},
      {column("class = \"generalise\", to = \"map:3\""),
       "contract.toml:6:34: 'map' takes no number", "write to = \"map\""},
      {column("class = \"generalise\", to = \"map\""),
       "contract.toml:6:1: column 'x' is without its 'map'", "write map = { \"A\" = \"ill\""},
      {column("class = \"generalise\", to = \"map\", map = {}"),
       "contract.toml:6:47: 'map' of column 'x' is empty", "write map = {"},
      {column("class = \"generalise\", to = \"map\", map = \"A\""),
       "contract.toml:6:47: 'map' is a string, but must be a table", "write map = {"},
      {column("class = \"generalise\", to = \"map\", map = { A = 1 }"),
       "contract.toml:6:53: 'A' is an integer, but must be a string", "write map = {"},
      {column("class = \"generalise\", to = \"map\", map = { A = \"a\" }, otherwise = 1"),
       "contract.toml:6:72: 'otherwise' is an integer, but must be a string",
       "otherwise = \"other\""},
      {column("class = \"generalise\", to = \"year\", map = { A = \"a\" }"),
       "contract.toml:6:42: 'map' does not fit column 'x': it goes with to = \"map\"",
       "delete 'map'"},
      {column("class = \"generalise\", to = \"const\", otherwise = \"a\", value = \"v\""),
       "contract.toml:6:43: 'otherwise' does not fit column 'x': it goes with to = \"map\"",
       "delete 'otherwise'"},
      {column("class = \"generalise\", to = \"const\""),
       "contract.toml:6:1: column 'x' is without its 'value'", "write value = \"hidden\""},
      {column("class = \"generalise\", to = \"map\", map = { A = \"a\" }, value = \"v\""),
       "contract.toml:6:60: 'value' does not fit column 'x': it goes with to = \"const\"",
       "write to = \"const\""},
      {column("class = \"plain\", map = { A = \"a\" }"),
       "contract.toml:6:24: 'map' does not fit column 'x' of class plain",
       "class = \"generalise\""},
      {column("class = \"plain\", accept_low_entropy = \"so\""),
       "contract.toml:6:24: 'accept_low_entropy' does not fit column 'x' of class plain",
       "class = \"pseudonym\""},
      {column("class = \"pseudonym\", identity = \"p\", accept_low_entropy = \" \""),
       "contract.toml:6:65: 'accept_low_entropy' of column 'x' gives no reason",
       "accept_low_entropy = \"the reason\""},
      {column("class = \"pseudonym\", identity = \"p\", accept_low_entropy = true"),
       "contract.toml:6:65: 'accept_low_entropy' is true or false, but must be a string",
       "the reason"},
      {column("class = \"pseudonym\", identity = \"p\", country = \"AT\""),
       "contract.toml:6:44: 'country' does not fit column 'x': only phone numbers are of a country",
       "normalise = \"phone\""},
      {column("class = \"pseudonym\", identity = \"p\", normalise = \"phone\", country = \"at\""),
       "contract.toml:6:75: 'at' is not a country code", "two capital letters"},
      {"format = 1\ncountry = \"DEU\"", "contract.toml:2:11: 'DEU' is not a country code",
       "write country = \"DE\""},
      {"format = 1\ncountry = 49",
       "contract.toml:2:11: 'country' is an integer, but must be a string",
       "write country = \"DE\""},
      // Subjects
      {"format = 1\n[tables.t]\nkey = [\"a\", \"b\"]\n[tables.t.columns]\na = \"plain\"\nb = "
       "\"plain\"\nd = { class = \"generalise\", to = \"shift:30\" }\n",
       "contract.toml:7:1: column 'd' is shifted by subject, and table 't' has no subject",
       "write subject = "},
      {person("x = \"plain\"\n", "subject = \"x\"\n"),
       "contract.toml:4:11: the subject of table 'person' is 'x', which is no pseudonym",
       "whose row it is"},
      {person("x = \"plain\"\n", "subject = \"y\"\n"),
       "contract.toml:4:11: the subject of table 'person' names 'y', which is not among the "
       "columns "
       "of table 'person'",
       "write a line"},
      {person("x = \"withhold\"\n", "subject = \"x\"\n"),
       "contract.toml:4:11: the subject of table 'person' names 'x', which is withheld",
       "another class"},
      {person("x = \"plain\"\n", "quasi_identifiers = \"x\"\n"),
       "contract.toml:4:21: 'quasi_identifiers' is a string, but must be a list of strings",
       "quasi_identifiers = ["},
      {person("x = \"plain\"\n", "quasi_identifiers = [\"x\", \"y\"]\n"),
       "contract.toml:4:27: 'quasi_identifiers' names 'y', which is not among the columns of table "
       "'person'",
       "write a line"},
      {person("x = \"plain\"\n", "quasi_identifiers = [\"id\"]\n"),
       "contract.toml:4:22: 'quasi_identifiers' names 'id', a column of the key", "delete it"},
      {person("x = \"withhold\"\n", "sensitive = [\"x\"]\n"),
       "contract.toml:4:14: 'sensitive' names 'x', which is withheld", "another class"},
      {person("x = \"plain\"\n", "quasi_identifiers = [\"x\"]\nsensitive = [\"x\"]\n"),
       "contract.toml:5:14: 'sensitive' names 'x' a second time", "one quasi-identifier"},
      {column("class = \"generalise\", to = \"prefix\""),
       "contract.toml:6:34: 'prefix' is without its number", "write to = \"prefix:5\""},
      {column("class = \"generalise\", to = \"year:2\""),
       "contract.toml:6:34: 'year' takes no number", "write to = \"year\""},
      {column("class = \"generalise\", to = \"age-band:10\""),
       "contract.toml:6:1: column 'x' has an age band without a reference date",
       "write reference = \"2026-01-01\""},
      {column("class = \"generalise\", to = \"month\", reference = \"2024-01-01\""),
       "contract.toml:6:43: 'reference' does not fit column 'x': only an age band counts from a "
       "date",
       "delete 'reference'"},
      {column("class = \"generalise\", to = \"age-band:5\", reference = 2024-01-01"),
       "contract.toml:6:60: 'reference' is a date or time, but must be a string",
       "reference = \"2026-01-01\""},
      {person("x = { class = \"plain\", as = \"a\" }\nA = \"plain\"\n"),
       "contract.toml:7:1: columns 'x' and 'A' of table 'person' would have one name in the "
       "secondary, 'A'",
       "write as = "},
      {person("x = { class = \"plain\", was = \"o\" }\ny = { class = \"plain\", was = \"o\" }\n"),
       "contract.toml:7:1: 'x' and 'y' both have was = 'o'", "only one of them"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const Error error = contract_refusal(one.text);
    CHECK(error.message == one.message);
    CAPTURE(error.hint);
    CHECK(contains(error.hint, one.hint));
  }
}

TEST_CASE("the number of an age band or a prefix is whole, positive and sensible") {
  for (const std::string bad :
       {"age-band:", "age-band:0", "age-band:05", "age-band:-5", "age-band:+5", "age-band:5.0",
        "age-band: 5", "age-band:101", "age-band:5:5", "age-band:99999999999999999999", "prefix:0",
        "prefix:x", "prefix:256", "round:0", "round:1000000001", "round:0.5", "shift:0", "shift:-3",
        "shift:3651"}) {
    CAPTURE(bad);
    const Error error = contract_refusal(
        person("x = { class = \"generalise\", to = \"" + std::string(bad) + "\" }\n"));
    CHECK(contains(error.message, "contract.toml:6:34: "));
    CHECK(contains(error.message, "needs a whole number from 1 to "));
  }
  CHECK_NOTHROW(parse(person("x = { class = \"generalise\", to = \"prefix:255\" }\n")));
}

TEST_CASE("maps, constants, steps, shifts, countries, subjects and reasons are understood") {
  const Contract contract = parse(R"(format = 1
country = "AT"
[tables.person]
key = ["id"]
quasi_identifiers = ["born", "sex"]
sensitive = ["state"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
phone = { class = "pseudonym", identity = "phone", normalise = "phone" }
fax = { class = "pseudonym", identity = "phone", normalise = "phone", country = "CH" }
born = { class = "generalise", to = "shift:14" }
size = { class = "generalise", to = "round:5" }
state = { class = "generalise", to = "map", map = { A = "ill", "" = "none" }, otherwise = "other" }
code = { class = "generalise", to = "map", map.A = "" }
name = { class = "generalise", to = "const", value = "" }
sex = { class = "pseudonym", identity = "sex", accept_low_entropy = "counted only" }
[tables.contact]
key = ["person_id", "n"]
subject = "person_id"
[tables.contact.columns]
person_id = { class = "pseudonym", identity = "person" }
n = "plain"
met_on = { class = "generalise", to = "shift:14" }
[tables.place]
key = ["id"]
columns.id = "plain"
)");
  const Table& table = contract.tables[0];
  CHECK(table.subject == "id");
  CHECK(table.quasi_identifiers == std::vector<std::string>{"born", "sex"});
  CHECK(table.sensitive == std::vector<std::string>{"state"});
  CHECK(table.find_column("phone")->country == "AT");
  CHECK(table.find_column("fax")->country == "CH");
  CHECK(table.find_column("id")->country.empty());
  CHECK(table.find_column("born")->generalisation ==
        Generalisation{.to = Generalisation::To::shift, .n = 14});
  CHECK(table.find_column("size")->generalisation ==
        Generalisation{.to = Generalisation::To::round, .n = 5});
  CHECK(table.find_column("state")->generalisation ==
        Generalisation{.to = Generalisation::To::map,
                       .map = {{"A", "ill"}, {"", "none"}},
                       .otherwise = "other"});
  CHECK(table.find_column("code")->generalisation ==
        Generalisation{.to = Generalisation::To::map, .map = {{"A", ""}}});
  CHECK(table.find_column("name")->generalisation.to == Generalisation::To::constant);
  CHECK(table.find_column("sex")->accept_low_entropy == "counted only");
  CHECK(contract.tables[1].subject == "person_id");
  CHECK(contract.tables[2].subject.empty());
}

TEST_CASE("phone numbers are German unless the contract says otherwise") {
  const Contract contract =
      parse(person("x = { class = \"pseudonym\", identity = \"p\", normalise = \"phone\" }\n"));
  CHECK(contract.tables[0].find_column("x")->country == "DE");
}

TEST_CASE("a reference date is a day of the calendar") {
  const auto with = [](const std::string& date) {
    return person("x = { class = \"generalise\", to = \"age-band:5\", reference = \"" + date +
                  "\" }\n");
  };
  for (const std::string bad : {"", "2023-02-29", "2024-13-01", "2024-00-01", "2024-01-00",
                                "2024-1-1", "0000-01-01", "-024-01-01", "2024-01-0x", "2024/01/01",
                                "01.02.2024", "2024-01-01T00:00:00", "2024-01--1"}) {
    CAPTURE(bad);
    CHECK(contains(contract_refusal(with(bad)).message, "is not a date"));
  }
  CHECK_NOTHROW(parse(with("2024-02-29")));
}

TEST_CASE("hostile names do not break the line of a message, nor steer the terminal") {
  const Error error = contract_refusal("format = 1\n\"a\\nb\\u001B[31m\\u009B\\u007Fä\" = 1\n");
  CHECK(error.message ==
        "contract.toml:2:1: unknown key 'a\\x0ab\\x1b[31m\\u009b\\x7fä' in the contract");
}

TEST_CASE("nesting that would overflow the stack is refused") {
  std::string dots = "format = 1\n";
  for (int i = 0; i < 100000; ++i) {
    dots += "a.";
  }
  CHECK(contract_refusal(dots + "a = 1\n").message ==
        "contract.toml:2:130: dotted key without end");
  const Error error = contract_refusal("format = 1\nx = " + std::string(100000, '['));
  CHECK(contains(error.message, "contract.toml:2:"));
  CHECK(contains(
      contract_refusal("format = 1\nx = " + std::string(30, '[') + std::string(30, ']')).message,
      "nested too deeply"));
}

TEST_CASE("dots inside strings and comments are not dotted keys") {
  const std::string dots(1000, '.');
  CHECK_NOTHROW(parse("format = 1 # " + dots +
                      "\n[tables.t]\nkey = [\"x\"]\ncolumns.x = { class = "
                      "\"plain\", codes = [\"\\\"" +
                      dots + "\", '" + dots + "'] }\n"));
}

TEST_CASE("a table exports no more columns than can be compared in one statement") {
  const auto wide = [](int columns) {
    std::string text = "format = 1\n[tables.t]\nkey = [\"c1\"]\n[tables.t.columns]\n";
    for (int i = 1; i <= columns; ++i) {
      text += "c" + std::to_string(i) + " = \"plain\"\n";
    }
    return text + "hidden = \"withhold\"\n";
  };
  CHECK_NOTHROW(parse(wide(800)));
  CHECK(contract_refusal(wide(801)).message ==
        "contract.toml:2:9: table 't' exports 801 columns, more than the 800 that can be merged");
}

TEST_CASE("a contract that cannot be read is named, with the reason") {
  const auto directory = std::filesystem::temp_directory_path();
  const Error missing =
      refusal_of([&] { static_cast<void>(read_contract(directory / "no" / "such.toml")); });
  CHECK(missing.message ==
        (directory / "no" / "such.toml").string() + ": cannot be read: No such file or directory");
  const Error not_a_file = refusal_of([&] { static_cast<void>(read_contract(directory)); });
  CHECK(not_a_file.message == directory.string() + ": is a directory, not a file");
}

TEST_CASE("what is withheld may be erased where it was exported before") {
  const Contract contract =
      parse(person("a = { class = \"withhold\", erase = true }\n"
                   "b = { class = \"withhold\", erase = false }\nc = \"withhold\"\n"));
  const Table& table = contract.tables.front();
  CHECK(table.find_column("a")->erase);
  CHECK_FALSE(table.find_column("b")->erase);
  CHECK_FALSE(table.find_column("c")->erase);
  CHECK_FALSE(table.find_column("a")->exported());
}

TEST_CASE("contract: a row cannot do without a token of somebody else") {
  CHECK(contains(
      contract_refusal(person("x = { class = \"token\", on_unusable = \"null\" }\n")).message,
      "'on_unusable' does not fit column 'x'"));
}

TEST_CASE("contract: tokens of this node, of others, and such as come back") {
  const auto contract = parse(
      "format = 1\n[tables.slot]\nkey = [\"id\"]\n[tables.slot.columns]\n"
      "id = { class = \"token\", identity = \"slot\" }\nother = \"token\"\n"
      "mine = { class = \"token\", resolves = \"registration.number\", as = \"number\" }\n");
  const auto& columns = contract.tables.front().columns;
  CHECK(columns[0].cls == Class::pseudonym);
  CHECK(columns[0].format == Format::token);
  CHECK(columns[0].identity == "slot");
  CHECK(columns[1].cls == Class::token);
  CHECK_FALSE(columns[1].resolves.has_value());
  CHECK(columns[2].resolves == Resolves{.table = "registration", .column = "number"});
  CHECK_FALSE(columns[2].stays_distinct());
}
