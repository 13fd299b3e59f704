// History and undo: what a run changed is shown, taken back cell by cell, and nobody's later work
// is lost by it.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = 100\nmax_updated = 100\n";

std::string contract(const std::string& table = "", const std::string& status = "\"plain\"") {
  return "[tables.person]\nkey = [\"id\"]\n" + table +
         "[tables.person.columns]\n"
         "id = { class = \"pseudonym\", identity = \"person\" }\n"
         "tag = \"plain\"\nname = \"withhold\"\nstatus = " +
         status + "\nnote = \"plain\"\n";
}

/// A pairing after its first run: persons a to d.
struct Scene : Pairing {
  explicit Scene(On engine, const std::string& text = contract(), const std::string& more = kLimits)
      : Pairing(engine, engine, text, more) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text, note text);"
        "INSERT INTO person VALUES (1, 'a', 'n', 'open', 'x'), (2, 'b', 'n', 'open', 'x'), "
        "(3, 'c', 'n', 'open', 'x'), (4, 'd', 'n', 'open', 'x')");
    CHECK(sync()["exit"] == 0);
  }

  /// A second run that updates a and b, deletes c and inserts e. Returns its id.
  std::string second_run() {
    primary.run(
        "UPDATE person SET status = 'case' WHERE tag = 'a';"
        "UPDATE person SET status = 'case', note = 'y' WHERE tag = 'b';"
        "DELETE FROM person WHERE tag = 'c';"
        "INSERT INTO person VALUES (5, 'e', 'n', 'open', 'x')");
    return sync()["run"];
  }

  Json revert(const std::string& run, int exit = 0) const {
    const auto ran = Pairing::run({"revert", run, "--reason", "a bad batch", "--json"});
    CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
    auto line = Json::parse(ran.out, nullptr, false);
    REQUIRE_MESSAGE(line.is_object(), ran.out, ran.err);
    CHECK(line["schema"] == "abgleich.revert/1");
    CHECK(line["exit"] == exit);
    return line;
  }
  void resume() const {
    const auto ran = Pairing::run({"resume", "--reason", "mended"});
    CHECK_MESSAGE(ran.exit == 0, ran.err);
  }
  std::vector<Json> lines(const std::vector<std::string>& words) const {
    const auto ran = Pairing::run(words);
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    std::vector<Json> all;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) {
      all.push_back(Json::parse(line));
    }
    return all;
  }
  /// Refused, with that in message or hint.
  void refused(const std::vector<std::string>& words, int exit, const std::string& part) const {
    const auto ran = Pairing::run(words);
    CHECK_MESSAGE(ran.exit == exit, ran.err);
    CHECK_MESSAGE(ran.err.find(part) != std::string::npos, ran.err);
  }
  std::string data() {
    return secondary.rows("SELECT id, tag, status, note FROM person ORDER BY id");
  }
  std::string base() {
    const bool sqlite = secondary.engine() == On::sqlite;
    return secondary.rows(
        sqlite ? "SELECT k0, hex(cells) FROM abgleich_base_1 ORDER BY k0"
               : "SELECT k0, upper(encode(cells, 'hex')) FROM abgleich.base_1 ORDER BY k0");
  }
  std::string books(const std::string& name) {
    return (secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.") + name;
  }
  std::string person(const std::string& tag) {
    return secondary.rows("SELECT status, note FROM person WHERE tag = '" + tag + "'");
  }
};

template <class Test>
void on_both(const Test& test) {
  SUBCASE("SQLite") {
    test(On::sqlite);
  }
  SUBCASE("PostgreSQL") {
    test(On::postgresql);
  }
}

}  // namespace

