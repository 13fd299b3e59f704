#include "contract/init_text.hpp"

#include "contract/column_names.hpp"
#include "contract/config.hpp"
#include "contract/refusal.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <random>
#include <set>

using namespace abgleich;
using namespace abgleich::contract;

namespace {

Type type(Family family, const std::string& native) {
  Type out;
  out.family = family;
  out.native = native;
  return out;
}

CatalogColumn column(const std::string& name, Family family = Family::text, bool nullable = true) {
  CatalogColumn out;
  out.name = name;
  out.type = type(family, std::string(name_of(family)));
  out.nullable = nullable;
  return out;
}

CatalogColumn enumeration(const std::string& name) {
  CatalogColumn out = column(name);
  out.type = type(Family::text, "mood");
  out.type.labels = {"good", "bad"};
  return out;
}

CatalogTable table(const std::string& name, std::vector<CatalogColumn> columns,
                   std::vector<std::string> key) {
  CatalogTable out;
  out.name = name;
  out.columns = std::move(columns);
  if (!key.empty()) {
    out.primary_key = CatalogKey{.name = "pk", .columns = std::move(key)};
  }
  return out;
}

CatalogForeignKey points(std::vector<std::string> columns, const std::string& to,
                         std::vector<std::string> referenced) {
  return {.name = "fk",
          .columns = std::move(columns),
          .table = to,
          .referenced = std::move(referenced),
          .deferrable = false};
}

Catalog catalog(std::vector<CatalogTable> tables) {
  Catalog out;
  out.tables = std::move(tables);
  return out;
}

Contract guess(const Catalog& from) {
  return parse_contract(contract_text(from), "contract.toml");
}

const Column& guessed(const Contract& contract, const std::string& table_name,
                      const std::string& column_name) {
  const Table* found = contract.find_table(table_name);
  REQUIRE(found != nullptr);
  const Column* named = found->find_column(column_name);
  REQUIRE(named != nullptr);
  return *named;
}

}  // namespace

TEST_CASE("the first contract of a small database is this") {
  CatalogTable person = table(
      "person",
      {column("id", Family::integer, false), column("uuid", Family::uuid), column("first_name"),
       column("birth_date", Family::date), column("alive", Family::boolean), enumeration("sex"),
       column("height", Family::integer), column("changedate", Family::timestamp)},
      {"id"});
  CatalogTable contact =
      table("contact", {column("a", Family::integer), column("b", Family::integer)}, {"a", "b"});
  contact.foreign_keys = {points({"a"}, "person", {"id"})};
  CatalogTable report = table("report", {column("n", Family::integer)}, {});
  report.kind = TableKind::view;
  const std::string text = contract_text(catalog({contact, person, report}));
  const std::string body = text.substr(text.find("format = 1"));
  CHECK(body == R"(format = 1

[tables.contact]
key = ["a", "b"]

[tables.contact.columns]
a = { class = "pseudonym", identity = "person" }  # integer
b = "plain"  # integer

[tables.person]
key = ["id"]

[tables.person.columns]
id         = { class = "pseudonym", identity = "person" }  # integer
uuid       = "withhold"  # uuid
first_name = "withhold"  # text
birth_date = "withhold"  # date; perhaps { class = "generalise", to = "year" }
alive      = "plain"  # boolean
sex        = "plain"  # mood
height     = "withhold"  # integer
changedate = "withhold"  # timestamp; says when somebody worked on the row

# Left out: a view has no key of its own; name columns that are unique and not null
# [tables.report]
# key = []
#
# [tables.report.columns]
# n = "withhold"  # integer
)");
  CHECK(guess(catalog({contact, person, report})).tables.size() == 2);
}

TEST_CASE(
    "partitions, foreign tables and materialised views are not offered, partitioned tables are") {
  std::vector<CatalogTable> tables;
  for (const auto& [name, kind] :
       {std::pair("a", TableKind::partition), std::pair("b", TableKind::foreign),
        std::pair("c", TableKind::materialised_view), std::pair("d", TableKind::partitioned)}) {
    tables.push_back(table(name, {column("id", Family::integer, false)}, {"id"}));
    tables.back().kind = kind;
  }
  const Contract contract = guess(catalog(tables));
  REQUIRE(contract.tables.size() == 1);
  CHECK(contract.tables.front().name == "d");
}

