// `verify`: every difference in its class, every kind of damage found and latched, and a repair
// after which nobody's edit is lost; on both engines.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::string contract(const std::string& more = "") {
  return "[tables.person]\nkey = [\"id\"]\n" + more +
         "\n[tables.person.columns]\n"
         "id = { class = \"pseudonym\", identity = \"person\" }\n"
         "tag = \"plain\"\nname = \"withhold\"\n"
         "status = { class = \"plain\", codes = [\"open\", \"case\", \"mine\", \"new\"] }\n"
         "ours = { class = \"plain\", owner = \"secondary\" }\n"
         "theirs = { class = \"plain\", owner = \"primary\" }\n";
}

/// What verify says: the differences by "class tag", its closing line and the rest.
struct Said {
  std::map<std::string, Json> rows;  // by the class and the row's tag
  std::map<std::string, int> classes;
  Json line;
  Ran ran;

  [[nodiscard]] std::int64_t count(const std::string& name) const {
    return line["tables"]["person"][name].get<std::int64_t>();
  }
};

/// Six rows a … f, synchronised, and a crowd in which nothing will happen: where most rows agree,
/// only the others are looked at one by one.
struct Synced : Pairing {
  explicit Synced(On engine, const std::string& more = "", int crowd = 0)
      : Pairing(engine, engine, contract(more), kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text, ours text, "
        "theirs text);"
        "INSERT INTO person VALUES (1, 'a', 'Secretname', 'open', 'o', 't'), "
        "(2, 'b', 'Secretname', 'open', 'o', 't'), (3, 'c', 'Secretname', 'open', 'o', 't'), "
        "(4, 'd', 'Secretname', 'open', 'o', 't'), (5, 'e', 'Secretname', 'open', 'o', 't'), "
        "(6, 'f', 'Secretname', 'open', 'o', 't')");
    primary.run(
        "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1000 + " +
        std::to_string(crowd) +
        ") INSERT INTO person SELECT i, 'crowd ' || i, 'Secretname', 'open', 'o', 't' FROM n "
        "WHERE i > 1000");
    REQUIRE(sync()["outcome"] == "applied");
    for (const std::string tag : {"a", "b", "c", "d", "e", "f"}) {
      tags[secondary.rows("SELECT id FROM person WHERE tag = '" + tag + "'")] = tag;
    }
  }

  /// A bookkeeping table.
  [[nodiscard]] std::string own(const std::string& name) const {
    return (secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.") + name;
  }
  /// SQL for the base row of a row.
  [[nodiscard]] std::string base_of(const std::string& tag) const {
    for (const auto& [id, known] : tags) {
      if (known == tag) {
        return own("base_1") + " WHERE k0 = '" + id + "'";
      }
    }
    return "";
  }
  [[nodiscard]] std::string set_base(const std::string& tag, const std::string& expression) const {
    const auto where = base_of(tag);
    return "UPDATE " + own("base_1") + " SET cells = " + expression +
           where.substr(where.find(" WHERE"));
  }
  /// SQL for other digests of the same length: every bit of the first one flipped.
  [[nodiscard]] std::string garbage() const {
    return secondary.engine() == On::sqlite
               ? "CAST(zeroblob(8) || substr(cells, 9) AS BLOB)"
               : "overlay(cells placing '\\x0000000000000000'::bytea from 1)";
  }

  Said verify(int exit, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{"verify", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    Said said{.ran = run(words)};
    CHECK_MESSAGE(said.ran.exit == exit, said.ran.out, said.ran.err);
    std::istringstream lines(said.ran.out);
    for (std::string text; std::getline(lines, text);) {
      auto line = Json::parse(text);
      if (line.contains("schema")) {
        CHECK(line["schema"] == "abgleich.verify/1");
        CHECK(line["exit"] == exit);
        said.line = line;
        continue;
      }
      const auto name = line["class"].get<std::string>();
      const auto id = line["key"].value("id", "");
      const auto tag = tags.find(id);
      said.rows[name + " " + (tag == tags.end() ? "?" : tag->second)] = line;
      ++said.classes[name];
    }
    CHECK(said.ran.out.find("Secretname") == std::string::npos);
    return said;
  }

  /// Damage is found, sync and resolve refuse, and a look changes nothing about that.
  void expect_damaged(const std::string& table, const std::string& what) const {
    const auto said = verify(41);
    REQUIRE(said.line["damage"].size() >= 1);
    CHECK(said.line["damage"][0]["table"] == (table.empty() ? Json(nullptr) : Json(table)));
    CHECK_MESSAGE(said.line["damage"][0]["what"].get<std::string>().find(what) != std::string::npos,
                  said.line.dump());
    CHECK(said.ran.err.find("\"code\":41") != std::string::npos);
    CHECK(run({"sync"}).exit == 41);
    CHECK(run({"resolve", "--all", "--take", "primary"}).exit == 41);
    const auto latch = directory.path() / "state" / "damaged";
    struct stat status {};
    REQUIRE(::stat(latch.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
    verify(41);
  }
  [[nodiscard]] bool latched() const {
    return std::filesystem::exists(directory.path() / "state" / "damaged");
  }
  /// A repair, after which verify finds nothing unexplained and sync runs.
  Json repair() const {
    const auto ran = run({"verify", "--repair-base", "--reason", "by hand", "--json"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.out, ran.err);
    CHECK_FALSE(latched());
    verify(0);
    const auto log = run({"log", "--json", "-n", "1"});
    const auto line = Json::parse(log.out);
    CHECK(line["kind"] == "repair");
    CHECK(line["reason"] == "by hand");
    return Json::parse(ran.out);
  }
  [[nodiscard]] std::string person(const std::string& tag) {
    return secondary.rows("SELECT status, ours, theirs FROM person WHERE tag = '" + tag + "'");
  }

  std::map<std::string, std::string> tags;  // by pseudonym
};

void on_both_engines(const std::function<void(On)>& test) {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    test(engine);
  }
}

constexpr int kCrowd = 600;

/// Alone, and in a crowd.
void on_both_engines_alone_or_not(const std::function<void(On, int)>& test) {
  on_both_engines([&](On engine) {
    for (const int crowd : {0, kCrowd}) {
      CAPTURE(crowd);
      test(engine, crowd);
    }
  });
}

}  // namespace

TEST_CASE("verify: both sides agree, and nothing is written anywhere") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    const auto state = [&] {
      return pairing.secondary.rows("SELECT epoch, hash FROM " + pairing.own("head"));
    };
    const auto before = state();
    const auto said = pairing.verify(0, {"--exit-code"});
    CHECK(said.rows.empty());
    CHECK(said.count("agrees") == 6);
    CHECK(said.count("unexplained") == 0);
    CHECK(said.line["damage"].empty());
    CHECK(state() == before);
    const auto text = pairing.run({"verify"});
    CHECK(text.out == "person: 6 rows agree; 0 unexplained\n");
    CHECK(text.err.empty());
    CHECK(pairing.run({"verify", "-q"}).out.empty());
  });
}

