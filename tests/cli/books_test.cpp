// `[secondary] books`: several pairings in one secondary, each with a history of its own.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <thread>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A table of this name in the secondary, with the people of one district.
std::string contract_of(const std::string& target, const std::string& district) {
  return "format = 1\n[tables.person]\nkey = [\"id\"]\ntarget = \"" + target +
         "\"\nwhere = \"district = '" + district +
         "'\"\n[tables.person.columns]\n"
         "id = { class = \"pseudonym\", identity = \"person\" }\n"
         "name = \"plain\"\ndistrict = \"withhold\"\n";
}

/// One primary and one secondary; the usual pairing's contract is that of district 01.
struct Shared : Pairing {
  explicit Shared(On engine) : Pairing(engine, engine, "") {
    write_file(directory / "contract.toml", contract_of("person", "01"));
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, name text, district varchar(2))");
    for (int id = 1; id <= 12; ++id) {
      primary.run("INSERT INTO person VALUES (" + std::to_string(id) + ", 'P" + std::to_string(id) +
                  "', '0" + std::to_string(1 + id % 4) + "')");
    }
  }

  [[nodiscard]] std::filesystem::path config_of(const std::string& name) const {
    return directory / name / "abgleich.toml";
  }
  /// Another pairing of the two: in a directory `name`, with a key and a state of its own.
  void add(const std::string& name, const std::string& books, const std::string& contract,
           const std::string& more = "") const {
    const auto there = directory / name;
    std::filesystem::create_directory(there);
    write_file(config_of(name), "[primary]\nurl = \"" + primary.url() +
                                    "\"\n[secondary]\nurl = \"" + secondary.url() + "\"\n" +
                                    (books.empty() ? "" : "books = \"" + books + "\"\n") + more +
                                    "\n[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n");
    write_file(there / "contract.toml", contract);
    const auto made = run_of(name, {"keys", "generate", "-q"});
    REQUIRE_MESSAGE(made.exit == 0, made.err);
  }
  [[nodiscard]] Ran run_of(const std::string& name, std::vector<std::string> words) const {
    words.insert(words.end(), {"--config", config_of(name).string()});
    return run(words);
  }
  [[nodiscard]] Json sync_of(const std::string& name) const {
    const auto ran = run_of(name, {"sync", "--json"});
    auto json = Json::parse(ran.out, nullptr, false);
    REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
    return json;
  }
  /// Lets that pairing write as this role of PostgreSQL.
  void write_as(const std::string& name, const std::string& role) const {
    auto config = read_file(config_of(name));
    const auto url = secondary.url();
    const auto at = config.find(url, config.find("[secondary]"));
    config.replace(at, url.size(), url + (has(url, "?") ? "&" : "?") + "user=" + role);
    write_file(config_of(name), config);
  }
  std::string names(const std::string& table) {
    return secondary.rows("SELECT name FROM " + table + " ORDER BY name");
  }
  /// A table of the books of that name, in SQL.
  [[nodiscard]] std::string of_books(const std::string& books, const std::string& table) const {
    return books + (secondary.engine() == On::postgresql ? "." : "_") + table;
  }
};

}  // namespace

TEST_CASE("two pairings in one secondary: each has its own history, conflicts and key") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    pairing.add("other", "abgleich_02", contract_of("person_02", "02"));
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.sync_of("other")["exit"] == 0);
    CHECK(pairing.names("person") == "P12\nP4\nP8");
    CHECK(pairing.names("person_02") == "P1\nP5\nP9");

    // a conflict of one is none of the other's
    pairing.primary.run("UPDATE person SET name = 'theirs' WHERE id = 1");
    pairing.secondary.run("UPDATE person_02 SET name = 'ours' WHERE name = 'P1'");
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.sync_of("other")["exit"] == 10);
    CHECK(pairing.run({"conflicts", "--json"}).out.empty());
    CHECK(pairing.run_of("other", {"resolve", "--all", "--take", "primary", "-q"}).exit == 0);
    CHECK(pairing.names("person_02") == "P5\nP9\ntheirs");

    // nor is a rotation, a run taken back, or a layout
    CHECK(pairing.run_of("other", {"keys", "rotate", "-q"}).exit == 0);
    CHECK(pairing.sync_of("other")["exit"] == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.primary.run("UPDATE person SET name = 'new' WHERE id = 5");
    const auto run = pairing.sync_of("other")["run"].get<std::string>();
    CHECK(pairing.run_of("other", {"revert", run, "--reason", "a test", "-q"}).exit == 0);
    CHECK(pairing.names("person_02") == "P5\nP9\ntheirs");
    CHECK(pairing.sync_of("other")["exit"] == 13);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.run_of("other", {"resume", "--reason", "a test", "-q"}).exit == 0);
    CHECK(pairing.run_of("other", {"verify", "--lay-down-anew", "--reason", "a test", "-q"}).exit ==
          0);
    CHECK(pairing.sync_of("other")["exit"].get<int>() <= 11);

    for (const auto& verified : {pairing.run({"verify"}), pairing.run_of("other", {"verify"})}) {
      CHECK_MESSAGE(verified.exit <= 11, verified.out, verified.err);
    }
    CHECK(pairing.run({"check"}).exit == 0);
    CHECK(pairing.run_of("other", {"check"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM " + pairing.of_books("abgleich", "run")) ==
          "1");
    CHECK(pairing.secondary.rows("SELECT count(*) > 4 FROM " +
                                 pairing.of_books("abgleich_02", "run")) ==
          (engine == On::postgresql ? "t" : "1"));
  }
}

