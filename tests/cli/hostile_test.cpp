// Names, values and keys that break programs, on every pairing of engines.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

/// A name as TOML writes it.
std::string toml(const std::string& name) {
  return Json(name).dump();  // the same escapes
}

std::string quoted(const std::string& name) {
  std::string text = "\"";
  for (const char c : name) {
    text += c == '"' ? "\"\"" : std::string(1, c);
  }
  return text + "\"";
}

std::string literal(const std::string& text) {
  std::string sql = "'";
  for (const char c : text) {
    sql += c == '\'' ? "''" : std::string(1, c);
  }
  return sql + "'";
}

/// Quotes, keywords, what SQL, TOML, JSON, printf and shells take for something else, and the names
/// that abgleich itself uses.
const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> kNames{
      "\"",
      "a\"b\"\"c",
      "it's",
      " ",
      " a b ",
      "select",
      "ORDER",
      "Größe ß",
      "名前",
      "a.b",
      "public.x",
      "a\\b",
      "\\",
      "%s%n",
      "{}",
      "{0}",
      "a\nb",
      "a\tb",
      "$1",
      "?1",
      ":x",
      "--",
      "/*",
      ";",
      "[x]",
      "`x`",
      "*",
      "0",
      "NULL",
      "c0",
      "c1",
      "cells",
      "n",
      "action",
      "mask",
      "fate",
      "before",
      "after",
      "s",
      "t",
      "b",
      "p",
      "r",
      "stage_1",
      "plan_2",
      "base_1",
      "base_3",
      "data_1",
      "rebase_1",
      "found_conflict",
      "head",
      "excluded",
      "temp",
      "main",
      "one",
      "key_text",
      "ä" + std::string(61, 'x'),  // 63 bytes, what PostgreSQL takes
  };
  return kNames;
}

std::string hostile_contract() {
  std::string text;
  for (std::size_t i = 0; i < hostile_names().size(); ++i) {
    const auto& table = hostile_names()[i];
    text += "[tables." + toml(table) + "]\nkey = [" + toml(table) + "]\n[tables." + toml(table) +
            ".columns]\n";
    for (const auto& column : hostile_names()) {
      text += toml(column) + " = \"plain\"\n";
    }
  }
  return text;
}

void make_hostile(Database& primary) {
  primary.run("BEGIN");
  for (const auto& table : hostile_names()) {
    std::string columns;
    std::string values;
    for (const auto& column : hostile_names()) {
      columns += (columns.empty() ? "" : ", ") + quoted(column) + " text" +
                 (column == table ? " PRIMARY KEY" : "");
      values += (values.empty() ? "" : ", ") + std::string(column == table ? "$" : "'v'");
    }
    primary.run("CREATE TABLE " + quoted(table) + " (" + columns + ")");
    for (const std::string key : {"'k1'", "'k2'", "'k3'", "'k4'"}) {
      auto row = values;
      row.replace(row.find('$'), 1, key);
      primary.run("INSERT INTO " + quoted(table) + " VALUES (" + row + ")");
    }
  }
  primary.run("COMMIT");
}

/// A column of the table that is not its key.
const std::string& other_column(std::size_t table) {
  return hostile_names()[(table + 1) % hostile_names().size()];
}

