// `where`: the rows that an office gets. The primary decides, and a row that is left out is one
// that is not there.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string contract_with(const std::string& where, const std::string& more = "") {
  return "[tables.person]\nkey = [\"id\"]\n" +
         (where.empty() ? "" : "where = \"" + where + "\"\n") +
         "[tables.person.columns]\n"
         "id = { class = \"pseudonym\", identity = \"person\" }\n"
         "name = \"plain\"\ndistrict = \"withhold\"\n" +
         more;
}

const char* const kOffice = "district = '08435'";

/// Four people of this office and its neighbour, and one of whom nobody knows.
struct Office : Pairing {
  Office(On primary_on, On secondary_on, const std::string& contract = contract_with(kOffice),
         const std::string& more = kLimits)
      : Pairing(primary_on, secondary_on, contract, more) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, district varchar(5));"
        "INSERT INTO person VALUES (1, 'Ann', '08435'), (2, 'Bob', '08435'), (3, 'Cat', '08436'), "
        "(4, 'Dan', NULL), (5, 'Eve', '08435')");
  }
  std::string names() { return secondary.rows("SELECT name FROM person ORDER BY name"); }
  void expect(const std::string& wanted) {
    const auto line = sync();
    CHECK_MESSAGE(line["exit"] == 0, line.dump());
    CHECK(names() == wanted);
    CHECK(sync()["outcome"] == "unchanged");
    const auto verified = run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The same without numbers of runs, fingerprints and sealed values, in which any digits may stand.
std::string without_digests(const std::string& text) {
  std::string out;
  std::string run;
  const auto flush = [&] {
    constexpr std::size_t kShortest = 8;
    out += run.size() < kShortest ? run : "(digest)";
    run.clear();
  };
  for (const char c : text) {
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      run += c;
    } else {
      flush();
      out += c;
    }
  }
  flush();
  return out;
}

/// What is said of a contract that cannot be used, by every command that would use it.
std::string refused(const Pairing& pairing) {
  const auto ran = pairing.run({"sync", "--json"});
  CHECK_MESSAGE(ran.exit == 78, ran.out, ran.err);
  CHECK(pairing.run({"check"}).exit == 78);
  return ran.out + ran.err;
}

/// A table `p`, of which `id` leaves, and of these columns nothing.
std::string contract_of_p(const std::string& where, const std::vector<std::string>& withheld) {
  std::string text =
      "[tables.p]\nkey = [\"id\"]\nwhere = \"" + where + "\"\n[tables.p.columns]\nid = \"plain\"\n";
  for (const auto& name : withheld) {
    text += name + " = \"withhold\"\n";
  }
  return text;
}

struct Filtered {
  const char* where;
  const char* ids;  // of the rows that leave
};

/// Syncs `p` under one condition after the other.
void check_each(Pairing& pairing, const std::vector<std::string>& withheld,
                const std::vector<Filtered>& tests) {
  for (std::size_t i = 0; i < tests.size(); ++i) {
    CAPTURE(std::string(tests[i].where));
    pairing.set_contract(contract_of_p(tests[i].where, withheld));
    if (i > 0) {
      pairing.accept_more();
    }
    const auto ran =
        pairing.run({"sync", "--accept-mass-change", "p", "--reason", "a test's own condition"});
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(pairing.secondary.rows("SELECT id FROM p ORDER BY id") == std::string(tests[i].ids));
  }
}

}  // namespace

TEST_CASE("where: the rows that meet it leave, and one that meets it no longer is deleted") {
  on_every_pairing([](On primary, On secondary) {
    Office office(primary, secondary);
    office.expect("Ann\nBob\nEve");
    // one moves in, one moves away, one comes, and what nobody here knows of changes as it likes
    office.primary.run(
        "UPDATE person SET district = '08435' WHERE id = 3;"
        "UPDATE person SET district = '08436' WHERE id = 1;"
        "UPDATE person SET name = 'Don' WHERE id = 4;"
        "INSERT INTO person VALUES (6, 'Fay', '08435'), (7, 'Gus', '08436')");
    const auto line = office.sync();
    CHECK_MESSAGE(line["exit"] == 0, line.dump());
    CHECK(line["tables"]["person"]["inserted"] == 2);
    CHECK(line["tables"]["person"]["deleted"] == 1);
    CHECK(office.names() == "Bob\nCat\nEve\nFay");
    // NULL is not the office's, and back again
    office.primary.run("UPDATE person SET district = NULL WHERE id = 2");
    office.expect("Cat\nEve\nFay");
    office.primary.run("UPDATE person SET district = '08435' WHERE id IN (1, 2)");
    office.expect("Ann\nBob\nCat\nEve\nFay");
    CHECK(office.run({"sync", "--full"}).exit == 0);
    CHECK(office.names() == "Ann\nBob\nCat\nEve\nFay");
    // the district itself never leaves
    const auto told = without_digests(office.run({"status"}).out + office.run({"log"}).out);
    CHECK_MESSAGE(has(told, "08435") == false, told);
    const auto traced = without_digests(office.run({"sync", "--full", "-vv"}).err);
    CHECK(has(traced, "district"));
    CHECK_MESSAGE(has(traced, "08435") == false, traced);
  });
}