TEST_CASE("without a primary key the shortest unique key that is never null is taken") {
  CatalogTable one = table("t",
                           {column("a", Family::text, false), column("b", Family::text, false),
                            column("c", Family::text, true), column("d", Family::text, false)},
                           {});
  one.uniques = {{.name = "u1", .columns = {"a", "b"}},
                 {.name = "u2", .columns = {"c"}},
                 {.name = "u3", .columns = {"d"}}};
  CHECK(guess(catalog({one})).tables.at(0).key == std::vector<std::string>{"d"});
  one.uniques.pop_back();
  CHECK(guess(catalog({one})).tables.at(0).key == std::vector<std::string>{"a", "b"});
  one.columns[1].nullable = true;
  const std::string text = contract_text(catalog({one}));
  CHECK(contains(text,
                 "# Left out: it has neither a primary key nor a unique key whose columns are "
                 "all not null\n# [tables.t]\n"));
  CHECK(parse_contract(text, "f").tables.empty());
}

TEST_CASE("whether the role may read already makes no difference to the guess") {
  CatalogTable one =
      table("t", {column("id", Family::integer, false), column("ok", Family::boolean)}, {"id"});
  const auto readable = guess(catalog({one}));
  for (auto& each : one.columns) {
    each.readable = false;
  }
  const auto unreadable = guess(catalog({one}));
  CHECK(guessed(readable, "t", "ok").cls == Class::plain);
  CHECK(guessed(unreadable, "t", "ok").cls == Class::plain);
  CHECK(guessed(unreadable, "t", "id").identity == guessed(readable, "t", "id").identity);
  CHECK(contains(contract_text(catalog({one})), "# boolean; this role may not read it yet\n"));
}

TEST_CASE("a chain of foreign keys carries the identity of the table that it ends in") {
  CatalogTable person = table("person", {column("id"), column("uuid")}, {"id"});
  CatalogTable patient =
      table("patient", {column("person_id"), column("mother_uuid")}, {"person_id"});
  patient.foreign_keys = {points({"person_id"}, "person", {"id"}),
                          points({"mother_uuid"}, "person", {"uuid"})};
  CatalogTable visit = table("visit", {column("patient_id"), column("nr"), column("clinic_id")},
                             {"patient_id", "nr"});
  visit.foreign_keys = {points({"patient_id"}, "patient", {"person_id"}),
                        points({"clinic_id"}, "clinic", {"id"})};
  CatalogTable clinic = table("clinic", {column("id")}, {});  // no key: not exported
  const Contract contract = guess(catalog({clinic, patient, person, visit}));
  CHECK(guessed(contract, "person", "id").identity == "person");
  CHECK(guessed(contract, "patient", "person_id").identity == "person");
  CHECK(guessed(contract, "visit", "patient_id").identity == "person");
  CHECK(guessed(contract, "visit", "nr").identity == "visit");
  CHECK_FALSE(guessed(contract, "visit", "clinic_id").exported());
  // What a foreign key points to is exported with it, or the join is lost.
  CHECK(guessed(contract, "patient", "mother_uuid").identity == "person");
  CHECK(guessed(contract, "person", "uuid").identity == "person");
}

TEST_CASE("composite foreign keys and circles of tables have identities too") {
  CatalogTable a = table("a", {column("x"), column("y")}, {"x", "y"});
  CatalogTable b = table("b", {column("id"), column("x"), column("y")}, {"id"});
  b.foreign_keys = {points({"x", "y"}, "a", {"x", "y"}), points({"id"}, "c", {"id"})};
  CatalogTable c = table("c", {column("id"), column("parent")}, {"id"});
  c.foreign_keys = {points({"id"}, "b", {"id"}), points({"parent"}, "c", {"id"})};
  const Contract contract = guess(catalog({a, b, c}));
  CHECK(guessed(contract, "b", "x").identity == "a");
  CHECK(guessed(contract, "b", "y").identity == "a");
  CHECK(guessed(contract, "b", "id").identity == "b");
  CHECK(guessed(contract, "c", "id").identity == "b");
  CHECK(guessed(contract, "c", "parent").identity == "b");
}