void hostile(On primary, On secondary) {
  Pairing pairing(primary, secondary, hostile_contract(), kLimits);
  make_hostile(pairing.primary);
  const auto tables = hostile_names().size();
  CHECK(lines_of(pairing.run({"diff", "--json"}).out).size() == 4 * tables);
  const auto first = pairing.sync();
  REQUIRE_MESSAGE(first["exit"] == 0, first.dump());
  CHECK(pairing.sync()["outcome"] == "unchanged");
  CHECK(pairing.run({"drift", "accept", "-q"}).exit == 0);
  CHECK(pairing.run({"check", "-q"}).exit == 0);

  for (std::size_t i = 0; i < tables; ++i) {
    const auto& name = hostile_names()[i];
    const auto table = quoted(name);
    const auto key = quoted(name);
    const auto cell = quoted(other_column(i));
    const auto update = "UPDATE " + table + " SET " + cell + " = ";
    pairing.primary.run(update + "'theirs' WHERE " + key + " IN ('k1', 'k2')");
    pairing.secondary.run(update + "'ours' WHERE " + key + " IN ('k2', 'k4')");
    pairing.primary.run("DELETE FROM " + table + " WHERE " + key + " = 'k3'");
    pairing.primary.run("INSERT INTO " + table + " (" + key + ") VALUES ('k5')");
  }
  const auto told = lines_of(pairing.run({"diff", "--json"}).out);
  std::map<std::string, std::set<std::string>> fates;
  for (const auto& line : told) {
    const auto& table = line["table"].get_ref<const std::string&>();
    REQUIRE(line["key"].contains(table));
    fates[table].insert(line["fate"].get<std::string>() + " " +
                        line["key"][table].get<std::string>());
  }
  const auto second = pairing.sync();
  CHECK(second["exit"] == 10);
  for (std::size_t i = 0; i < tables; ++i) {
    const auto& name = hostile_names()[i];
    CAPTURE(name);
    CHECK((fates[name] ==
           std::set<std::string>{"update k1", "conflict k2", "delete k3", "insert k5"}));
    const auto& counts = second["tables"][name];
    CHECK(counts["updated"] == 1);
    CHECK(counts["conflicts"] == 1);
    CHECK(counts["deleted"] == 1);
    CHECK(counts["inserted"] == 1);
    CHECK(pairing.secondary.rows("SELECT " + quoted(name) + ", " + quoted(other_column(i)) +
                                 " FROM " + quoted(name) + " ORDER BY 1") ==
          "k1|theirs\nk2|ours\nk4|ours\nk5|NULL");
  }
  const auto resolved = pairing.run(
      {"resolve", "--all", "--table", hostile_names()[0], "--take", "primary", "--json"});
  CHECK(resolved.exit == 0);
  CHECK(Json::parse(resolved.out)["resolved"] == 1);
  CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
  for (std::size_t i = 0; i < tables; ++i) {
    CHECK(pairing.secondary.rows("SELECT " + quoted(other_column(i)) + " FROM " +
                                 quoted(hostile_names()[i]) + " WHERE " +
                                 quoted(hostile_names()[i]) + " = 'k2'") == "theirs");
  }
  const auto last = pairing.sync();
  CHECK(last["outcome"] == "unchanged");
  CHECK(last["exit"] == 0);
  CHECK(pairing.run({"status"}).exit == 0);
  CHECK(pairing.run({"log"}).exit == 0);
}

}  // namespace

TEST_CASE("hostile names of tables and columns work") {
  on_every_pairing(hostile);
}