TEST_CASE("where: what people have edited of a row that leaves the filter is a conflict") {
  on_every_pairing([](On primary, On secondary) {
    Office office(primary, secondary);
    office.expect("Ann\nBob\nEve");
    office.secondary.run("UPDATE person SET name = 'Anna' WHERE name = 'Ann'");
    office.primary.run("UPDATE person SET district = '08436' WHERE id = 1");
    const auto line = office.sync();
    CHECK(line["tables"]["person"]["conflicts"] == 1);
    CHECK(office.names() == "Anna\nBob\nEve");
  });
}

TEST_CASE("where: limits hold for the rows that leave the filter, and for an office without rows") {
  on_every_pairing([](On primary, On secondary) {
    Office office(primary, secondary, contract_with(kOffice), "[limits]\nmax_deleted = 1\n");
    office.expect("Ann\nBob\nEve");
    office.primary.run("UPDATE person SET district = '08436' WHERE id IN (1, 2)");
    CHECK(office.run({"sync"}).exit == 20);
    CHECK(office.names() == "Ann\nBob\nEve");
    office.primary.run("UPDATE person SET district = '08436'");
    const auto emptied = office.run({"sync"});
    CHECK(emptied.exit == 20);
    CHECK(has(emptied.err, "abgleich sync --accept-mass-change"));
    CHECK(office.run({"sync", "--accept-mass-change", "person", "--reason", "moved"}).exit == 0);
    CHECK(office.names().empty());
  });
}

TEST_CASE("where: another one is a decision, and a first one takes rows away") {
  on_every_pairing([](On primary, On secondary) {
    Office office(primary, secondary, contract_with(""));
    office.expect("Ann\nBob\nCat\nDan\nEve");
    // narrower than every row: nobody has to decide it
    office.set_contract(contract_with(kOffice));
    CHECK(has(office.run({"contract", "diff"}).out,
              "- person: leaves now: the rows of its 'where'; left before: every row"));
    office.expect("Ann\nBob\nEve");
    // the same, written otherwise
    office.set_contract(contract_with("(district) = '08435'"));
    CHECK(office.run({"contract", "diff"}).exit == 78);
    office.set_contract(contract_with("((district='08435'))"));
    CHECK(has(office.run({"contract", "diff"}).out, "what leaves is what left before"));
    office.expect("Ann\nBob\nEve");
    // what was read by the old condition is not believed of the new one
    office.set_contract(contract_with("district = '08436'"));
    const auto told = office.run({"sync"});
    CHECK(told.exit == 23);
    CHECK(has(told.err, "'person' (the rows of its 'where'; before: the rows of another 'where')"));
    CHECK(office.names() == "Ann\nBob\nEve");
    office.accept_more();
    office.expect("Cat");
    // taken away
    office.set_contract(contract_with(""));
    CHECK(has(office.run({"contract", "diff"}).out,
              "+ person: leaves now: every row; left before: the rows of a 'where'"));
    CHECK(office.run({"sync"}).exit == 23);
    office.accept_more();
    office.expect("Ann\nBob\nCat\nDan\nEve");
    // no value of a condition is kept in the secondary
    const auto* const facts = secondary == On::sqlite ? "abgleich_fact" : "abgleich.fact";
    const auto kept =
        without_digests(office.secondary.rows("SELECT value FROM " + std::string(facts)));
    CHECK(has(kept, "(digest)"));
    CHECK_MESSAGE(has(kept, "0843") == false, kept);
  });
}