TEST_CASE("no pseudonym is guessed of what few values fill") {
  CatalogTable district = table("district", {column("id", Family::integer, false)}, {"id"});
  CatalogTable person =
      table("person",
            {column("id", Family::integer, false), column("district_id", Family::integer)}, {"id"});
  person.foreign_keys = {points({"district_id"}, "district", {"id"})};
  CatalogTable line = table(
      "line", {column("person_id", Family::integer, false), column("n", Family::integer, false)},
      {"person_id", "n"});
  line.foreign_keys = {points({"person_id"}, "person", {"id"})};
  CatalogTable day = table(
      "day", {column("person_id", Family::integer, false), column("seen", Family::date, false)},
      {"person_id", "seen"});
  day.foreign_keys = {points({"person_id"}, "person", {"id"})};
  CatalogTable file = table(
      "file", {column("office", Family::integer, false), column("number", Family::integer, false)},
      {"office", "number"});
  const auto tables = catalog({day, district, file, line, person});
  const Contract contract = guess(tables);
  CHECK_FALSE(guessed(contract, "person", "district_id").exported());
  CHECK(guessed(contract, "district", "id").identity == "district");
  CHECK(guessed(contract, "line", "n").cls == Class::plain);
  // a number that is not within anything may be somebody's own
  CHECK(guessed(contract, "file", "number").cls == Class::pseudonym);
  CHECK(contract.find_table("day") == nullptr);
  CHECK(contains(contract_text(tables), "# [tables.day]"));
}

TEST_CASE("columns that sound personal start as withheld, whatever their type") {
  const std::vector<std::string> personal{"name",
                                          "Vorname",
                                          "nachname",
                                          "lastName",
                                          "straße",
                                          "STRASSE",
                                          "home_street",
                                          "telefon_privat",
                                          "phone2",
                                          "handy",
                                          "mobil",
                                          "e_mail",
                                          "email",
                                          "geburtsdatum",
                                          "birthdate_dd",
                                          "Adresse",
                                          "address_id",
                                          "plz",
                                          "zip",
                                          "zip2",
                                          "ort",
                                          "wohnort",
                                          "geburtsOrt",
                                          "reportlat",
                                          "lon",
                                          "latitude",
                                          "bemerkung",
                                          "comment",
                                          "notes",
                                          "Beschreibung",
                                          "description",
                                          "otherdetails",
                                          "passportnumber",
                                          "ausweis_nr",
                                          "iban",
                                          "ip",
                                          "client_ip",
                                          "lastIp",
                                          "user_id",
                                          "benutzer",
                                          "größe_bemerkung",
                                          "Geburtsjahr",
                                          "versichertennr"};
  const std::vector<std::string> others{"alive",   "reported",  "important", "recipient",
                                        "status",  "transport", "airport",   "quarantined",
                                        "disease", "zipped"};
  for (const std::string& name : personal) {
    CAPTURE(name);
    CHECK(sounds_personal(name));
    for (const CatalogColumn& one :
         {column(name, Family::boolean), enumeration(name), column(name, Family::timestamp)}) {
      const Contract contract =
          guess(catalog({table("t", {column("id", Family::integer, false), one}, {"id"})}));
      CHECK_FALSE(guessed(contract, "t", name).exported());
    }
  }
  for (const std::string& name : others) {
    CAPTURE(name);
    CHECK(guessed(guess(catalog({table(
                      "t", {column("id", Family::integer, false), column(name, Family::boolean)},
                      {"id"})})),
                  "t", name)
              .cls == Class::plain);
  }
}