TEST_CASE("hostile names work with pseudonyms, foreign keys, other targets and withheld columns") {
  on_every_pairing([](On primary, On secondary) {
    const std::string parent = "Per\"son's\\ \n%s";
    const std::string child = "stage_2";
    const std::string id = "order \"by\"";
    const std::string secret = "geheim; --";
    Pairing pairing(
        primary, secondary,
        "[tables." + toml(parent) + "]\nkey = [" + toml(id) + "]\ntarget = " + toml("t.a\"b") +
            "\n[tables." + toml(parent) + ".columns]\n" + toml(id) +
            " = { class = \"pseudonym\", identity = \"a'b\\\"c\", as = " + toml("c1") + " }\n" +
            toml(secret) + " = \"withhold\"\ncells = \"plain\"\n" + "[tables." + child +
            "]\nkey = [\"base_1\"]\n[tables." + child + ".columns]\nbase_1 = \"plain\"\n" +
            toml(id) + " = { class = \"pseudonym\", identity = \"a'b\\\"c\" }\n",
        kLimits);
    pairing.primary.run("CREATE TABLE " + quoted(parent) + " (" + quoted(id) +
                        " integer PRIMARY KEY, " + quoted(secret) + " text, cells text);" +
                        "CREATE TABLE " + child + " (base_1 integer PRIMARY KEY, " + quoted(id) +
                        " integer REFERENCES " + quoted(parent) + " (" + quoted(id) + "));" +
                        "INSERT INTO " + quoted(parent) +
                        " VALUES (1, 'Canary', 'x'), (2, 'Canary', 'y');" + "INSERT INTO " + child +
                        " VALUES (1, 1), (2, 2), (3, NULL)");
    REQUIRE(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT base_1, cells FROM " + child + " JOIN " +
                                 quoted("t.a\"b") + " ON c1 = " + quoted(id) + " ORDER BY 1") ==
          "1|x\n2|y");
    pairing.primary.run("UPDATE " + child + " SET " + quoted(id) + " = 1 WHERE base_1 = 2;" +
                        "DELETE FROM " + quoted(parent) + " WHERE " + quoted(id) + " = 2");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 0);
    CHECK(line["tables"][parent]["deleted"] == 1);
    CHECK(line["tables"][child]["updated"] == 1);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

namespace {

/// Values as both engines can hold them.
const std::vector<std::string>& hostile_values() {
  static const std::vector<std::string> kValues{
      "",           " ",          "  ",
      "NULL",       "null",       "\\N",
      "\\.",        "\\",         "\\\\",
      "\\x41",      "\t",         "\n",
      "\r\n",       "a\tb",       "a\nb",
      "'",          "\"",         "''",
      "$1",         "?",          "%",
      "{}",         "\x01",       "\x7f",
      "\x1b[31m",   "a",          "A",
      "a ",         "a  ",        " a",
      "ä",          "a\u0308",    "Ä",
      "ae",         "ß",          "ss",
      "ẞ",          "İ",          "i",
      "\u200b",     "\ufeff",     "\ufffd",
      "\U0001F600", "\U0010FFFF", "0",
      "00",         "0.0",        "1e3",
      "true",       "{\"a\": 1}", "p1_aaaaaaaaaaaaaaaaaaaaaaaaaa",
  };
  return kValues;
}

std::string ordered(Database& database, const std::string& sql) {
  return database.rows(sql + " COLLATE " + (database.engine() == On::sqlite ? "BINARY" : "\"C\""));
}

}  // namespace

TEST_CASE("hostile values arrive as they are, as keys and as data, and are told apart") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary,
                    "[tables.plain]\nkey = [\"a\", \"b\"]\n[tables.plain.columns]\n"
                    "a = \"plain\"\nb = \"plain\"\nv = \"plain\"\n"
                    "[tables.masked]\nkey = [\"a\"]\n[tables.masked.columns]\n"
                    "a = { class = \"pseudonym\", identity = \"a\" }\nv = \"plain\"\n"
                    "[tables.owners]\nkey = [\"u\"]\n[tables.owners.columns]\n"
                    "u = \"plain\"\nbig = \"plain\"\n",
                    kLimits);
    const std::string million(1'000'000, 'm');
    pairing.primary.run(
        "BEGIN; CREATE TABLE plain (a text, b integer, v text, PRIMARY KEY (a, b));"
        "CREATE TABLE masked (a text PRIMARY KEY, v text);"
        "CREATE TABLE owners (u " +
        std::string(primary == On::sqlite ? "text" : "uuid") + " PRIMARY KEY, big text)");
    for (const auto& value : hostile_values()) {
      const auto text = literal(value);
      pairing.primary.run("INSERT INTO plain VALUES (" + text + ", -1, " + text + "), (" + text +
                          ", 2147483647, NULL);" + "INSERT INTO masked VALUES (" + text + ", " +
                          text + ")");
    }
    pairing.primary.run("INSERT INTO owners VALUES ('00000000-0000-0000-0000-000000000001', '" +
                        million +
                        "'), ('ffffffff-ffff-ffff-ffff-ffffffffffff', ''), "
                        "('00000000-0000-0000-0000-000000000002', NULL); COMMIT");
    const auto first = pairing.sync();
    REQUIRE_MESSAGE(first["exit"] == 0, first.dump());
    const auto same = [&] {
      const std::string plain = "SELECT a, b, v FROM plain ORDER BY b, a";
      CHECK(ordered(pairing.secondary, plain) == ordered(pairing.primary, plain));
      const std::string owners = "SELECT u, big FROM owners ORDER BY CAST(u AS text)";
      CHECK(ordered(pairing.secondary, owners) == ordered(pairing.primary, owners));
    };
    same();
    const std::string distinct = "SELECT count(DISTINCT a), count(DISTINCT v) FROM masked";
    CHECK(pairing.secondary.rows(distinct) == pairing.primary.rows(distinct));
    CHECK(pairing.sync()["outcome"] == "unchanged");

    // empty and NULL are two values; so are 'a' and 'a '; a change between them is one
    pairing.primary.run(
        "UPDATE plain SET v = '' WHERE b > 0; UPDATE plain SET v = NULL WHERE b < 0 AND a = '';"
        "UPDATE plain SET v = 'a ' WHERE b < 0 AND a = 'a';"
        "UPDATE owners SET big = NULL WHERE big = '';"
        "UPDATE owners SET big = substr(big, 2) || 'x' WHERE length(big) > 5");
    const auto second = pairing.sync();
    CHECK(second["tables"]["plain"]["updated"] == hostile_values().size() + 2);
    CHECK(second["tables"]["owners"]["updated"] == 2);
    same();
    CHECK(pairing.sync()["outcome"] == "unchanged");

    // what people see is escaped: a value neither breaks a line nor steers a terminal
    pairing.primary.run("UPDATE masked SET v = v || v");
    const auto diff = pairing.run({"diff", "--color=never"});
    CHECK(diff.exit == 0);
    CHECK(diff.out.find('\x1b') == std::string::npos);
    CHECK(diff.out.find('\r') == std::string::npos);
    CHECK(diff.out.find('\t') == std::string::npos);
    CHECK(diff.out.size() < 50'000);
    // and in JSON it is whole
    const auto lines = lines_of(pairing.run({"diff", "--json"}).out);
    std::set<std::string> told;
    for (const auto& line : lines) {
      told.insert(line["columns"]["v"]["primary"].get<std::string>());
    }
    for (const auto& value : hostile_values()) {
      CHECK((value.empty() || told.contains(value + value)));
    }
  });
}