TEST_CASE("where: values are compared by the column's own type") {
  const std::vector<Filtered> tests{
      {"n > 9", "3\n4"},
      {"n IN (2, 10, 99)", "2\n3"},
      {"n NOT BETWEEN 2 AND 10", "1\n4"},
      {"n <> 1 AND NOT n = 100", "2\n3"},
      {"d >= 1.5", "2\n3"},
      {"d = 10.25", "3"},
      {"r = 0.1", "1"},
      {"t = 'it''s \\\"50%\\\"'", "4"},
      {"t < 'b'", "1\n2\n3"},
      {"t LIKE 'a%'", "1"},
      {"t LIKE 'A_'", "2"},
      {"t LIKE '%50\\\\%%' OR t LIKE '[*?'", "3\n4"},
      {"t IS NULL OR b = TRUE", "1\n3"},
      {"NOT b = TRUE", "2\n4"},
      {"on_day < '2020-02-29'", "1"},
      {"on_day BETWEEN '2020-02-29' AND '2021-01-01'", "2\n3"},
      {"\\\"odd \\\"\\\"name\\\" = 'x'", ""},
      {"at >= '2020-01-01 12:00:00'", "3\n4"},
  };
  on_every_pairing([&](On primary, On secondary) {
    if (secondary != On::sqlite) {
      return;  // the primary decides
    }
    Pairing pairing(primary, secondary, "", kLimits);
    pairing.primary.run(
        "CREATE TABLE p (id integer PRIMARY KEY, n integer, d numeric(6,2), r real, t text, "
        "b boolean, on_day date, at timestamp, \"odd \"\"name\" text);"
        "INSERT INTO p VALUES "
        "(1, 1, 1.25, 0.1, 'a1', true, '2020-02-28', '2020-01-01 11:59:59', 'y'),"
        "(2, 2, 1.5, 0.2, 'A1', false, '2020-02-29', '2020-01-01 11:00:00', 'y'),"
        "(3, 10, 10.25, 0.3, '[*?', true, '2020-12-31', '2020-01-01 12:00:00', 'y'),"
        "(4, 100, NULL, NULL, 'it''s \"50%\"', false, NULL, '2021-01-01 00:00:00', 'y')");
    check_each(pairing, {"n", "d", "r", "t", "b", "on_day", "at", "\"odd \\\"name\""}, tests);
  });
}

TEST_CASE("where: types of PostgreSQL's own") {
  Pairing pairing(On::postgresql, On::sqlite, "", kLimits);
  pairing.primary.run(
      "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN code AS text;"
      "CREATE TABLE p (id integer PRIMARY KEY, c char(5), v varchar(3), m mood, z timestamptz, "
      "u uuid, k code, s smallint, f real, j json);"
      "INSERT INTO p VALUES (1, 'a', 'abc', 'sad', '2020-01-01 00:30+01', "
      "'00000000-0000-0000-0000-00000000000a', 'x', 7, 0.1, '1'), "
      "(2, 'b', 'ab', 'happy', '2020-01-01 00:30+00', "
      "'00000000-0000-0000-0000-00000000000b', 'y', 8, 0.2, '1')");
  const std::vector<std::string> columns{"c", "v", "m", "z", "u", "k", "s", "f", "j"};
  check_each(pairing, columns,
             {{"c = 'a'", "1"},
              {"c LIKE 'a%'", "1"},
              // longer than the column: never cut to what it could hold
              {"v = 'abcd' OR v = 'ab'", "2"},
              {"m > 'sad'", "2"},
              {"m IN ('sad', 'ok')", "1"},
              {"z < '2020-01-01T00:00:00Z'", "1"},
              {"z < '2020-01-01 01:30:00+01:00'", "1"},
              {"u = '00000000-0000-0000-0000-00000000000B'", "2"},
              {"k = 'x'", "1"},
              {"s >= 8", "2"},
              {"f = 0.1", "1"},
              {"j IS NOT NULL AND id = 2", "2"}});
  for (const auto& [where, why] : std::vector<std::pair<const char*, const char*>>{
           {"m = 'glad'", "is compared with labels of its own, in single quotes"},
           {"s = 100000", "is compared with a whole number that it can hold"},
           {"f < 1000000000000000000000000000000000000000",
            "is compared with a number that it can"},
           {"z > 'now'", "is compared with a moment in single quotes"},
           {"z > 'yesterday'", "is compared with a moment in single quotes"},
           {"u = '1'", "is compared with a UUID in single quotes"},
           {"j = '1'",
            "is compared with nothing: it can only be tested with IS NULL or IS NOT NULL"}}) {
    CAPTURE(where);
    pairing.set_contract(contract_of_p(where, columns));
    CHECK(has(refused(pairing), why));
  }
}

