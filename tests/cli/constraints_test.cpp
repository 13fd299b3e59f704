// What the secondary's own constraints make of a run: the cases of schemas/constraints.md, by its
// numbers, on both engines. Each ends with a second run that changes nothing.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

struct Exported {
  std::string table;
  std::vector<std::string> columns;  // the key first
};

std::string contract_of(const std::vector<Exported>& tables) {
  std::string text;
  for (const auto& [table, columns] : tables) {
    text += "[tables." + table + "]\nkey = [\"" + columns.front() + "\"]\n[tables." + table +
            ".columns]\n";
    for (const auto& column : columns) {
      text += column + " = \"plain\"\n";
    }
  }
  return text;
}

/// A secondary whose tables people have made; the primary has the same tables without constraints,
/// so that it can do anything.
struct Scene : Pairing {
  Scene(On engine, const std::vector<Exported>& exported, const std::string& types,
        const std::string& secondary_ddl)
      : Pairing(On::sqlite, engine, contract_of(exported), kLimits), tables(exported) {
    primary.run(types);
    secondary.run(secondary_ddl);
  }

  Json run_sync(int exit) const {
    auto line = sync();
    CHECK_MESSAGE(line["exit"] == exit, line.dump());
    CHECK(line["error"].is_null());
    const auto again = sync();
    CHECK_MESSAGE(again["outcome"] == "unchanged", again.dump());
    CHECK(again["exit"] == exit);
    return line;
  }

  [[nodiscard]] std::vector<std::string> open() const {
    std::vector<std::string> rows;
    std::istringstream lines(run({"conflicts", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      const auto json = Json::parse(line);
      CHECK(json["kind"] == "constraint");
      rows.push_back(json["table"].get<std::string>() + " " + json["key"].begin()->dump());
    }
    return rows;
  }

  std::string rows(const std::string& table) {
    for (const auto& exported : tables) {
      if (exported.table == table) {
        std::string list;
        for (const auto& column : exported.columns) {
          list += (list.empty() ? "" : ", ") + column;
        }
        return secondary.rows("SELECT " + list + " FROM " + table + " ORDER BY 1");
      }
    }
    return {};
  }

  /// Both sides hold the same, and nothing is open.
  void expect_equal() {
    CHECK(open().empty());
    for (const auto& exported : tables) {
      CAPTURE(exported.table);
      CHECK(rows(exported.table) ==
            primary.rows("SELECT * FROM " + exported.table + " ORDER BY 1"));
    }
  }

  std::vector<Exported> tables;
};

template <class Test>
void on_both(const Test& test) {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    test(engine);
  }
}

using Open = std::vector<std::string>;

const std::vector<Exported> kPerson{{"person", {"id", "code", "rank"}}};
const std::vector<Exported> kTree{{"person", {"id", "name", "boss"}}};
const std::vector<Exported> kFamily{{"person", {"id", "code"}},
                                    {"visit", {"id", "person", "place"}}};
const char* const kFamilyTypes =
    "CREATE TABLE person (id integer PRIMARY KEY, code text);"
    "CREATE TABLE visit (id integer PRIMARY KEY, person integer, place text);"
    "INSERT INTO person VALUES (1, 'a'), (2, 'b'), (3, 'c');"
    "INSERT INTO visit VALUES (1, 1, 'x'), (2, 2, 'y')";

std::string family(const std::string& reference) {
  return "CREATE TABLE person (id integer PRIMARY KEY, code text UNIQUE);"
         "CREATE TABLE visit (id integer PRIMARY KEY, person integer REFERENCES person " +
         reference + ", place text)";
}

}  // namespace

TEST_CASE("constraints 1: two rows swap a unique value, NULL allowed or not, text or number") {
  for (const std::string column : {"code text UNIQUE, rank integer NOT NULL UNIQUE",
                                   "code text NOT NULL UNIQUE, rank integer UNIQUE"}) {
    on_both([&](On engine) {
      Scene scene(engine, kPerson,
                  "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
                  "INSERT INTO person VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
                  "CREATE TABLE person (id integer PRIMARY KEY, " + column + ", own text)");
      scene.run_sync(0);
      scene.secondary.run("UPDATE person SET own = 'ours'");
      scene.primary.run(
          "UPDATE person SET code = CASE id WHEN 1 THEN 'b' ELSE 'a' END, "
          "rank = 3 - rank WHERE id < 3; UPDATE person SET code = 'd' WHERE id = 3");
      const auto line = scene.run_sync(0);
      CHECK(line["tables"]["person"]["updated"] == 3);
      scene.expect_equal();
      CHECK(scene.secondary.rows("SELECT count(*) FROM person WHERE own = 'ours'") == "3");
    });
  }
}