TEST_CASE("a NUL in a text goes to SQLite as it is and to PostgreSQL not at all") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    Pairing pairing(On::sqlite, secondary,
                    "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\n"
                    "id = { class = \"pseudonym\", identity = \"t\" }\nv = \"plain\"\n",
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE t (id text PRIMARY KEY, v text);"
        "INSERT INTO t VALUES ('a', 'x'), ('b', 'y'), ('a' || char(0) || 'b', 'z')");
    CHECK(pairing.sync()["exit"] == 0);  // a pseudonym has no NUL
    CHECK(pairing.secondary.rows("SELECT count(DISTINCT id) FROM t") == "3");
    pairing.primary.run("UPDATE t SET v = 'x' || char(0) || 'x' WHERE id = 'a'");
    const auto line = pairing.sync();
    if (secondary == On::sqlite) {
      CHECK(line["exit"] == 0);
      CHECK(pairing.secondary.rows("SELECT hex(v) FROM t WHERE length(CAST(v AS blob)) > 1") ==
            "780078");
      continue;
    }
    CHECK(line["exit"] == 11);
    CHECK(line["tables"]["t"]["quarantined"] == 1);
    CHECK(line["tables"]["t"]["deleted"] == 0);
    CHECK(pairing.secondary.rows("SELECT v FROM t ORDER BY v") == "x\ny\nz");  // as it was
    const auto held = lines_of(pairing.run({"quarantine", "--json"}).out);
    REQUIRE(held.size() == 1);
    CHECK(held[0]["key"]["id"].get<std::string>().starts_with("p1_"));
    CHECK(held[0]["reason"] == "column 'v': contains NUL");
    pairing.primary.run("UPDATE t SET v = 'mended' WHERE id = 'a'");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT v FROM t ORDER BY v") == "mended\ny\nz");
    CHECK(pairing.run({"quarantine", "--json"}).out.empty());
  }
}

TEST_CASE("texts that are not UTF-8 are held back, in a key without a name, and mended later") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    Pairing pairing(On::sqlite, secondary,
                    "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\n"
                    "id = \"plain\"\nv = \"plain\"\n",
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE t (id text PRIMARY KEY, v text);"
        "INSERT INTO t VALUES ('a', 'x'), ('b', 'y'), ('c', 'z')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run(
        "UPDATE t SET v = CAST(x'c3' AS TEXT) WHERE id = 'a';"
        "UPDATE t SET id = CAST(x'80ff' AS TEXT) WHERE id = 'b'");
    const auto ran = pairing.run({"sync", "--json"});
    const auto line = Json::parse(ran.out);
    CHECK(ran.exit == 11);
    CHECK(line["tables"]["t"]["quarantined"] == 2);
    CHECK(line["tables"]["t"]["deleted"] == 0);  // the row without a key may be 'b'
    CHECK(ran.err.find("1 row of 't' has no usable key") != std::string::npos);
    CHECK(pairing.secondary.rows("SELECT id, v FROM t ORDER BY id") == "a|x\nb|y\nc|z");
    std::set<std::string> reasons;
    for (const auto& held : lines_of(pairing.run({"quarantine", "--json"}).out)) {
      reasons.insert(held["key"].dump() + " " + held["reason"].get<std::string>());
    }
    CHECK((reasons == std::set<std::string>{"{\"id\":\"a\"} column 'v': not valid UTF-8",
                                            "{} column 'id': not valid UTF-8"}));
    pairing.primary.run("DELETE FROM t WHERE id = 'c'");
    CHECK(pairing.sync()["tables"]["t"]["deleted"] == 0);
    pairing.primary.run(
        "UPDATE t SET v = 'ok' WHERE id = 'a'; UPDATE t SET id = 'bb' WHERE id > 'c'");
    const auto mended = pairing.sync();
    CHECK(mended["exit"] == 0);
    CHECK(mended["tables"]["t"]["deleted"] == 2);  // 'b' became 'bb', 'c' is gone
    CHECK(pairing.secondary.rows("SELECT id, v FROM t ORDER BY id") == "a|ok\nbb|y");
  }
}