TEST_CASE("a secondary with the books of another pairing: the way out is printed, and works") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    CHECK(pairing.sync()["exit"] == 0);
    pairing.add("other", "", contract_of("person_02", "02"));
    const auto before = pairing.names("person");
    const auto refused = pairing.run_of("other", {"sync"});
    CHECK(refused.exit == 25);
    CHECK_MESSAGE(has(refused.err, "a bookkeeping 'abgleich' that was made with another key"),
                  refused.err);
    CHECK_MESSAGE(has(refused.err, "write books = \"abgleich_2\" below [secondary]"), refused.err);
    CHECK(pairing.names("person") == before);
    auto config = read_file(pairing.config_of("other"));
    config.insert(config.find("[limits]"), "books = \"abgleich_2\"\n");
    write_file(pairing.config_of("other"), config);
    CHECK(pairing.sync_of("other")["exit"] == 0);
    CHECK(pairing.names("person_02") == "P1\nP5\nP9");
  }
}

TEST_CASE("one table of the secondary belongs to one pairing") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    CHECK(pairing.sync()["exit"] == 0);
    const auto same = engine == On::sqlite ? "Person" : "person";
    pairing.add("other", "abgleich_02", contract_of(same, "02"));
    for (const auto* const command : {"sync", "diff", "check"}) {
      CAPTURE(command);
      const auto refused = pairing.run_of("other", {command});
      CHECK_MESSAGE(refused.exit == 78, refused.out, refused.err);
      CHECK_MESSAGE(has(refused.out + refused.err,
                        "belongs to another pairing, whose bookkeeping is 'abgleich'"),
                    refused.out, refused.err);
    }
    CHECK(pairing.names("person") == "P12\nP4\nP8");
    // done as the hint says
    write_file(pairing.directory / "other" / "contract.toml",
               contract_of(std::string(same) + "_2", "02"));
    CHECK(pairing.sync_of("other")["exit"] == 0);
    CHECK(pairing.names("person_2") == "P1\nP5\nP9");
    // the first goes on, also where its history begins anew
    pairing.primary.run("UPDATE person SET name = 'new' WHERE id = 4");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.names("person") == "P12\nP8\nnew");
  }
}

TEST_CASE("a table that a pairing has already is not moved onto another pairing's") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    pairing.add("other", "abgleich_02", contract_of("person_02", "02"));
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.sync_of("other")["exit"] == 0);
    write_file(pairing.directory / "other" / "contract.toml", contract_of("person", "02"));
    for (const auto* const command : {"sync", "diff"}) {
      const auto refused = pairing.run_of("other", {command});
      CHECK_MESSAGE(refused.exit == 78, refused.out, refused.err);
      CHECK_MESSAGE(has(refused.err, "belongs to another pairing, whose bookkeeping is 'abgleich'"),
                    refused.err);
    }
    CHECK(pairing.names("person") == "P12\nP4\nP8");
    CHECK(pairing.names("person_02") == "P1\nP5\nP9");
  }
}

TEST_CASE("the schema of the data is no other pairing's bookkeeping") {
  Shared pairing(On::postgresql);
  pairing.add("other", "abgleich_02", contract_of("person_02", "02"));
  CHECK(pairing.sync_of("other")["exit"] == 0);
  pairing.configure("", "schema = \"abgleich_02\"");
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 78);
  CHECK_MESSAGE(has(refused.err, "schema 'abgleich_02' of the secondary is the bookkeeping"),
                refused.err);
  CHECK(pairing.sync_of("other")["outcome"] == "unchanged");
}