TEST_CASE("where: in SQLite a value that is none of its column's type decides for nobody") {
  // 1 and 2 are what they should be; the others never leave
  const std::vector<Filtered> tests{
      {"n > 1", "2"},
      {"n < 2", "1"},
      {"n <> 1", "2"},
      {"NOT n = 1", "2"},
      {"NOT (n = 1 OR n = 5)", "2"},
      {"n NOT IN (1, 5)", "2"},
      {"NOT n BETWEEN 5 AND 6", "1\n2"},
      {"d > 0.5", "1\n2"},
      {"born < '1999-01-01'", "1"},
      {"born >= '1999-01-01'", "2"},
      {"NOT born = '1980-01-01'", "2"},
      {"born NOT IN ('1980-01-01')", "2"},
      {"at > '2020-01-01 12:00'", "2"},
      {"at < '2020-01-01T12:00:30'", "1"},
      {"zoned > '2020-01-01 12:00:00Z'", "2"},
      {"zoned > '2020-01-01 13:00+01'", "2"},
      {"NOT zoned > '2020-01-01 12:00:00Z'", "1"},
      {"clock < '12:00'", "1"},
      {"clock = '12:00:00'", "2"},
      {"NOT clock <= '11:59'", "2"},
      {"ok = TRUE", "1"},
      {"ok <> TRUE", "2"},
      {"NOT ok = TRUE", "2"},
      {"t <> 'a'", "2"},
      {"t NOT LIKE 'a%'", "2"},
      {"any > 1", "2"},
      {"any < 2", "1"},
      {"n IS NOT NULL AND id < 3", "1\n2"},
  };
  Pairing pairing(On::sqlite, On::sqlite, "", kLimits);
  pairing.primary.run(
      "CREATE TABLE p (id integer PRIMARY KEY, n integer, d numeric(6,2), born date, at timestamp, "
      "zoned timestamptz, clock time, ok boolean, t text, any);"
      "INSERT INTO p VALUES "
      "(1, 1, 1.25, '1980-01-01', '2020-01-01T11:59:59', '2020-01-01 12:30:00+01:00', '11:59', 1, "
      "'a', 1),"
      "(2, 2, 1.5, '2000-01-01', '2020-01-01T12:01', '2020-01-01 11:30:00-01', '12:00', 0, 'b', "
      "2),"
      "(3, 'abc', 'abc', 1700000000, 1700000000, 1.5, 7, 'true', x'61', 'abc'),"
      "(4, x'01', x'01', 'unknown', 'now', 'now', 'noon', 2, x'62', x'01'),"
      "(6, 1.5, '1,5', '0000-00-00', '2020-02-31 10:00', '2020-99-01', '99:99', -1, x'', 'x'),"
      "(7, '', '', '1990-12-31T10:00', '12:00', '', '', '', x'00', ''),"
      "(8, 'x', 'x', '1980-99-99junk', '', '2020', '2020-01-01', 'x', x'ff', 'x'),"
      "(5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
  check_each(pairing, {"n", "d", "born", "at", "zoned", "clock", "ok", "t", "any"}, tests);
}

TEST_CASE("where: as much as is allowed works on every server, and more is refused in words") {
  const auto many = [](int count, const std::string& one, const std::string& word) {
    std::string text = one;
    for (int i = 1; i < count; ++i) {
      text += word + one;
    }
    return text;
  };
  std::string nots;
  for (int i = 0; i < 20; ++i) {
    nots += "NOT (";
  }
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Office office(primary, On::sqlite);
    bool first = true;
    for (const auto& where :
         {many(900, "district = '08435'", " OR "), many(900, "district = '08435'", " AND "),
          nots.substr(0, 50) + "district = '08435'" + std::string(10, ')'),
          "district LIKE '08" + many(7000, "%", "") + "435' OR district LIKE '" +
              std::string(16'000, '[') + "'"}) {
      office.set_contract(contract_with(where));
      if (!first) {
        office.accept_more();
      }
      first = false;
      office.expect("Ann\nBob\nEve");
    }
    for (const auto& [where, why] : std::vector<std::pair<std::string, std::string>>{
             {many(901, "id = 1", " OR "), "has more than 900 comparisons"},
             {many(30, "NOT ", "") + "id = 1", "is nested too deeply"},
             {"name LIKE '" + std::string(16'001, 'x') + "'",
              "a pattern of more than 16000 bytes"}}) {
      office.set_contract(contract_with(where));
      const auto told = refused(office);
      CHECK_MESSAGE(has(told, why), told);
    }
  }
}

TEST_CASE(
    "where: a column that decides and has another type now blocks its table, with a way out") {
  const std::string other =
      "[tables.other]\nkey = [\"id\"]\n[tables.other.columns]\nid = \"plain\"\n";
  Office office(On::postgresql, On::sqlite, contract_with(kOffice, other));
  office.primary.run("CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO other VALUES (1)");
  REQUIRE(office.run({"drift", "accept"}).exit == 0);
  office.expect("Ann\nBob\nEve");
  office.primary.run(
      "ALTER TABLE person ALTER COLUMN district TYPE integer USING district::integer;"
      "INSERT INTO other VALUES (2)");
  CHECK(office.run({"sync"}).exit == 23);
  CHECK(office.secondary.rows("SELECT id FROM other ORDER BY id") == "1\n2");  // the others go on
  CHECK(office.run({"check"}).exit == 23);
  CHECK(office.run({"diff"}).exit != 78);
  const auto drift = office.run({"drift"});
  CHECK_MESSAGE(has(drift.out, "write 'where' of [tables.person] for what its columns are now"),
                drift.out);
  const auto early = office.run({"drift", "accept"});
  CHECK_MESSAGE(early.exit == 23, early.err);
  CHECK(has(early.err, "could not be asked its 'where' any more"));
  // the hint, followed
  office.set_contract(contract_with("district = 8435", other));
  CHECK(office.run({"sync"}).exit == 23);
  const auto accepted = office.run({"drift", "accept"});
  CHECK_MESSAGE(accepted.exit == 0, accepted.err);
  CHECK(office.run({"sync"}).exit == 23);  // another condition, by what it says
  office.accept_more();
  office.expect("Ann\nBob\nEve");
}

TEST_CASE("where: values of a primary in another encoding, and in collations that fold") {
  Pairing pairing(On::sqlite, On::sqlite, "", kLimits);
  Database primary(On::postgresql, {}, "ABGLEICH_TEST_PG",
                   " ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  write_file(pairing.directory.path() / "abgleich.toml",
             std::string(kLimits) + "[primary]\nurl = \"" + primary.url() +
                 "\"\n[secondary]\nurl = \"" + pairing.secondary.url() + "\"\n");
  primary.run("SET client_encoding = 'UTF8'");
  primary.run(
      "CREATE TYPE mood AS ENUM ('müde', 'wach');"
      "CREATE TABLE p (id integer PRIMARY KEY, t text, v varchar(3), c char(6), m mood);"
      "INSERT INTO p VALUES (1, 'ü', 'ü', 'ü', 'müde'), "
      "(2, 'u', 'u', 'u', 'wach')");
  check_each(pairing, {"t", "v", "c", "m"},
             {{"t = 'ü'", "1"},
              {"v = 'ü'", "1"},
              {"c = 'ü'", "1"},
              {"m = 'müde'", "1"},
              {"m IN ('müde')", "1"},
              {"t LIKE 'ü%'", "1"},
              {"t <> 'u' AND v > 'v'", "1"}});
}

TEST_CASE("where: LIKE compares bytes, also where the column's collation folds") {
  Office office(On::postgresql, On::sqlite, contract_with("name LIKE 'A%'"));
  office.primary.run(
      "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = "
      "false);"
      "ALTER TABLE person ALTER COLUMN name TYPE text COLLATE folding;"
      "INSERT INTO person VALUES (6, 'aaron', '1')");
  office.expect("Ann");
}

TEST_CASE("where: what is no condition, or does not fit the table, is refused in words") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Office office(primary, On::sqlite);
    for (const auto& [where, why] : std::vector<std::pair<const char*, const char*>>{
             {"distrikt = '08435'", "did you mean 'district'?"},
             {"random() < 1", "functions are not understood here: compare columns with values"},
             {"district = now()", "functions are not understood here"},
             {"district = '1'; DROP TABLE person", "has several statements"},
             {"district = '1' -- all", "has a comment"},
             {"district IN (SELECT name FROM person)", "has a subquery"},
             {"district", "ends before it says anything of a column"},
             {"district = 8435", "is compared with a text in single quotes"},
             {"id = '1'", "is compared with a whole number"},
             {"id LIKE '1%'", "is not text, and LIKE cannot be used on it"}}) {
      CAPTURE(where);
      office.set_contract(contract_with(where));
      const auto told = refused(office);
      CHECK_MESSAGE(has(told, why), told);
      CHECK(has(told, "contract.toml:4:9"));
    }
    // a line of the contract for a column that the primary does not have
    office.set_contract(contract_with("region = 'x'", "region = \"withhold\"\n"));
    const auto told = refused(office);
    CHECK_MESSAGE(has(told, "the primary has no column of 'person' called 'region'"), told);
    office.set_contract(contract_with(kOffice));
    office.expect("Ann\nBob\nEve");
  }
}

TEST_CASE("where: a column that decides is missed when it is gone, renamed or another one") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Office office(primary, On::sqlite);
    REQUIRE(office.run({"drift", "accept"}).exit == 0);
    office.expect("Ann\nBob\nEve");
    office.primary.run("ALTER TABLE person RENAME COLUMN district TO area");
    const auto blocked = office.run({"sync"});
    CHECK_MESSAGE(blocked.exit == 23, blocked.out, blocked.err);
    CHECK(office.names() == "Ann\nBob\nEve");
    if (primary == On::postgresql) {
      // the hint, followed
      const auto drift = office.run({"drift"});
      CHECK_MESSAGE(has(drift.out, "area = \"withhold\", and in where of [tables.person] write"),
                    drift.out);
      auto text = contract_with("area = '08435'");
      text.replace(text.find("district = "), 8, "area");
      office.set_contract(text);
      const auto accepted = office.run({"drift", "accept"});
      CHECK_MESSAGE(accepted.exit == 0, accepted.err);
      CHECK(office.run({"sync"}).exit == 23);  // another condition, by what it says
      office.accept_more();
      office.expect("Ann\nBob\nEve");
    }
    office.primary.run("ALTER TABLE person DROP COLUMN area");
    CHECK(office.run({"sync"}).exit == 23);
    CHECK(has(office.run({"drift"}).out, "what 'where' decides by"));
    CHECK(office.names() == "Ann\nBob\nEve");
  }
}