TEST_CASE("show tells every row that a run changed, before and after") {
  on_both([](On engine) {
    Scene scene(engine);
    const auto run = scene.second_run();
    std::map<std::string, int> fates;
    for (const auto& change : scene.lines({"show", run, "--json"})) {
      ++fates[change["fate"]];
      CHECK(change["table"] == "person");
      CHECK(change["key"].contains("id"));
      if (change["fate"] == "update") {
        CHECK(change["columns"]["status"] == Json{{"primary", "case"},
                                                  {"secondary", "open"},
                                                  {"before", "open"},
                                                  {"after", "case"}});
      }
    }
    CHECK(fates == std::map<std::string, int>{{"insert", 1}, {"update", 2}, {"delete", 1}});
    const auto first = scene.lines({"show", "r1", "--json"});
    REQUIRE(first.size() == 1);  // a first load is one record
    CHECK(first[0]["reason"].get<std::string>().starts_with("4 rows"));
    const auto text = scene.run({"show", "latest"});
    CHECK(text.out.find("status: \"open\" -> \"case\"") != std::string::npos);
    CHECK(text.out.find("abgleich revert " + run) != std::string::npos);
  });
}

TEST_CASE("a run that is taken back at once leaves data and base exactly as they were") {
  on_both([](On engine) {
    Scene scene(engine);
    const auto data = scene.data();
    const auto base = scene.base();
    const auto run = scene.second_run();
    const auto after_data = scene.data();
    const auto after_base = scene.base();
    CHECK(after_base != base);
    const auto line = scene.revert(run);
    CHECK(line["tables"]["person"]["inserted"] == 1);
    CHECK(line["tables"]["person"]["updated"] == 2);
    CHECK(line["tables"]["person"]["deleted"] == 1);
    CHECK(scene.data() == data);
    CHECK(scene.base() == base);

    SUBCASE("and taking that back brings it again") {
      scene.revert(line["run"]);
      CHECK(scene.data() == after_data);
      CHECK(scene.base() == after_base);
    }
    SUBCASE("the pairing is paused until it is resumed; then the primary's change comes again") {
      const auto refused = scene.sync();
      CHECK(refused["exit"] == 13);
      CHECK(refused["outcome"] == "refused");
      CHECK(scene.data() == data);
      CHECK(scene.lines({"status", "--json"})[0]["paused"].get<std::string>().find("a bad batch") !=
            std::string::npos);
      CHECK(scene.lines({"diff", "--json"}).size() == 4);
      scene.resume();
      scene.refused({"resume", "--reason", "again"}, 64, "not paused");
      CHECK(scene.sync()["outcome"] == "applied");
      CHECK(scene.data() == after_data);
    }
    SUBCASE("a primary that was mended meanwhile has nothing to sync") {
      scene.primary.run(
          "UPDATE person SET status = 'open', note = 'x';"
          "DELETE FROM person WHERE tag = 'e';"
          "INSERT INTO person VALUES (3, 'c', 'n', 'open', 'x')");
      scene.resume();
      CHECK(scene.sync()["outcome"] == "unchanged");
      CHECK(scene.data() == data);
    }
  });
}