TEST_CASE("constraints 2: unique values move on in a chain and round in a ring") {
  on_both([](On engine) {
    Scene scene(engine, kPerson,
                "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
                "INSERT INTO person VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4), "
                "(5, 'e', 5), (6, 'f', 6), (7, 'g', 7)",
                "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer NOT NULL "
                "UNIQUE); CREATE UNIQUE INDEX one_code ON person (code) WHERE rank > 0");
    scene.run_sync(0);
    scene.primary.run(
        // a ring of three, a chain that ends in a deleted row's value, one that an insert enters
        "UPDATE person SET code = CASE id WHEN 1 THEN 'b' WHEN 2 THEN 'c' ELSE 'a' END "
        "WHERE id < 4;"
        "DELETE FROM person WHERE id = 7; UPDATE person SET rank = rank + 1 WHERE id > 3;"
        "INSERT INTO person VALUES (8, 'g', 4)");
    scene.run_sync(0);
    scene.expect_equal();
  });
}

TEST_CASE("constraints 3: a tree is re-parented, its root becomes a leaf") {
  on_both([](On engine) {
    Scene scene(engine, kTree,
                "CREATE TABLE person (id integer PRIMARY KEY, name text, boss integer);"
                "INSERT INTO person VALUES (1, 'root', NULL), (2, 'mid', 1), (3, 'leaf', 2), "
                "(4, 'gone', 3)",
                "CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL, boss integer "
                "REFERENCES person (id))");
    scene.run_sync(0);
    scene.primary.run(
        "UPDATE person SET boss = CASE id WHEN 1 THEN 2 WHEN 2 THEN 3 ELSE 5 END WHERE id < 4;"
        "DELETE FROM person WHERE id = 4; INSERT INTO person VALUES (5, 'new root', NULL)");
    scene.run_sync(0);
    scene.expect_equal();
    // beside a row that nothing can bring in
    scene.primary.run(
        "UPDATE person SET boss = CASE id WHEN 5 THEN 3 WHEN 3 THEN 2 WHEN 2 THEN 1 END;"
        "INSERT INTO person VALUES (6, NULL, 1)");
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 6"});
    CHECK(scene.rows("person") == "1|root|NULL\n2|mid|1\n3|leaf|2\n5|new root|3");
  });
}

TEST_CASE("constraints 4: rows that point to each other in a ring come and go") {
  on_both([](On engine) {
    Scene scene(engine, kTree,
                "CREATE TABLE person (id integer PRIMARY KEY, name text, boss integer);"
                "INSERT INTO person VALUES (1, 'a', 2), (2, 'b', 3), (3, 'c', 1), (4, 'd', NULL)",
                "CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL, boss integer "
                "REFERENCES person (id))");
    scene.primary.run("INSERT INTO person VALUES (9, NULL, 1)");  // the ring is not all there is
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 9"});
    CHECK(scene.rows("person") == "1|a|2\n2|b|3\n3|c|1\n4|d|NULL");
    scene.primary.run(
        "DELETE FROM person WHERE id IN (1, 2, 3, 9); INSERT INTO person VALUES (8, NULL, 4)");
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 8"});
    CHECK(scene.rows("person") == "4|d|NULL");
  });
}