TEST_CASE("the books of a pairing whose tables belong to the owner of the database are seen") {
  Shared pairing(On::postgresql);
  CHECK(pairing.sync()["exit"] == 0);
  pairing.secondary.run(
      "CREATE ROLE abgleich_writer_03 LOGIN;"
      "GRANT CREATE, TEMPORARY ON DATABASE " +
      pairing.secondary.rows("SELECT quote_ident(current_database())") +
      " TO abgleich_writer_03; CREATE SCHEMA office_03 AUTHORIZATION abgleich_writer_03;"
      "GRANT USAGE, CREATE ON SCHEMA public TO abgleich_writer_03;"
      "GRANT USAGE ON SCHEMA abgleich TO abgleich_writer_03;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA abgleich TO abgleich_writer_03");
  pairing.add("other", "abgleich_03", contract_of("person", "02"));
  pairing.write_as("other", "abgleich_writer_03");
  const auto refused = pairing.run_of("other", {"sync"});
  CHECK_MESSAGE(refused.exit == 78, refused.out, refused.err);
  CHECK_MESSAGE(has(refused.err, "belongs to another pairing, whose bookkeeping is 'abgleich'"),
                refused.err);
  pairing.secondary.run(
      "DROP SCHEMA IF EXISTS abgleich_03 CASCADE; DROP SCHEMA office_03 CASCADE;"
      "DROP OWNED BY abgleich_writer_03; DROP ROLE abgleich_writer_03");
}

TEST_CASE("views, copies, other columns and books that nobody has written disturb no run") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    CHECK(pairing.sync()["exit"] == 0);
    const auto copy = [&](const std::string& books) {
      if (engine == On::postgresql) {
        pairing.secondary.run("CREATE SCHEMA " + books);
      }
      for (const std::string table : {"head", "tracked", "fact"}) {
        pairing.secondary.run("CREATE TABLE " + pairing.of_books(books, table) +
                              " AS SELECT * FROM " + pairing.of_books("abgleich", table));
      }
    };
    copy("abgleich_saved");
    copy("abgleich_empty");
    pairing.secondary.run("DELETE FROM " + pairing.of_books("abgleich_empty", "head"));
    if (engine == On::postgresql) {
      pairing.secondary.run("CREATE SCHEMA abgleich_old");
    }
    for (const std::string table :
         {"head (lineage text, hash text)", "tracked (a integer)", "fact (b integer)"}) {
      pairing.secondary.run("CREATE TABLE " + pairing.of_books("abgleich_old", table));
    }
    pairing.secondary.run("INSERT INTO " + pairing.of_books("abgleich_old", "head") +
                          " VALUES ('another', '')");
    if (engine == On::sqlite) {
      pairing.secondary.run("CREATE TABLE abgleich_x_tracked (target)");
      pairing.secondary.run("CREATE TABLE abgleich_x_head (lineage)");
      pairing.secondary.run("CREATE VIEW abgleich_x_fact AS SELECT kind, value FROM gone");
    } else {
      pairing.secondary.run(
          "CREATE SCHEMA abgleich_x; CREATE TABLE abgleich_x.tracked (source text, target text);"
          "CREATE TABLE abgleich_x.head (lineage text, hash text);"
          "CREATE VIEW abgleich_x.fact AS SELECT 'a' AS kind, CAST(1 / 0 AS text) AS value");
    }
    pairing.primary.run("UPDATE person SET name = 'new' WHERE id = 4");
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.run({"check"}).exit == 0);
    CHECK(pairing.run({"verify", "-q"}).exit == 0);
  }
}

TEST_CASE("a table that another pairing has given up is free when it is moved or dropped") {
  for (const auto engine : kEngines) {
    for (const bool moved : {true, false}) {
      CAPTURE(name_of(engine));
      CAPTURE(moved);
      Shared pairing(engine);
      pairing.primary.run("CREATE TABLE visit (id integer PRIMARY KEY)");
      const std::string visit =
          "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n";
      write_file(pairing.directory / "contract.toml", contract_of("person", "01") + visit);
      CHECK(pairing.sync()["exit"] == 0);
      pairing.add("other", "abgleich_02", contract_of("person", "02"));
      CHECK(pairing.run_of("other", {"sync"}).exit == 78);
      if (moved) {
        write_file(pairing.directory / "contract.toml", contract_of("elsewhere", "01") + visit);
        CHECK(pairing.sync()["exit"] == 0);
      } else {
        pairing.set_contract(visit);
        CHECK(pairing.sync()["exit"] == 0);
        CHECK(pairing.run_of("other", {"sync"}).exit == 78);  // its rows are there
        pairing.secondary.run("DROP TABLE person");
      }
      const auto line = pairing.sync_of("other");
      CHECK_MESSAGE(line["exit"] == 0, line.dump());
      CHECK(pairing.names("person") == "P1\nP5\nP9");
    }
  }
}