TEST_CASE("where: a name that is another column's now decides anew") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    const auto contract = [](const std::string& district, const std::string& origin) {
      return "[tables.person]\nkey = [\"id\"]\nwhere = \"district = '1'\"\n"
             "[tables.person.columns]\nid = \"plain\"\ndistrict = " +
             district + "\norigin = " + origin + "\n";
    };
    for (const bool leave : {true, false}) {
      CAPTURE(leave);
      Pairing pairing(
          primary, On::sqlite,
          leave ? contract("\"plain\"", "\"plain\"") : contract("\"withhold\"", "\"withhold\""),
          kLimits);
      pairing.primary.run(
          "CREATE TABLE person (id integer PRIMARY KEY, district text, origin text);"
          "INSERT INTO person VALUES (1, '1', '2'), (2, '2', '1')");
      REQUIRE(pairing.run({"drift", "accept"}).exit == 0);
      CHECK(pairing.run({"sync"}).exit == 0);
      pairing.primary.run(
          "ALTER TABLE person RENAME COLUMN district TO other;"
          "ALTER TABLE person RENAME COLUMN origin TO district;"
          "ALTER TABLE person RENAME COLUMN other TO origin");
      if (leave) {
        pairing.set_contract(contract("{ class = \"plain\", was = \"origin\" }",
                                      "{ class = \"plain\", was = \"district\" }"));
      }
      (void)pairing.run({"drift", "accept"});
      CHECK(pairing.run({"sync"}).exit == 23);
      CHECK(pairing.secondary.rows("SELECT id FROM person") == "1");
      const auto shown = pairing.run({"contract", "diff"});
      CHECK_MESSAGE(has(shown.out, "+ person: leaves now: the rows of its 'where'"), shown.out);
      CHECK(pairing.run({"contract", "accept", "--reason", "swapped"}).exit == 0);
      const auto ran = pairing.run({"sync"});
      CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), ran.err);
      CHECK(pairing.secondary.rows("SELECT id FROM person") == "2");
    }
  }
}