TEST_CASE("verify: the published schema names every class that is counted") {
  const auto schema =
      Json::parse(read_file(std::string(kSourceTree) + "/schemas/verify.schema.json"));
  Synced pairing(On::sqlite);
  const auto line = pairing.verify(0).line;
  std::vector<std::string> counted;
  for (const auto& [name, count] : line["tables"]["person"].items()) {
    counted.push_back(name);
  }
  auto named = schema["$defs"]["class"]["enum"].get<std::vector<std::string>>();
  std::ranges::sort(named);
  CHECK(named == counted);  // the parsed object is in the order of names
  for (const auto& field : schema["$defs"]["closing"]["required"]) {
    CHECK(line.contains(field));
  }
  CHECK(line["schema"] == schema["$defs"]["closing"]["properties"]["schema"]["const"]);
}

TEST_CASE("verify: before the first run everything is not yet synced") {
  on_both_engines([](On engine) {
    Pairing pairing(engine, engine, contract(), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text, ours text, "
        "theirs text); INSERT INTO person VALUES (1, 'a', 'Secretname', 'open', 'o', 't')");
    const auto ran = pairing.run({"verify", "--exit-code"});
    CHECK(ran.exit == 1);
    CHECK(ran.out == "person: 0 rows agree; 1 not yet synced; 0 unexplained\n");
  });
}