TEST_CASE("many neighbours are read at once") {
  Shared pairing(On::sqlite);
  CHECK(pairing.sync()["exit"] == 0);
  pairing.secondary.run("BEGIN");
  for (int i = 0; i < 300; ++i) {
    const auto books = "abgleich_n" + std::to_string(i);
    pairing.secondary.run(
        "CREATE TABLE " + books + "_head (lineage text); INSERT INTO " + books +
        "_head VALUES ('n'); CREATE TABLE " + books +
        "_tracked (id integer, target text, key_columns text, columns text); CREATE "
        "TABLE " +
        books + "_fact (kind text, value text)");
  }
  pairing.secondary.run("INSERT INTO abgleich_n299_tracked VALUES (1, 'person', '[]', '[]')");
  pairing.secondary.run("COMMIT");
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 78);
  CHECK_MESSAGE(has(refused.err, "whose bookkeeping is 'abgleich_n299'"), refused.err);
  CHECK_MESSAGE(has(refused.err, "if no pairing uses that bookkeeping any more, drop it"),
                refused.err);
  pairing.secondary.run("DELETE FROM abgleich_n299_tracked");
  CHECK(pairing.sync()["outcome"] == "unchanged");
}

TEST_CASE("books that a stranger has made before the first run are not taken") {
  Shared pairing(On::postgresql);
  const auto ddl =
      read_file(std::filesystem::path(kSourceTree) / "migrations" / "postgresql" / "001_books.sql");
  pairing.secondary.run("CREATE ROLE abgleich_forger; GRANT CREATE ON DATABASE " +
                        pairing.secondary.rows("SELECT quote_ident(current_database())") +
                        " TO abgleich_forger; SET ROLE abgleich_forger");
  pairing.secondary.run(ddl);
  pairing.secondary.run("RESET ROLE");
  const auto refused = pairing.run({"sync"});
  CHECK_MESSAGE(refused.exit == 25, refused.out, refused.err);
  CHECK_MESSAGE(has(refused.err, "table 'abgleich.head' belongs to 'abgleich_forger'"),
                refused.err);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM abgleich.run") == "0");
  // done as the hint says
  pairing.secondary.run("DROP SCHEMA abgleich CASCADE");
  CHECK(pairing.sync()["exit"] == 0);
  pairing.secondary.run("DROP OWNED BY abgleich_forger; DROP ROLE abgleich_forger");
}

TEST_CASE("a table called base_01 is not taken for the base of table 1") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    CHECK(pairing.sync()["exit"] == 0);
    const auto theirs = pairing.of_books("abgleich", "base_01");
    pairing.secondary.run("CREATE TABLE " + theirs + " (a integer)");
    CHECK(pairing.run({"verify", "-q"}).exit == 0);
    CHECK(pairing.run({"verify", "--repair-base", "--reason", "a test", "-q"}).exit == 0);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM " + theirs) == "0");
  }
}

TEST_CASE("on PostgreSQL, the tables of two pairings may have one name in two schemas") {
  Shared pairing(On::postgresql);
  pairing.secondary.run("CREATE SCHEMA office_02");
  CHECK(pairing.sync()["exit"] == 0);
  pairing.add("other", "abgleich_02", contract_of("person", "02"), "schema = \"office_02\"");
  CHECK(pairing.sync_of("other")["exit"] == 0);
  CHECK(pairing.names("office_02.person") == "P1\nP5\nP9");
  CHECK(pairing.names("public.person") == "P12\nP4\nP8");
}