TEST_CASE(
    "a cell of the secondary that is no UTF-8 is merged, journalled and decided like any other") {
  // only SQLite takes such bytes for text
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Pairing pairing(
        primary, On::sqlite,
        "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n"
        "a = \"plain\"\nb = \"plain\"\nc = { class = \"plain\", owner = \"primary\" }\n",
        kLimits);
    pairing.primary.run(
        "CREATE TABLE t (id integer NOT NULL PRIMARY KEY, a text, b text, c text);"
        "INSERT INTO t VALUES (1, 'a', 'b', 'c'), (2, 'a', 'b', 'c'), (3, 'a', 'b', 'c')");
    CHECK(pairing.sync()["exit"] == 0);
    const std::string edit = "UPDATE t SET a = CAST(x'ff61' AS TEXT), c = CAST(x'fe' AS TEXT)";
    pairing.secondary.run(edit);
    // the other cell of 1, the same one of 2, and 3 is gone
    pairing.primary.run(
        "UPDATE t SET b = 'B', c = 'C' WHERE id = 1; UPDATE t SET a = 'A' WHERE id = 2;"
        "DELETE FROM t WHERE id = 3");
    const auto diff = pairing.run({"diff", "--json"});
    CHECK_MESSAGE(diff.exit == 0, diff.err);
    CHECK(diff.out.find(R"("secondary":"\\xff61")") != std::string::npos);
    const auto line = pairing.sync();
    CHECK(line["outcome"] == "applied");
    CHECK(line["tables"]["t"]["conflicts"] == 2);
    CHECK(pairing.secondary.rows("SELECT id, hex(a), b, hex(c) FROM t ORDER BY id") ==
          "1|FF61|B|43\n2|FF61|b|FE\n3|FF61|b|FE");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    for (const auto& words : std::vector<std::vector<std::string>>{{"conflicts"},
                                                                   {"conflicts", "--json"},
                                                                   {"show", "latest"},
                                                                   {"show", "latest", "--json"},
                                                                   {"diff"},
                                                                   {"verify"}}) {
      const auto ran = pairing.run(words);
      CAPTURE(words.front());
      CHECK_MESSAGE(ran.exit == 0, ran.err);
      CHECK(ran.err.empty());
      CHECK(ran.out.find('\xff') == std::string::npos);
    }
    CHECK(pairing.run({"show", "latest"}).out.find("\\xfe") != std::string::npos);
    // taken back and done again, then decided for the primary
    CHECK(pairing.run({"revert", "latest", "--reason", "x"}).exit == 10);
    CHECK(pairing.secondary.rows("SELECT hex(a), b, hex(c) FROM t WHERE id = 1") == "FF61|b|FE");
    CHECK(pairing.run({"resume", "--reason", "x"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 10);
    CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.secondary.rows("SELECT id, hex(a), b FROM t ORDER BY id") == "1|FF61|B\n2|41|b");
  }
}