TEST_CASE("what was edited since a run becomes a conflict when the run is taken back") {
  on_both([](On engine) {
    Scene scene(engine);
    const auto run = scene.second_run();

    SUBCASE("an updated cell") {
      scene.secondary.run("UPDATE person SET status = 'ours' WHERE tag = 'b'");
      CHECK(scene.revert(run, 10)["open"]["conflicts"] == 1);
      CHECK(scene.person("b") == "ours|x");
      CHECK(scene.person("a") == "open|x");
      const auto conflict = scene.lines({"conflicts", "--json"})[0];
      CHECK(conflict["kind"] == "both_updated");
      CHECK(conflict["columns"] == Json{{"status", {{"primary", "case"}, {"secondary", "ours"}}}});
      scene.resume();
      CHECK(scene.sync()["open"]["conflicts"] == 1);
      CHECK(scene.lines({"conflicts", "--json"})[0]["id"] == conflict["id"]);
      CHECK(scene.person("b") == "ours|y");
    }
    SUBCASE("an updated row that was deleted since") {
      scene.secondary.run("DELETE FROM person WHERE tag = 'b'");
      CHECK(scene.revert(run, 10)["open"]["conflicts"] == 1);
      CHECK(scene.person("b").empty());
      const std::string id = scene.lines({"conflicts", "--json"})[0]["id"];
      const auto refused = scene.run({"resolve", id, "--take", "primary"});
      CHECK(refused.exit == 10);
      CHECK(refused.err.find("only a run knows") != std::string::npos);
      scene.resume();
      CHECK(scene.sync()["open"]["conflicts"] == 1);
      CHECK(scene.run({"resolve", "--all", "--take", "primary"}).exit == 0);
      CHECK(scene.person("b") == "case|y");
    }
    SUBCASE("an inserted row") {
      scene.secondary.run("UPDATE person SET note = 'ours' WHERE tag = 'e'");
      CHECK(scene.revert(run, 10)["open"]["conflicts"] == 1);
      CHECK(scene.person("e") == "open|ours");
      CHECK(scene.lines({"conflicts", "--json"})[0]["kind"] == "both_inserted");
    }
    SUBCASE("a deleted row that somebody has entered anew") {
      const auto id = scene.secondary.rows("SELECT id FROM person WHERE tag = 'd'");
      const std::string gone = scene.lines({"show", run, "--json"})[3]["key"]["id"];
      scene.secondary.run("INSERT INTO person (id, tag, status, note) VALUES ('" + gone +
                          "', 'c', 'ours', 'x')");
      CHECK(scene.revert(run, 10)["open"]["conflicts"] == 1);
      CHECK(scene.person("c") == "ours|x");
      CHECK(scene.lines({"conflicts", "--json"})[0]["kind"] == "deleted_and_updated");
    }
    SUBCASE("a cell that a later run has changed again") {
      scene.primary.run("UPDATE person SET status = 'closed' WHERE tag = 'a'");
      CHECK(scene.sync()["exit"] == 0);
      CHECK(scene.revert(run, 10)["open"]["conflicts"] == 1);
      CHECK(scene.person("a") == "closed|x");
      scene.resume();
      // both sides hold the same: the conflict closes by itself
      CHECK(scene.sync()["open"]["conflicts"] == 0);
      CHECK(scene.person("a") == "closed|x");
    }
    SUBCASE("an edit that is what the run before had: nothing to decide") {
      scene.secondary.run("UPDATE person SET status = 'open' WHERE tag = 'a'");
      scene.revert(run);
      CHECK(scene.person("a") == "open|x");
    }
  });
}

TEST_CASE("a first load is taken back whole, but for what people have entered") {
  on_both([](On engine) {
    Scene scene(engine);
    scene.secondary.run(
        "UPDATE person SET note = 'ours' WHERE tag = 'b';"
        "DELETE FROM person WHERE tag = 'c';"
        "INSERT INTO person (id, tag) VALUES ('ours', 'z')");
    const auto line = scene.revert("r1", 10);
    CHECK(line["tables"]["person"]["deleted"] == 2);
    CHECK(scene.secondary.rows("SELECT tag, note FROM person ORDER BY tag") == "b|ours\nz|NULL");
    CHECK(scene.base().empty());
    scene.resume();
    CHECK(scene.sync()["tables"]["person"]["inserted"] == 3);
    CHECK(scene.person("b") == "open|ours");
    CHECK(scene.lines({"conflicts", "--json"}).size() == 1);
  });
}

TEST_CASE("a resolution that is taken back opens its conflict again") {
  on_both([](On engine) {
    Scene scene(engine);
    scene.secondary.run("UPDATE person SET status = 'ours' WHERE tag = 'a'");
    scene.primary.run("UPDATE person SET status = 'case' WHERE tag = 'a'");
    CHECK(scene.sync()["exit"] == 10);
    const std::string id = scene.lines({"conflicts", "--json"})[0]["id"];
    const auto base = scene.base();
    for (const auto* side : {"primary", "secondary"}) {
      CAPTURE(side);
      const auto resolved = scene.run({"resolve", id, "--take", side, "--json"});
      REQUIRE_MESSAGE(resolved.exit == 0, resolved.err);
      scene.revert(Json::parse(resolved.out)["run"]);
      CHECK(scene.person("a") == "ours|x");
      CHECK(scene.base() == base);
      scene.resume();
      CHECK(scene.sync()["exit"] == 10);
      CHECK(scene.lines({"conflicts", "--json"})[0]["id"] == id);
    }
  });
}