TEST_CASE("verify: what people and rules account for is explained, row by row") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id IN (1, 2)");
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'a'");
    pairing.secondary.run("DELETE FROM person WHERE tag = 'b'");
    pairing.primary.run("UPDATE person SET status = 'no code' WHERE id = 3");
    CHECK(pairing.sync()["exit"] == 10);
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'd'");
    pairing.secondary.run("UPDATE person SET ours = 'edited', theirs = 'edited' WHERE tag = 'e'");
    pairing.secondary.run("DELETE FROM person WHERE tag = 'f'");
    pairing.secondary.run("INSERT INTO person (id, tag) VALUES ('x', 'z')");

    const auto said = pairing.verify(0, {"--exit-code"});
    CHECK(said.rows.at("conflict a")["columns"]["status"] ==
          Json{{"primary", "case"}, {"secondary", "mine"}, {"class", "conflict"}});
    CHECK(said.rows.at("conflict b")["columns"]["status"]["secondary"].is_null());
    CHECK(said.rows.at("quarantined c")["reason"].get<std::string>().find("status") !=
          std::string::npos);
    CHECK(said.rows.at("edited d")["columns"].size() == 1);
    const auto& owned = said.rows.at("owner_primary e")["columns"];
    CHECK(owned["theirs"]["class"] == "owner_primary");
    CHECK(owned["ours"]["class"] == "owner_secondary");
    CHECK(said.rows.at("deleted f")["columns"]["tag"]["primary"] == "f");
    CHECK(said.rows.at("secondary_only ?")["columns"]["tag"]["secondary"] == "z");
    CHECK(said.rows.size() == 7);
    CHECK(said.count("agrees") == crowd);
    CHECK(pairing.run({"verify"}).out ==
          "person: " + std::to_string(crowd) +
              " rows agree; 1 owner primary: edited in the secondary; 1 edited in the "
              "secondary; 1 in the secondary only; 1 deleted in the secondary; 1 held back; "
              "2 in conflict; 0 unexplained\n");
    const auto more = pairing.run({"verify", "-v"}).out;
    CHECK(more.find("    status: primary \"case\" | secondary \"mine\"\n") != std::string::npos);
    CHECK(more.find("    ours: primary \"o\" | secondary \"edited\"  (owned by the secondary)\n") !=
          std::string::npos);
  });
}

TEST_CASE("verify: what the next run will do is not yet synced, and only --exit-code minds") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id IN (1, 2, 3)");
    pairing.secondary.run("UPDATE person SET status = 'case' WHERE tag = 'b'");  // both alike
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'c'");  // to be a conflict
    pairing.primary.run("DELETE FROM person WHERE id IN (4, 5)");
    pairing.secondary.run("DELETE FROM person WHERE tag = 'e'");
    pairing.primary.run("INSERT INTO person VALUES (9, 'i', 'Secretname', 'new', 'o', 't')");
    const auto said = pairing.verify(0);
    CHECK(said.count("pending") == 6);
    CHECK(said.classes.at("pending") == 6);
    CHECK(said.rows.at("pending b")["columns"]["status"]["primary"] == "case");
    CHECK(said.count("agrees") == crowd + 1);
    pairing.verify(1, {"--exit-code"});
    CHECK(pairing.sync()["exit"] == 10);
    const auto after = pairing.verify(0, {"--exit-code"});
    CHECK(after.count("pending") == 0);
    CHECK(after.count("conflict") == 1);
  });
}