TEST_CASE("keys that no constraint guards: duplicates and NULLs are named, the others go on") {
  on_every_pairing([](On primary, On secondary) {
    for (const bool view : {false, true}) {
      CAPTURE(view);
      const std::string name = view ? "seen" : "t";
      Pairing pairing(primary, secondary,
                      "[tables." + name + "]\nkey = [\"a\", \"b\"]\n[tables." + name +
                          ".columns]\na = { class = \"pseudonym\", identity = \"a\" }\n"
                          "b = \"plain\"\nv = \"plain\"\n",
                      kLimits);
      pairing.primary.run(
          "CREATE TABLE t (a text, b integer, v text);"
          "CREATE VIEW seen AS SELECT a, b, v FROM t;"
          "INSERT INTO t VALUES ('Canary', 1, 'one'), ('Canary', 2, 'two'), ('x', 1, 'three'), "
          "('x', 2, 'four')");
      REQUIRE(pairing.sync()["exit"] == 0);
      CHECK(pairing.run({"check"}).out.find(
                "no constraint of the primary makes the key unique of: " + name) !=
            std::string::npos);
      const std::string all = "SELECT v FROM " + name + " ORDER BY v";

      pairing.primary.run(
          "INSERT INTO t VALUES ('Canary', 1, 'again'), ('Canary', 1, 'and again'), "
          "('new', 1, 'double'), ('new', 1, 'double'), ('fine', 3, 'six');"
          "UPDATE t SET v = 'THREE' WHERE a = 'x' AND b = 1");
      auto ran = pairing.run({"sync", "--json"});
      auto line = Json::parse(ran.out)["tables"][name];
      CHECK(ran.exit == 11);
      CHECK(line["inserted"] == 1);
      CHECK(line["updated"] == 1);
      CHECK(line["deleted"] == 0);
      CHECK(pairing.secondary.rows(all) == "THREE\nfour\none\nsix\ntwo");
      auto listed = pairing.run({"quarantine", "--json"});
      CHECK(listed.out.find("Canary") == std::string::npos);
      auto held = lines_of(listed.out);
      CHECK(held.size() == 2);
      for (const auto& row : held) {
        CHECK(row["reason"] == "the key occurs more than once");
        CHECK(row["key"]["a"].get<std::string>().starts_with("p1_"));
        CHECK(row["key"]["b"] == 1);
      }
      CHECK(pairing.sync()["outcome"] == "unchanged");

      // a NULL in a part of the key; the row whose key it was stays
      pairing.primary.run(
          "UPDATE t SET b = NULL WHERE a = 'x' AND b = 2; INSERT INTO t VALUES (NULL, NULL, 'n')");
      ran = pairing.run({"sync", "--json"});
      line = Json::parse(ran.out)["tables"][name];
      CHECK(ran.exit == 11);
      CHECK(line["deleted"] == 0);
      CHECK(ran.err.find("2 rows of '" + name + "' have no usable key") != std::string::npos);
      CHECK(pairing.secondary.rows(all) == "THREE\nfour\none\nsix\ntwo");
      CHECK(pairing.sync()["outcome"] == "unchanged");

      pairing.primary.run(
          "DELETE FROM t WHERE a IS NULL OR b IS NULL OR v IN ('again', 'and again', 'double');"
          "INSERT INTO t VALUES ('new', 1, 'single')");
      ran = pairing.run({"sync", "--json"});
      line = Json::parse(ran.out)["tables"][name];
      CHECK(ran.exit == 0);
      CHECK(line["deleted"] == 1);
      CHECK(line["inserted"] == 1);
      CHECK(line["quarantined"] == 0);
      CHECK(pairing.secondary.rows(all) == "THREE\none\nsingle\nsix\ntwo");
      CHECK(pairing.sync()["outcome"] == "unchanged");
    }
  });
}

TEST_CASE("a row that is held back keeps what people did to it, and merges when it is mended") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary,
                    "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n"
                    "v = { class = \"plain\", codes = [\"x\", \"y\"] }\nnote = \"plain\"\n",
                    kLimits);
    pairing.primary.run(
        "CREATE TABLE t (id integer PRIMARY KEY, v text, note text);"
        "INSERT INTO t VALUES (1, 'x', 'n'), (2, 'x', 'n'), (3, 'x', 'n')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE t SET v = 'Canary', note = 'theirs' WHERE id IN (1, 2, 3)");
    pairing.secondary.run("UPDATE t SET note = 'ours' WHERE id = 1");
    pairing.secondary.run("DELETE FROM t WHERE id = 2");
    auto ran = pairing.run({"sync", "--json"});
    CHECK(ran.exit == 11);
    CHECK(Json::parse(ran.out)["tables"]["t"]["quarantined"] == 3);
    CHECK((ran.out + ran.err).find("Canary") == std::string::npos);
    CHECK(pairing.secondary.rows("SELECT id, v, note FROM t ORDER BY id") == "1|x|ours\n3|x|n");
    pairing.primary.run("UPDATE t SET v = 'y'");
    const auto line = pairing.sync();
    CHECK(line["exit"] == 10);
    CHECK(line["open"]["quarantined"] == 0);
    CHECK(line["open"]["conflicts"] == 2);  // both wrote 1's note, and 2 is deleted here
    CHECK(pairing.secondary.rows("SELECT id, v, note FROM t ORDER BY id") ==
          "1|y|ours\n3|y|theirs");
  });
}

}  // namespace abgleich::test