TEST_CASE("constraints 5: a ring over two tables comes and goes, deferrable or not") {
  on_both([](On engine) {
    for (const std::string when : {"", " DEFERRABLE INITIALLY DEFERRED"}) {
      CAPTURE(when);
      Scene scene(
          engine, {{"person", {"id", "team", "name"}}, {"team", {"id", "lead"}}},
          "CREATE TABLE person (id integer PRIMARY KEY, team integer, name text);"
          "CREATE TABLE team (id integer PRIMARY KEY, lead integer);"
          "INSERT INTO person VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, NULL);"
          "INSERT INTO team VALUES (1, 1), (2, 3)",
          engine == On::sqlite
              ? "CREATE TABLE team (id integer PRIMARY KEY, lead integer REFERENCES person "
                "(id)" +
                    when +
                    ");"
                    "CREATE TABLE person (id integer PRIMARY KEY, team integer REFERENCES team "
                    "(id)" +
                    when + ", name text NOT NULL)"
              : "CREATE TABLE team (id integer PRIMARY KEY, lead integer);"
                "CREATE TABLE person (id integer PRIMARY KEY, team integer REFERENCES team "
                "(id)" +
                    when +
                    ", name text NOT NULL);"
                    "ALTER TABLE team ADD FOREIGN KEY (lead) REFERENCES person (id)" +
                    when);
      // a ring of which one member is refused waits as a whole
      scene.run_sync(10);
      CHECK(scene.open() == Open{"person 3", "team 2"});
      CHECK(scene.rows("person") == "1|1|a\n2|1|b");
      CHECK(scene.rows("team") == "1|1");
      scene.primary.run("UPDATE person SET name = 'c' WHERE id = 3");
      scene.run_sync(0);
      scene.expect_equal();
      scene.primary.run(
          "DELETE FROM person WHERE id < 3; DELETE FROM team WHERE id = 1;"
          "INSERT INTO person VALUES (4, 2, NULL)");
      scene.run_sync(10);
      CHECK(scene.open() == Open{"person 4"});
      CHECK(scene.rows("person") == "3|2|c");
      CHECK(scene.rows("team") == "2|3");
    }
  });
}

TEST_CASE("constraints 6: a parent is deleted to which the secondary has added a child") {
  on_both([](On engine) {
    Scene scene(engine, kFamily, kFamilyTypes, family(""));
    scene.run_sync(0);
    scene.secondary.run("INSERT INTO visit VALUES (100, 1, 'ours')");
    scene.primary.run(
        "DELETE FROM visit WHERE id < 3; DELETE FROM person WHERE id < 3;"
        "INSERT INTO visit VALUES (3, 3, 'z')");
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 1"});
    CHECK(scene.rows("person") == "1|a\n3|c");
    CHECK(scene.rows("visit") == "3|3|z\n100|1|ours");
    SUBCASE("it closes when the child is gone") {
      scene.secondary.run("UPDATE visit SET person = 3 WHERE id = 100");
      scene.run_sync(0);
      CHECK(scene.rows("person") == "3|c");
    }
    SUBCASE("or is decided: the parent stays, as the secondary's own") {
      CHECK(scene.run({"resolve", "--all", "--take", "primary"}).exit == 10);
      CHECK(scene.run({"resolve", "--all", "--take", "secondary"}).exit == 0);
      scene.run_sync(0);
      CHECK(scene.rows("person") == "1|a\n3|c");
    }
  });
}

TEST_CASE("constraints 7: what people let go along with a parent does not go along unseen") {
  on_both([](On engine) {
    for (const std::string effect : {"ON DELETE CASCADE", "ON DELETE SET NULL",
                                     "ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"}) {
      CAPTURE(effect);
      Scene scene(engine, kFamily, kFamilyTypes, family(effect));
      scene.secondary.run(
          "CREATE TABLE own_note (id integer PRIMARY KEY, visit integer REFERENCES visit " +
          effect + ", text text)");
      scene.run_sync(0);
      // 1 has a visit of the secondary's own, the visit of 2 a note in a table of its own
      scene.secondary.run(
          "INSERT INTO visit VALUES (100, 1, 'ours');"
          "INSERT INTO own_note VALUES (1, 2, 'seen')");
      scene.primary.run(
          "DELETE FROM visit; DELETE FROM person;"
          "INSERT INTO person VALUES (4, 'd'); INSERT INTO visit VALUES (4, 4, 'w')");
      scene.run_sync(10);
      CHECK(scene.open() == Open{"person 1", "person 2", "visit 2"});
      CHECK(scene.rows("person") == "1|a\n2|b\n4|d");
      CHECK(scene.rows("visit") == "2|2|y\n4|4|w\n100|1|ours");
      CHECK(scene.secondary.rows("SELECT * FROM own_note") == "1|2|seen");
      // a child that the primary moves to another parent is moved, not taken along
      scene.secondary.run("DELETE FROM own_note; DELETE FROM visit WHERE id = 100");
      scene.primary.run("INSERT INTO visit VALUES (2, 4, 'y')");
      scene.run_sync(0);
      scene.expect_equal();
    }
  });
}