TEST_CASE("runs that cannot be shown or taken back are refused with what to do") {
  on_both([](On engine) {
    Scene scene(engine);
    const auto run = scene.second_run();
    const auto data = scene.data();
    auto wrong = run;
    wrong.back() = wrong.back() == '0' ? '1' : '0';
    scene.refused({"show", wrong}, 64, run);
    scene.refused({"revert", wrong, "--reason", "r"}, 64, run);
    scene.refused({"show", "r"}, 64, "no run 'r'");
    scene.refused({"revert", run}, 64, "--reason");

    SUBCASE("the columns are others since") {
      scene.set_contract(contract() + "extra = \"plain\"\n");
      scene.accept_more();
      scene.primary.run("ALTER TABLE person ADD COLUMN extra text");
      CHECK(scene.sync()["outcome"] == "applied");
      scene.refused({"revert", run, "--reason", "r"}, 64, "other exported columns");
      CHECK(scene.run({"show", run}).exit == 0);
    }
    SUBCASE("a run that changed nothing in the data") {
      scene.revert(run);
      scene.resume();
      scene.refused({"revert", "latest", "--reason", "r"}, 64, "nothing that could be taken back");
      return;
    }
    CHECK(scene.person("a") == "case|x");
  });
}

TEST_CASE("the journal is purged of what is older than the configuration keeps") {
  on_both([](On engine) {
    Scene scene(engine, contract(), std::string(kLimits) + "[journal]\nkeep = \"30d\"\n");
    const auto run = scene.second_run();
    const auto journal = "SELECT count(*) FROM " + scene.books("journal");

    SUBCASE("by number, also by a run that has nothing else to do") {
      CHECK(scene.sync()["outcome"] == "unchanged");
      CHECK(scene.secondary.rows(journal) == "5");
      scene.configure(std::string(kLimits) + "[journal]\nkeep = \"1 runs\"\n");
      scene.secondary.run("UPDATE person SET note = note");
      CHECK(scene.sync()["outcome"] == "unchanged");
      CHECK(scene.secondary.rows(journal) == "4");
      CHECK(scene.sync()["outcome"] == "unchanged");
      CHECK(scene.run({"verify"}).exit == 0);
      scene.refused({"show", "r1"}, 64, "no longer kept");
      return;
    }
    SUBCASE("not by an age that somebody else has given a run") {
      scene.secondary.run("UPDATE " + scene.books("run") +
                          " SET finished = '2001-01-01T00:00:00Z' WHERE epoch = 2");
      CHECK(scene.run({"sync"}).exit == 41);
      CHECK(scene.secondary.rows(journal) == "5");
      return;
    }
    SUBCASE("by number of runs") {
      scene.configure(std::string(kLimits) + "[journal]\nkeep = \"1 runs\"\n");
      scene.primary.run("UPDATE person SET note = 'z' WHERE tag = 'a'");
      CHECK(scene.sync()["outcome"] == "applied");
      CHECK(scene.secondary.rows(journal) == "1");
    }
    scene.refused({"show", run}, 64, "no longer kept");
    scene.refused({"revert", run, "--reason", "r"}, 64, "no longer kept");
    CHECK(scene.lines({"log", "--json"}).size() >= 2);  // the runs themselves stay known
  });
}

TEST_CASE("a row that was erased leaves no image, not in earlier runs either") {
  on_both([](On engine) {
    Scene scene(engine, contract("on_delete = \"erase\"\n"));
    scene.primary.run("UPDATE person SET note = 'Trace1' WHERE tag = 'a'");
    const std::string updated = scene.sync()["run"];
    scene.secondary.run("UPDATE person SET note = 'Trace2' WHERE tag = 'a'");
    scene.primary.run("DELETE FROM person WHERE tag = 'a'");
    const std::string deleted = scene.sync()["run"];
    CHECK(scene.person("a").empty());
    const auto all = scene.secondary.rows("SELECT * FROM " + scene.books("journal")) +
                     scene.secondary.rows("SELECT * FROM " + scene.books("conflict"));
    CHECK(all.find("Trace") == std::string::npos);
    CHECK(scene.lines({"show", deleted, "--json"})[0]["reason"].get<std::string>().starts_with(
        "erased"));
    const auto data = scene.data();
    for (const auto& run : {updated, deleted}) {
      const auto ran = scene.run({"revert", run, "--reason", "r"});
      CHECK(ran.exit == 0);
      CHECK(ran.err.find("do not come back") != std::string::npos);
      CHECK(scene.data() == data);
    }
  });
}