TEST_CASE("verify: a row that the secondary's constraints refuse is in conflict") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    pairing.secondary.run("CREATE UNIQUE INDEX one_tag ON person (tag)");
    pairing.secondary.run("INSERT INTO person (id, tag) VALUES ('x', 'i')");
    pairing.primary.run("INSERT INTO person VALUES (9, 'i', 'Secretname', 'new', 'o', 't')");
    pairing.primary.run("UPDATE person SET tag = 'i' WHERE id = 1");
    CHECK(pairing.sync()["open"]["conflicts"] == 2);
    const auto said = pairing.verify(0, {"--exit-code"});
    CHECK(said.count("conflict") == 2);
  });
}

TEST_CASE("verify: on_delete keep leaves rows that are in the secondary only") {
  on_both_engines([](On engine) {
    Synced pairing(engine, "on_delete = \"keep\"");
    pairing.primary.run("DELETE FROM person WHERE id = 1");
    CHECK(pairing.verify(1, {"--exit-code"}).count("pending") == 1);
    CHECK(pairing.sync()["exit"] == 0);
    CHECK(pairing.verify(0, {"--exit-code"}).count("secondary_only") == 1);
  });
}

TEST_CASE("verify: a table that drift blocks is not verified, and that is said") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    CHECK(pairing.run({"drift", "accept"}).exit == 0);
    pairing.primary.run("ALTER TABLE person RENAME TO persons");
    const auto ran = pairing.run({"verify"});
    CHECK(ran.exit == 23);
    CHECK(ran.err.find("note: table 'person' was not verified") != std::string::npos);
  });
}

TEST_CASE("verify: a base digest changed by hand is damage; the repair makes the next sync quiet") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'b'");
    pairing.secondary.run(pairing.set_base("a", pairing.garbage()));
    pairing.expect_damaged("person", "its base is not as the last run has left it");
    const auto said = pairing.verify(41);
    CHECK(said.rows.at("unexplained a")["columns"].size() == 1);
    CHECK(said.count("unexplained") == 1);
    CHECK(said.count("edited") == 1);
    const auto repaired = pairing.repair();
    CHECK(repaired["rewritten"] == 1);
    CHECK(repaired["removed"] == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    CHECK(pairing.person("b") == "mine|o|t");
  });
}

TEST_CASE(
    "verify: where both sides differ, a repaired cell becomes a conflict, never a lost edit") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    pairing.secondary.run("UPDATE person SET status = 'mine', theirs = 'edited' WHERE tag = 'a'");
    // every digest of the row untrue: nobody can say any more who has changed what
    pairing.secondary.run(
        pairing.set_base("a", engine == On::sqlite ? "zeroblob(length(cells))"
                                                   : "decode(repeat('00', length(cells)), 'hex')"));
    pairing.expect_damaged("person", "its base");
    CHECK(pairing.repair()["rewritten"] == 1);
    const auto line = pairing.sync();
    CHECK(line["open"]["conflicts"] == 1);
    CHECK(pairing.person("a") == "mine|o|t");  // an owner = "primary" cell is the primary's
    CHECK(pairing.secondary.rows("SELECT count(*) FROM " + pairing.own("journal") +
                                 " WHERE before LIKE '%text:edited%'") == "1");
    CHECK(pairing.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    pairing.verify(0, {"--exit-code"});
  });
}