TEST_CASE("constraints 8: a row that a CHECK refuses waits with its dependants, and only they") {
  on_both([](On engine) {
    Scene scene(engine,
                {{"person", {"id", "age"}},
                 {"result", {"id", "visit", "value"}},
                 {"visit", {"id", "person"}}},
                "CREATE TABLE person (id integer PRIMARY KEY, age integer);"
                "CREATE TABLE result (id integer PRIMARY KEY, visit integer, value text);"
                "CREATE TABLE visit (id integer PRIMARY KEY, person integer);"
                "INSERT INTO person VALUES (1, 30), (2, -1), (3, 40);"
                "INSERT INTO visit VALUES (1, 1), (2, 2), (3, 2), (4, 3);"
                "INSERT INTO result VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c'), (4, 4, 'd')",
                "CREATE TABLE person (id integer PRIMARY KEY, age integer CHECK (age >= 0));"
                "CREATE TABLE visit (id integer PRIMARY KEY, person integer NOT NULL REFERENCES "
                "person);"
                "CREATE TABLE result (id integer PRIMARY KEY, visit integer NOT NULL REFERENCES "
                "visit, value text)");
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 2", "result 2", "result 3", "visit 2", "visit 3"});
    CHECK(scene.rows("result") == "1|1|a\n4|4|d");
    // an update that the CHECK refuses leaves the row as it was; the rest of it waits too
    scene.primary.run(
        "UPDATE person SET age = -2 WHERE id = 1; UPDATE person SET age = 41 WHERE "
        "id = 3");
    scene.run_sync(10);
    CHECK(scene.open().size() == 6);
    CHECK(scene.rows("person") == "1|30\n3|41");
    scene.primary.run("UPDATE person SET age = abs(age)");
    scene.run_sync(0);
    scene.expect_equal();
  });
}

TEST_CASE("constraints 9: a unique value that a row of the secondary's own has taken") {
  on_both([](On engine) {
    Scene scene(engine, kFamily, kFamilyTypes, family(""));
    scene.run_sync(0);
    scene.secondary.run("INSERT INTO person VALUES (100, 'new')");
    scene.primary.run(
        "INSERT INTO person VALUES (4, 'new'), (5, 'e'); UPDATE person SET code = "
        "'new' WHERE id = 1; INSERT INTO visit VALUES (4, 4, 'w'), (5, 5, 'v')");
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 1", "person 4", "visit 4"});
    CHECK(scene.rows("person") == "1|a\n2|b\n3|c\n5|e\n100|new");
    scene.primary.run("UPDATE person SET code = 'a' WHERE id = 1");
    scene.secondary.run("UPDATE person SET code = 'ours' WHERE id = 100");
    scene.run_sync(0);
    CHECK(scene.rows("person") == "1|a\n2|b\n3|c\n4|new\n5|e\n100|ours");
  });
}

TEST_CASE("constraints 10: a key changes, its unique value and its children go to the new row") {
  on_both([](On engine) {
    for (const std::string effect : {"", "ON DELETE CASCADE"}) {
      CAPTURE(effect);
      Scene scene(engine, kFamily, kFamilyTypes, family(effect));
      scene.run_sync(0);
      scene.secondary.run("UPDATE visit SET place = 'ours' WHERE id = 1");
      scene.primary.run(
          "UPDATE person SET id = 9 WHERE id = 1; UPDATE visit SET person = 9 WHERE "
          "person = 1");
      const auto line = scene.run_sync(0);
      CHECK(line["tables"]["person"]["inserted"] == 1);
      CHECK(line["tables"]["person"]["deleted"] == 1);
      CHECK(scene.rows("person") == "2|b\n3|c\n9|a");
      CHECK(scene.rows("visit") == "1|9|ours\n2|2|y");
    }
  });
}

TEST_CASE("constraints 11: a swap that cannot be done stays open, and the other rows go on") {
  on_both([](On engine) {
    Scene scene(engine, kPerson,
                "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
                "INSERT INTO person VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
                "CREATE TABLE person (id integer PRIMARY KEY, code text NOT NULL CHECK (code IN "
                "('a', 'b', 'c', 'd')), rank integer);"
                "CREATE UNIQUE INDEX one_code ON person (upper(code))");
    scene.run_sync(0);
    scene.primary.run(
        "UPDATE person SET code = CASE id WHEN 1 THEN 'b' ELSE 'a' END, rank = 7 "
        "WHERE id < 3; UPDATE person SET code = 'd' WHERE id = 3");
    scene.run_sync(10);
    CHECK(scene.open() == Open{"person 1", "person 2"});
    CHECK(scene.rows("person") == "1|a|1\n2|b|2\n3|d|3");
    // who makes room lets it happen
    scene.primary.run("UPDATE person SET code = 'c' WHERE id = 2");
    scene.run_sync(0);
    scene.expect_equal();
  });
}