TEST_CASE("no date starts as plain, those that say when somebody worked on the row neither") {
  for (const std::string& name :
       {std::string("changedate"), std::string("creationdate"), std::string("created_at"),
        std::string("updatedAt"), std::string("last_modified"), std::string("changed_at"),
        std::string("created"), std::string("geändert_am"), std::string("Erstellt am")}) {
    CAPTURE(name);
    for (const auto family : {Family::date, Family::timestamp, Family::timestamptz, Family::text,
                              Family::integer, Family::dynamic}) {
      CHECK(
          guessed(guess(catalog({table(
                      "t", {column("id", Family::integer, false), column(name, family)}, {"id"})})),
                  "t", name)
              .cls == Class::withhold);
    }
    CHECK(dates_the_record(name));
    // as a part of a key it would have to leave
    CHECK(guess(catalog({table("t", {column("a", Family::integer), column(name, Family::date)},
                               {"a", name})}))
              .tables.empty());
  }
  CHECK_FALSE(dates_the_record("onset_date"));
  CHECK_FALSE(dates_the_record("entrydate"));
}

TEST_CASE("no labelled personal column of the field starts as plain") {
  std::ifstream file(std::string(abgleich::test::kSourceTree) + "/../shared/data/pii-labels.json");
  if (!file) {
    MESSAGE("skipped: the labels of personal columns are not on this machine");
    return;
  }
  const nlohmann::json labels = nlohmann::json::parse(file);
  // the types that these columns have there, over its versions; enumerations are text to it
  for (const auto& [family, native] :
       {std::pair(Family::text, "character varying(255)"), std::pair(Family::integer, "bigint"),
        std::pair(Family::real, "double precision")}) {
    CAPTURE(native);
    Catalog labelled;
    for (const auto& [table_name, columns] : labels.items()) {
      std::vector<CatalogColumn> all{column("id", Family::integer, false)};
      for (const auto& [column_name, label] : columns.items()) {
        all.push_back(column(column_name));
        all.back().type = type(family, native);
      }
      labelled.tables.push_back(table(table_name, all, {"id"}));
    }
    std::size_t checked = 0;
    std::size_t named = 0;
    for (const Table& one : guess(labelled).tables) {
      for (const Column& guess_of : one.columns) {
        if (guess_of.name != "id") {
          CAPTURE(one.name);
          CAPTURE(guess_of.name);
          CHECK(guess_of.cls == Class::withhold);
          named += sounds_personal(guess_of.name) ? 1 : 0;
          ++checked;
        }
      }
    }
    CHECK(checked > 200);
    MESSAGE(checked, " labelled columns as ", native, ", ", named,
            " of them by their names whatever the type");
  }
}

TEST_CASE("hostile names come back unchanged") {
  const std::vector<std::string> hostile{"a\"b",       "a'b",          "a.b",        "a b",
                                         "Über",       "a\nb",         "a\r\n\tb",   "a\\b",
                                         "a\x1b[31mb", "a\x7f",        "\xC2\x9B",   "#",
                                         "]",          "[x]",          "\"\"\"",     "'''",
                                         "=",          "\\u0041",      "😀",          "-",
                                         "1",          "true",         "inf",        "a\\",
                                         " ",          "\xEF\xBB\xBF", "columns",    "key",
                                         "a\nkey=1",   "\x01\x02",     "abgleich_x", "日本"};
  std::vector<CatalogTable> tables;
  for (const std::string& name : hostile) {
    std::vector<CatalogColumn> columns;
    for (const std::string& inner : hostile) {
      columns.push_back(column(inner, Family::boolean, false));
      columns.back().type.native = inner;
    }
    tables.push_back(table(name, columns, {name}));
    tables.back().foreign_keys = {points({hostile.front()}, hostile.back(), {hostile.back()})};
    tables.push_back(table(name + "/keyless", columns, {}));
  }
  const Contract contract = guess(catalog(tables));
  REQUIRE(contract.tables.size() == hostile.size());
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    CHECK(contract.tables[i].name == hostile[i]);
    CHECK(contract.tables[i].key == std::vector<std::string>{hostile[i]});
    REQUIRE(contract.tables[i].columns.size() == hostile.size());
    for (std::size_t j = 0; j < hostile.size(); ++j) {
      CHECK(contract.tables[i].columns[j].name == hostile[j]);
    }
  }
}