TEST_CASE("sync --full lets owner = primary win over edits, and only there") {
  on_both([](On engine) {
    Scene scene(engine, contract("", "{ class = \"plain\", owner = \"primary\" }"));
    scene.secondary.run("UPDATE person SET status = 'ours', note = 'ours' WHERE tag = 'a'");
    CHECK(scene.sync()["outcome"] == "unchanged");
    CHECK(scene.person("a") == "ours|ours");
    CHECK(scene.lines({"diff", "--full", "--json"}).size() == 1);
    const auto line = scene.sync({"--full"});
    CHECK(line["outcome"] == "applied");
    CHECK(line["tables"]["person"]["overridden"] == 1);
    CHECK(scene.person("a") == "open|ours");
    CHECK(scene.sync({"--full"})["outcome"] == "unchanged");
    const auto shown = scene.lines({"show", line["run"], "--json"});
    CHECK(shown[0]["columns"]["status"]["before"] == "ours");
  });
}

TEST_CASE("a secondary that holds rows already is adopted") {
  on_both([](On engine) {
    Pairing pairing(engine, engine, contract(), kLimits);
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, name text, status text, note text);"
        "INSERT INTO person VALUES (1, 'a', 'n', 'open', 'x'), (2, 'b', 'n', 'open', 'x')");
    CHECK(pairing.sync()["exit"] == 0);
    // the data stay, the bookkeeping goes: as if somebody had copied them by other means
    pairing.secondary.run("UPDATE person SET note = 'ours' WHERE tag = 'b'");
    if (engine == On::sqlite) {
      std::istringstream tables(pairing.secondary.rows(
          "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'abgleich%'"));
      for (std::string table; std::getline(tables, table);) {
        pairing.secondary.run("DROP TABLE " + table);
      }
    } else {
      pairing.secondary.run("DROP SCHEMA abgleich CASCADE");
    }
    std::filesystem::remove_all(pairing.directory.path() / "state");
    const auto note = [&] {
      return pairing.secondary.rows("SELECT note FROM person WHERE tag = 'b'");
    };

    SUBCASE("equal rows are adopted, different ones are conflicts") {
      const auto line = pairing.sync();
      CHECK(line["exit"] == 10);
      CHECK(line["tables"]["person"]["conflicts"] == 1);
      CHECK(line["tables"]["person"]["updated"] == 0);
      CHECK(note() == "ours");
      CHECK(pairing.sync({"--adopt", "secondary"})["open"]["conflicts"] == 0);
      CHECK(note() == "ours");
    }
    SUBCASE("--adopt primary decides all for the primary; the journal has what it overrode") {
      const auto line = pairing.sync({"--adopt", "primary"});
      CHECK(line["exit"] == 0);
      CHECK(line["tables"]["person"]["updated"] == 1);
      CHECK(note() == "x");
      const auto shown = pairing.run({"show", line["run"], "--json"});
      CHECK(shown.out.find(R"("before":"ours")") != std::string::npos);
    }
    SUBCASE("--adopt secondary lets all edits stand; the primary's next change is a change") {
      CHECK(pairing.sync({"--adopt", "secondary"})["exit"] == 0);
      CHECK(note() == "ours");
      pairing.primary.run("UPDATE person SET note = 'new' WHERE tag = 'b'");
      CHECK(pairing.sync()["exit"] == 10);
    }
    CHECK(pairing.sync({"--dry-run"})["run"].is_null());
  });
}

}  // namespace abgleich::test