TEST_CASE("constraints 12: references to a column that is no key go along or make a conflict") {
  on_both([](On engine) {
    const std::vector<Exported> tables{{"person", {"id", "code"}}, {"visit", {"id", "code"}}};
    const auto types =
        "CREATE TABLE person (id integer PRIMARY KEY, code text);"
        "CREATE TABLE visit (id integer PRIMARY KEY, code text);"
        "INSERT INTO person VALUES (1, 'a'), (2, 'b'); INSERT INTO visit VALUES (1, 'a')";
    for (const std::string effect : {"ON UPDATE CASCADE", "ON UPDATE SET NULL", ""}) {
      CAPTURE(effect);
      Scene scene(
          engine, tables, types,
          "CREATE TABLE person (id integer PRIMARY KEY, code text UNIQUE);"
          "CREATE TABLE visit (id integer PRIMARY KEY, code text REFERENCES person (code) " +
              effect + ")");
      scene.run_sync(0);
      scene.secondary.run("INSERT INTO visit VALUES (100, 'a')");
      scene.primary.run(
          "UPDATE person SET code = 'c' WHERE id = 1;"
          "UPDATE visit SET code = 'c' WHERE id = 1");
      if (effect == "ON UPDATE CASCADE") {  // people let their references follow
        scene.run_sync(0);
        CHECK(scene.rows("visit") == "1|c\n100|c");
      } else {
        scene.run_sync(10);
        CHECK(scene.open() == Open{"person 1", "visit 1"});
        CHECK(scene.rows("visit") == "1|a\n100|a");
      }
    }
  });
}

TEST_CASE("constraints 13: a trigger's refusal is that of a constraint, now or at the commit") {
  on_both([](On engine) {
    for (const bool at_commit : {false, true}) {
      if (at_commit && engine == On::sqlite) {
        continue;  // it has no such triggers
      }
      CAPTURE(at_commit);
      Scene scene(engine, kPerson,
                  "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
                  "INSERT INTO person VALUES (1, 'a', 1), (2, 'bad', 2), (3, 'c', 3)",
                  "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer)");
      scene.secondary.run(
          engine == On::sqlite
              ? "CREATE TRIGGER no BEFORE INSERT ON person WHEN new.code = 'bad' BEGIN SELECT "
                "RAISE(ABORT, 'no'); END"
              : std::string("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF "
                            "new.code = 'bad' THEN RAISE EXCEPTION 'no'; END IF; RETURN new; END "
                            "$$; CREATE ") +
                    (at_commit ? "CONSTRAINT TRIGGER no AFTER INSERT ON person DEFERRABLE "
                                 "INITIALLY DEFERRED"
                               : "TRIGGER no BEFORE INSERT ON person") +
                    " FOR EACH ROW EXECUTE FUNCTION no()");
      scene.run_sync(10);
      CHECK(scene.open() == Open{"person 2"});
      CHECK(scene.rows("person") == "1|a|1\n3|c|3");
    }
  });
}