TEST_CASE("where: rows that refer to rows which are left out come by their own table's condition") {
  on_every_pairing([](On primary, On secondary) {
    const std::string visits =
        "[tables.visit.columns]\nn = \"plain\"\nperson = { class = \"pseudonym\", identity = "
        "\"person\" }\ndistrict = \"withhold\"\n";
    Office office(primary, secondary,
                  contract_with("", "[tables.visit]\nkey = [\"n\"]\n" + visits));
    office.primary.run(
        "CREATE TABLE visit (n integer PRIMARY KEY, person integer REFERENCES person, "
        "district varchar(5));"
        "INSERT INTO visit VALUES (1, 1, '08435'), (2, 3, '08436'), (3, 3, '08435')");
    office.expect("Ann\nBob\nCat\nDan\nEve");
    const auto foreign_keys = [&] {
      return office.secondary.rows(
          secondary == On::sqlite ? "SELECT count(*) FROM pragma_foreign_key_list('visit')"
                                  : "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND "
                                    "conrelid = 'visit'::regclass");
    };
    const auto numbers = [&] { return office.secondary.rows("SELECT n FROM visit ORDER BY n"); };
    CHECK(foreign_keys() == "1");

    // the foreign key goes before the rows do, and no conflict is left
    office.set_contract(contract_with(kOffice, "[tables.visit]\nkey = [\"n\"]\n" + visits));
    const auto planned = nlohmann::json::parse(office.run({"sync", "--dry-run", "--json"}).out);
    CHECK_MESSAGE(planned["tables"]["person"]["deleted"] == 2, planned.dump());
    CHECK_MESSAGE(planned["tables"]["person"]["conflicts"] == 0, planned.dump());
    const auto warned = office.run({"check"}).out;
    CHECK_MESSAGE(has(warned,
                      "rows of visit: 'visit.person' refers to 'person.id', whose 'where' "
                      "leaves rows out, and all rows of 'visit' leave all the same"),
                  warned);
    office.expect("Ann\nBob\nEve");
    CHECK(numbers() == "1\n2\n3");
    CHECK(foreign_keys() == "0");

    office.set_contract(contract_with(
        kOffice, "[tables.visit]\nkey = [\"n\"]\nwhere = \"district = '08435'\"\n" + visits));
    const auto noted = office.run({"check"}).out;
    CHECK_MESSAGE(has(noted, "no such foreign key is made in the secondary"), noted);
    office.expect("Ann\nBob\nEve");
    CHECK(numbers() == "1\n3");
    office.primary.run("INSERT INTO visit VALUES (4, 3, '08435'), (5, 1, '08436')");
    office.expect("Ann\nBob\nEve");
    CHECK(numbers() == "1\n3\n4");
  });
}