TEST_CASE("a stranger's schema that looks like books is not looked at") {
  Shared pairing(On::postgresql);
  CHECK(pairing.sync()["exit"] == 0);
  // a policy's function runs with the rights of whoever reads
  pairing.secondary.run(
      "CREATE ROLE abgleich_stranger; CREATE SCHEMA abgleich_09 AUTHORIZATION abgleich_stranger;"
      "SET ROLE abgleich_stranger;"
      "CREATE TABLE abgleich_09.tracked (id bigint, source text, target text);"
      "CREATE TABLE abgleich_09.fact (kind text, value text);"
      "CREATE TABLE abgleich_09.head (lineage text, hash text);"
      "CREATE FUNCTION abgleich_09.spy() RETURNS boolean LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE 'spied'; END $$;"
      "ALTER TABLE abgleich_09.tracked ENABLE ROW LEVEL SECURITY;"
      "CREATE POLICY spy ON abgleich_09.tracked USING (abgleich_09.spy());"
      "GRANT USAGE ON SCHEMA abgleich_09 TO PUBLIC;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA abgleich_09 TO PUBLIC; RESET ROLE;"
      "CREATE ROLE abgleich_writer_02 LOGIN;"
      "GRANT CREATE, TEMPORARY ON DATABASE " +
      pairing.secondary.rows("SELECT quote_ident(current_database())") +
      " TO abgleich_writer_02; CREATE SCHEMA office_02 AUTHORIZATION abgleich_writer_02");
  pairing.add("other", "abgleich_02", contract_of("person", "02"), "schema = \"office_02\"");
  pairing.write_as("other", "abgleich_writer_02");
  const auto line = pairing.sync_of("other");
  CHECK_MESSAGE(line["exit"] == 0, line.dump());
  CHECK(pairing.names("office_02.person") == "P1\nP5\nP9");
  pairing.secondary.run(
      "DROP SCHEMA abgleich_02, office_02, abgleich_09 CASCADE;"
      "DROP OWNED BY abgleich_writer_02, abgleich_stranger;"
      "DROP ROLE abgleich_writer_02, abgleich_stranger");
}

TEST_CASE("four pairings at once, of one primary in one secondary") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    const std::vector<std::string> offices{"01", "02", "03", "04"};
    for (const auto& office : offices) {
      pairing.add(office, "abgleich_" + office, contract_of("person_" + office, office));
    }
    for (int round = 0; round < 3; ++round) {
      CAPTURE(round);
      pairing.primary.run("UPDATE person SET name = name || 'x'");
      std::vector<Ran> ran(offices.size());
      std::vector<std::thread> running;
      for (std::size_t i = 0; i < offices.size(); ++i) {
        running.emplace_back([&, i] {
          ran[i] =
              run_program({kProgram, "sync", "--config", pairing.config_of(offices[i]).string()},
                          pairing.directory.path().string());
        });
      }
      for (auto& thread : running) {
        thread.join();
      }
      for (const auto& each : ran) {
        CHECK_MESSAGE(each.exit == 0, each.out, each.err);
      }
    }
    CHECK(pairing.names("person_01") == "P12xxx\nP4xxx\nP8xxx");
    CHECK(pairing.names("person_04") == "P11xxx\nP3xxx\nP7xxx");
    for (const auto& office : offices) {
      CHECK(pairing.run_of(office, {"verify", "-q"}).exit == 0);
    }
  }
}

TEST_CASE("books that are called like a base are not taken for one") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    CHECK(pairing.sync()["exit"] == 0);
    pairing.add("other", "abgleich_base_7", contract_of("person_02", "02"));
    CHECK(pairing.sync_of("other")["exit"] == 0);
    CHECK(pairing.run({"verify", "-q"}).exit == 0);
    CHECK(pairing.run({"verify", "--repair-base", "--reason", "a test", "-q"}).exit == 0);
    CHECK(pairing.sync_of("other")["outcome"] == "unchanged");
    CHECK(pairing.run_of("other", {"verify", "-q"}).exit == 0);
  }
}

TEST_CASE("books of another name are not these: the secondary is not as it was") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Shared pairing(engine);
    pairing.add("other", "abgleich_02", contract_of("person_02", "02"));
    CHECK(pairing.sync_of("other")["exit"] == 0);
    auto config = read_file(pairing.config_of("other"));
    config.replace(config.find("abgleich_02"), 11, "abgleich_03");
    write_file(pairing.config_of("other"), config);
    CHECK(pairing.run_of("other", {"sync"}).exit == 22);
    if (engine == On::postgresql) {  // to rename them is enough
      pairing.secondary.run("ALTER SCHEMA abgleich_02 RENAME TO abgleich_03");
      CHECK(pairing.sync_of("other")["outcome"] == "unchanged");
      CHECK(pairing.run_of("other", {"verify", "-q"}).exit == 0);
    }
  }
}

}  // namespace abgleich::test