TEST_CASE("verify: a base digest that names the wrong side is found by its seal") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    // the base as it was before the primary's last change, as from an old backup
    const auto old = pairing.secondary.rows(std::string(engine == On::sqlite
                                                            ? "SELECT hex(cells) FROM "
                                                            : "SELECT encode(cells, 'hex') FROM ") +
                                            pairing.base_of("a"));
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    CHECK(pairing.sync()["exit"] == 0);
    pairing.verify(0, {"--exit-code"});
    pairing.secondary.run(pairing.set_base(
        "a", engine == On::sqlite ? "x'" + old + "'" : "decode('" + old + "', 'hex')"));
    pairing.expect_damaged("person", "its base");
    pairing.repair();
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("verify: a lost base row is damage; a row deleted in the secondary does not come back") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    pairing.secondary.run("DELETE FROM person WHERE tag = 'b'");
    pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'c'");
    for (const std::string tag : {"a", "b", "c"}) {
      pairing.secondary.run("DELETE FROM " + pairing.base_of(tag));
    }
    // the rows are too few: a sync that has to write sees that itself
    pairing.primary.run("UPDATE person SET status = 'news' WHERE tag = 'd'");
    CHECK(pairing.run({"sync"}).exit == 41);
    pairing.primary.run("UPDATE person SET status = 'open' WHERE tag = 'd'");
    pairing.expect_damaged("person", "its base has " + std::to_string(crowd + 3) +
                                         " rows, but the last run has left " +
                                         std::to_string(crowd + 6));
    const auto said = pairing.verify(41);
    CHECK(said.classes.at("unexplained") == 3);
    CHECK(pairing.repair()["rewritten"] == 3);
    const auto line = pairing.sync();
    CHECK(line["open"]["conflicts"] == 2);
    CHECK(line["tables"]["person"]["inserted"] == 0);
    CHECK(line["tables"]["person"]["updated"] == 0);
    CHECK(pairing.person("b").empty());
    CHECK(pairing.person("c") == "mine|o|t");
    pairing.verify(0, {"--exit-code"});
  });
}