TEST_CASE("where: privacy says which columns decide, and grants let them be read") {
  for (const auto primary : kEngines) {
    CAPTURE(name_of(primary));
    Office office(primary, On::sqlite);
    office.expect("Ann\nBob\nEve");
    const auto text = office.run({"privacy"}).out;
    CHECK_MESSAGE(has(text,
                      "which rows leave is decided by 'district' (withheld: that a row is "
                      "there tells of it)"),
                  text);
    CHECK(has(text, "08435") == false);
    const auto json = nlohmann::json::parse(office.run({"privacy", "--json"}).out);
    CHECK(json["tables"]["person"]["decided_by"] == nlohmann::json{"district"});
    CHECK(has(office.run({"privacy", "--markdown"}).out, "decided by"));
  }
}

TEST_CASE("where: a person whom no row of this office names is not revealed") {
  Office office(On::sqlite, On::sqlite);
  office.expect("Ann\nBob\nEve");
  const auto ann = office.secondary.rows("SELECT id FROM person WHERE name = 'Ann'");
  CHECK(office.run({"reveal", "person", ann, "--reason", "asked"}).exit == 0);
  office.primary.run("UPDATE person SET district = '08436' WHERE id = 1");
  office.expect("Bob\nEve");
  CHECK(office.run({"reveal", "person", ann, "--reason", "asked"}).exit != 0);
}

}  // namespace abgleich::test