TEST_CASE("constraints 14: a trigger that rolls the whole transaction back refuses the run") {
  Scene scene(On::sqlite, kPerson,
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "INSERT INTO person VALUES (1, 'a', 1)",
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "CREATE TRIGGER no BEFORE UPDATE ON person BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
  CHECK(scene.sync()["exit"] == 0);
  scene.primary.run("UPDATE person SET rank = 2; INSERT INTO person VALUES (2, 'b', 2)");
  const auto line = scene.sync();
  CHECK(line["exit"] == 26);
  CHECK(line["error"]["message"].get<std::string>().find("rolled back the whole transaction") !=
        std::string::npos);
  CHECK(scene.rows("person") == "1|a|1");
}

TEST_CASE("constraints 15: a trigger that deletes rows of its own accord refuses the run") {
  on_both([](On engine) {
    Scene scene(engine, {{"other", {"id"}}, {"person", {"id", "code", "rank"}}},
                "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
                "CREATE TABLE other (id integer PRIMARY KEY);"
                "INSERT INTO person VALUES (1, 'a', 1), (2, 'b', 2); INSERT INTO other VALUES (1)",
                "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
                "CREATE TABLE other (id integer PRIMARY KEY)");
    scene.run_sync(0);
    scene.secondary.run("INSERT INTO other VALUES (100)");
    scene.secondary.run(
        engine == On::sqlite
            ? "CREATE TRIGGER clear AFTER UPDATE ON person BEGIN DELETE FROM other WHERE id = 100; "
              "END"
            : "CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "
              "other WHERE id = 100; RETURN NULL; END $$; CREATE TRIGGER clear AFTER UPDATE ON "
              "person FOR EACH STATEMENT EXECUTE FUNCTION clear()");
    scene.primary.run("UPDATE person SET rank = 7");
    const auto line = scene.sync();
    CHECK(line["exit"] == 26);
    CHECK(line["error"]["message"].get<std::string>().find("deletes more than was asked from "
                                                           "'other' (1 of the rows)") !=
          std::string::npos);
    CHECK(scene.rows("other") == "1\n100");
    CHECK(scene.rows("person") == "1|a|1\n2|b|2");
  });
}

TEST_CASE("constraints 16: a trigger on statements refuses its kind of change, and only that") {
  Scene scene(On::postgresql, kPerson,
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "INSERT INTO person VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)",
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
              "'no' USING ERRCODE = '45000'; END $$");
  scene.run_sync(0);
  scene.secondary.run(
      "CREATE TRIGGER no BEFORE UPDATE ON person FOR EACH STATEMENT EXECUTE FUNCTION no()");
  scene.primary.run(
      "UPDATE person SET rank = 7 WHERE id = 1; DELETE FROM person WHERE id = 2;"
      "INSERT INTO person VALUES (4, 'd', 4)");
  const auto line = scene.run_sync(10);
  CHECK(scene.open() == Open{"person 1"});
  CHECK(line["tables"]["person"]["inserted"] == 1);
  CHECK(line["tables"]["person"]["deleted"] == 1);
  CHECK(scene.rows("person") == "1|a|1\n3|c|3\n4|d|4");
  CHECK(scene.secondary.rows("SELECT fate FROM abgleich.journal WHERE epoch = 2 ORDER BY 1") ==
        "primary_deleted\nprimary_inserted");
  CHECK(scene.run({"revert", "latest", "--reason", "x"}).exit <= 10);
  CHECK(scene.rows("person") == "1|a|1\n2|b|2\n3|c|3");
}

TEST_CASE("constraints 17: people's triggers find their own tables, and what breaks is theirs") {
  Scene scene(On::postgresql, kPerson,
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "INSERT INTO person VALUES (1, 'a', 1)",
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "CREATE TABLE audit (id integer, what text);"
              "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "
              "audit VALUES (new.id, TG_OP); RETURN new; END $$;"
              "CREATE TRIGGER note AFTER INSERT OR UPDATE ON person FOR EACH ROW EXECUTE FUNCTION "
              "note()");
  scene.run_sync(0);
  scene.primary.run("UPDATE person SET rank = 2");
  scene.run_sync(0);
  CHECK(scene.secondary.rows("SELECT * FROM audit") == "1|INSERT\n1|UPDATE");
  scene.secondary.run(
      "CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ "
      "BEGIN PERFORM nowhere(new.id); RETURN new; END $$");
  scene.primary.run("UPDATE person SET rank = 3");
  const auto line = scene.sync();
  CHECK(line["exit"] == 26);
  CHECK(line["error"]["hint"].get<std::string>().find("a trigger, rule or foreign key") !=
        std::string::npos);
}

TEST_CASE("constraints 18: values that exclude each other, by NULL too, are swapped") {
  Scene scene(On::postgresql, kPerson,
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer);"
              "INSERT INTO person VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, 3)",
              "CREATE TABLE person (id integer PRIMARY KEY, code text, rank integer, EXCLUDE USING "
              "btree (rank WITH =));"
              "CREATE UNIQUE INDEX one_code ON person (coalesce(code, '')); CREATE UNIQUE INDEX "
              "also_code ON person (code)");
  scene.run_sync(0);
  scene.primary.run(
      "UPDATE person SET rank = 3 - rank, code = CASE id WHEN 1 THEN 'b' ELSE 'a' END WHERE id < "
      "3");
  scene.run_sync(0);
  scene.expect_equal();
}

}  // namespace abgleich::test