TEST_CASE("verify: a base row that nobody knows is damage, and the repair removes it") {
  on_both_engines_alone_or_not([](On engine, int crowd) {
    Synced pairing(engine, "", crowd);
    pairing.secondary.run("INSERT INTO " + pairing.own("base_1") + " SELECT 'stray', cells FROM " +
                          pairing.base_of("a"));
    pairing.expect_damaged("person", "its base has " + std::to_string(crowd + 7) +
                                         " rows, but the last run has left " +
                                         std::to_string(crowd + 6));
    const auto repaired = pairing.repair();
    CHECK(repaired["removed"] == 1);
    CHECK(repaired["rewritten"] == 0);
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("verify: a truncated digest is damage that even a sync without a latch refuses") {
  on_both_engines([](On engine) {
    for (const int length : {8, 13}) {
      CAPTURE(length);
      Synced pairing(engine);
      pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'a'");
      pairing.secondary.run(pairing.set_base(
          "a", engine == On::sqlite
                   ? "CAST(substr(cells, 1, " + std::to_string(length) + ") AS BLOB)"
                   : "substr(cells, 1, " + std::to_string(length) + ")"));
      // a run reads the base of what it has to look at: here, of every row
      std::filesystem::remove_all(pairing.directory.path() / "state" / "cache");
      const auto refused = pairing.run({"sync"});
      CHECK(refused.exit == 41);
      CHECK(refused.err.find("the base of 'person'") != std::string::npos);
      pairing.expect_damaged("person", "1 row of its base is not one digest a column");
      pairing.repair();
      CHECK(pairing.sync()["open"]["conflicts"] == 1);
      CHECK(pairing.person("a") == "mine|o|t");
    }
  });
}

TEST_CASE("verify: a changed run is damage of the chain, and stands until somebody accepts it") {
  struct Case {
    std::string statement;  // on the runs
    std::string what;
  };
  const Case cases[] = {
      {"UPDATE @ SET hash = 'x' WHERE epoch = 1", "has been changed"},
      {"UPDATE @ SET counts = '{}' WHERE epoch = 2", "its hash is not that of its fields"},
      {"DELETE FROM @ WHERE epoch = 1", "run 1 is missing"},
      {"DELETE FROM @ WHERE epoch = 2", "the head names run r2-"}};
  on_both_engines([&](On engine) {
    for (const auto& [statement, what] : cases) {
      CAPTURE(statement);
      Synced pairing(engine);
      pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
      CHECK(pairing.sync()["exit"] == 0);
      auto sql = statement;
      pairing.secondary.run(sql.replace(sql.find('@'), 1, pairing.own("run")));
      pairing.expect_damaged("", what);
      CHECK(pairing.repair()["rewritten"] == 0);
      CHECK(pairing.sync()["outcome"] == "unchanged");
      pairing.primary.run("UPDATE person SET status = 'open' WHERE id = 1");
      CHECK(pairing.sync()["outcome"] == "applied");
      pairing.verify(0, {"--exit-code"});
    }
  });
}

TEST_CASE("verify: a journal entry that is gone is damage") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id IN (1, 2)");
    CHECK(pairing.sync()["exit"] == 0);
    pairing.secondary.run("DELETE FROM " + pairing.own("journal") + " WHERE epoch = 2 AND n = 1");
    pairing.expect_damaged("", "the journal of run 2 has 1 entries, but the run has left 2");
    pairing.repair();
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE(
    "verify: a journal that was purged as configured is no damage, and a revert none either") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
    const std::string second = pairing.sync()["run"];
    REQUIRE(pairing.run({"revert", second, "--reason", "test"}).exit == 0);
    pairing.verify(0);
    REQUIRE(pairing.run({"resume", "--reason", "test"}).exit == 0);
    pairing.configure(std::string(kLimits) + "[journal]\nkeep = \"1 runs\"\n");
    CHECK(pairing.sync()["outcome"] == "applied");
    CHECK(pairing.secondary.rows("SELECT count(DISTINCT epoch) FROM " + pairing.own("journal")) ==
          "1");
    pairing.verify(0, {"--exit-code"});
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE(
    "verify: a journal entry of no run is damage; mended by hand, a look takes off the latch") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    pairing.secondary.run(
        "INSERT INTO " + pairing.own("journal") +
        " (epoch, tracked, n, key_text, fate, mac) SELECT 9, 1, 1, '{}', 'x', mac FROM " +
        pairing.own("head"));
    pairing.expect_damaged("", "the journal of run 9 has 1 entries, but the run has left 0");
    pairing.secondary.run("DELETE FROM " + pairing.own("journal") + " WHERE epoch = 9");
    pairing.verify(0);
    CHECK_FALSE(pairing.latched());
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE(
    "verify: a conflict of a table that is not tracked is damage, and the repair forgets it") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    pairing.secondary.run("INSERT INTO " + pairing.own("conflict") +
                          " (id, tracked, key_text, kind, detail, epoch, mac) SELECT "
                          "'abc', 7, '{}', 'both_updated', '{\"columns\": {}}', 1, mac FROM " +
                          pairing.own("head"));
    pairing.expect_damaged("", "1 conflict is not as a run has left it");
    CHECK(pairing.verify(41).line.dump().find("1 conflicts name a table that is not tracked") !=
          std::string::npos);
    pairing.repair();
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("verify: much damage of one kind does not hide another kind") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    for (int run = 101; run <= 125; ++run) {
      pairing.secondary.run("INSERT INTO " + pairing.own("journal") +
                            " (epoch, tracked, n, key_text, fate, mac) SELECT " +
                            std::to_string(run) + ", 1, 1, '{}', 'x', mac FROM " +
                            pairing.own("head"));
    }
    pairing.secondary.run("INSERT INTO " + pairing.own("conflict") +
                          " (id, tracked, key_text, kind, detail, epoch, mac) SELECT "
                          "'abc', 7, '{}', 'both_updated', '{\"columns\": {}}', 1, mac FROM " +
                          pairing.own("head"));
    const auto said = pairing.verify(41).line.dump();
    CHECK_MESSAGE(said.find("the journal of run 120 has") != std::string::npos, said);
    CHECK_MESSAGE(said.find("the journal of run 121 has") == std::string::npos, said);
    CHECK_MESSAGE(said.find("5 more journals are damaged") != std::string::npos, said);
    CHECK_MESSAGE(said.find("1 conflicts name a table that is not tracked") != std::string::npos,
                  said);
    pairing.repair();
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

TEST_CASE("verify: a base that is gone is damage, whether its rows are or the table itself") {
  on_both_engines([](On engine) {
    for (const bool table : {false, true}) {
      CAPTURE(table);
      Synced pairing(engine);
      pairing.secondary.run("UPDATE person SET status = 'mine' WHERE tag = 'a'");
      pairing.secondary.run((table ? "DROP TABLE " : "DELETE FROM ") + pairing.own("base_1"));
      CHECK(pairing.run({"sync"}).exit == 41);
      pairing.expect_damaged("person", table ? "its base is gone"
                                             : "its base has 0 rows, but the last run has left 6");
      CHECK(pairing.repair()["rewritten"] == 6);
      CHECK(pairing.sync()["open"]["conflicts"] == 1);
      CHECK(pairing.person("a") == "mine|o|t");
    }
  });
}

TEST_CASE("verify: a change of the contract that no run has seen yet is no damage") {
  on_both_engines([](On engine) {
    Synced pairing(engine);
    auto less = contract();
    less.erase(less.find("ours = "), less.find("theirs = ") - less.find("ours = "));
    auto other = contract();
    const std::string moved = "tag = \"plain\"\n";
    other.replace(other.find(moved), moved.size(), "");
    other += moved;
    for (const auto& changed : {other, less}) {
      CAPTURE(changed);
      pairing.set_contract(changed);
      for (const auto& words : std::vector<std::vector<std::string>>{
               {"verify", "-q"}, {"verify", "--repair-base", "--reason", "a test", "-q"}}) {
        const auto ran = pairing.run(words);
        CHECK_MESSAGE((ran.exit == 0 || ran.exit == 10), ran.out, ran.err);
        CHECK(!std::filesystem::exists(pairing.directory / "state" / "damaged"));
      }
      CHECK(pairing.sync()["exit"] == 0);
      CHECK(pairing.run({"verify", "-q"}).exit == 0);
    }
    // and real damage is found beside such a change
    Synced damaged(engine);
    damaged.secondary.run(damaged.set_base("b", damaged.garbage()));
    damaged.set_contract(less);
    CHECK(damaged.run({"verify", "-q"}).exit == 41);
    CHECK(std::filesystem::exists(damaged.directory / "state" / "damaged"));
  });
}

TEST_CASE("verify: the repair wants a reason, and does nothing where nothing is damaged") {
  Synced pairing(On::sqlite);
  CHECK(pairing.run({"verify", "--repair-base"}).exit == 64);
  CHECK(pairing.run({"verify", "--reason", "why"}).exit == 64);
  const auto ran = pairing.run({"verify", "--repair-base", "--reason", "why"});
  CHECK(ran.exit == 0);
  CHECK(ran.out == "nothing to repair: bookkeeping and base are what the runs have left\n");
  CHECK(pairing.secondary.rows("SELECT epoch FROM abgleich_head") == "1");
  const auto help = pairing.run({"verify", "--help"}).out;
  CHECK(help.find("41: bookkeeping or base are damaged") != std::string::npos);
}

TEST_CASE(
    "verify: a latch that cannot be read is one all the same, and a clean look takes it off") {
  Synced pairing(On::sqlite);
  write_file(pairing.directory.path() / "state" / "damaged", "");
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 41);
  CHECK(refused.err.find("abgleich verify") != std::string::npos);
  CHECK(pairing.run({"diff"}).exit == 0);  // looking is free
  CHECK(pairing.run({"status"}).out.find("abgleich verify") != std::string::npos);
  CHECK(Json::parse(pairing.run({"status", "--json"}).out)["damaged"] == true);
  CHECK(pairing.run({"verify"}).exit == 0);
  CHECK(pairing.sync()["outcome"] == "unchanged");
}

TEST_CASE("verify: refuses what sync would refuse: another secondary, another key") {
  Synced pairing(On::sqlite);
  Synced other(On::sqlite);
  std::filesystem::copy_file(other.directory.path() / "secondary.db",
                             pairing.directory.path() / "secondary.db",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(pairing.run({"verify"}).exit == 22);
  std::filesystem::remove_all(pairing.directory.path() / "state");
  CHECK(pairing.run({"verify"}).exit == 25);
}

}  // namespace abgleich::test