TEST_CASE("names that TOML cannot hold are left out, and the rest of the file stands") {
  const Contract contract =
      guess(catalog({table("", {column("id")}, {"id"}), table("\xFF", {column("id")}, {"id"}),
                     table("bad_key", {column("\xC3")}, {"\xC3"}),
                     table("good", {column("id"), column("a\xFF"), column("")}, {"id"})}));
  REQUIRE(contract.tables.size() == 1);
  CHECK(contract.tables[0].name == "good");
  CHECK(contract.tables[0].columns.size() == 1);
}

TEST_CASE("names that differ in capitals only get another name in the secondary") {
  const Contract contract = guess(catalog(
      {table("T", {column("id"), column("ID", Family::boolean), column("Id_2", Family::boolean)},
             {"id"}),
       table("t", {column("id")}, {"id"}), table("abgleich_base", {column("id")}, {"id"})}));
  CHECK(contract.tables[1].target == "t_2");
  CHECK(contract.tables[2].target == "data_abgleich_base");
  CHECK(guessed(contract, "T", "ID").as == "ID_2");
  CHECK(guessed(contract, "T", "Id_2").as == "Id_2_2");
}

TEST_CASE("random names always make a contract that is understood") {
  std::mt19937 random(20200316);
  const std::vector<std::string> pieces{
      "a", "B",    "\"",   "'",     "\\",       "\n",        "\r",   "\t", ".",
      "#", "=",    "[",    "]",     "{",        "}",         "ä",    "😀",  " ",
      ",", "\x01", "\x7f", "u0041", "\xC2\x85", "abgleich_", "\xFF", "-"};
  const auto name = [&] {
    std::string out;
    const std::size_t length = random() % 6;
    for (std::size_t i = 0; i < length; ++i) {
      out += pieces[random() % pieces.size()];
    }
    return out;
  };
  for (int round = 0; round < 300; ++round) {
    Catalog any;
    std::set<std::string> table_names;
    for (int t = 0; t < 4; ++t) {
      CatalogTable one;
      one.name = name();
      if (!table_names.insert(one.name).second) {
        continue;
      }
      one.kind = static_cast<TableKind>(random() % 6);
      std::set<std::string> column_names;
      for (int c = 0; c < 5; ++c) {
        const std::string column_name = name();
        if (column_names.insert(column_name).second) {
          one.columns.push_back(
              column(column_name, static_cast<Family>(random() % 14), random() % 2 == 0));
          one.columns.back().type.native = name();
          one.columns.back().readable = random() % 4 != 0;
        }
      }
      if (random() % 3 != 0) {
        one.primary_key = CatalogKey{.name = "k", .columns = {one.columns.front().name}};
      }
      one.uniques = {{.name = "u", .columns = {one.columns.back().name}}};
      any.tables.push_back(one);
    }
    for (CatalogTable& one : any.tables) {
      const CatalogTable& other = any.tables[random() % any.tables.size()];
      one.foreign_keys = {
          points({one.columns.back().name}, other.name, {other.columns.front().name})};
    }
    const std::string text = contract_text(any);
    CAPTURE(text);
    REQUIRE_NOTHROW(static_cast<void>(parse_contract(text, "contract.toml")));
  }
}

TEST_CASE("the first configuration is understood and means the two databases") {
  const Config postgresql =
      parse_config(config_text("postgresql://reader@db1/kpm", "postgres://writer@db2/second"),
                   "/etc/abgleich/abgleich.toml");
  CHECK(postgresql.primary.url == "postgresql://reader@db1/kpm");
  CHECK(postgresql.secondary.url == "postgres://writer@db2/second");
  CHECK(postgresql.contract == "/etc/abgleich/contract.toml");
  CHECK(postgresql.max_deleted.text() == "5%");

  const Config sqlite = parse_config(config_text("sqlite:/a \"b\"\\Ü.db", "sqlite:b.db"),
                                     "/etc/abgleich/abgleich.toml");
  CHECK(sqlite.primary.file == "/a \"b\"\\Ü.db");
  CHECK(sqlite.secondary.file == "/etc/abgleich/b.db");
}
