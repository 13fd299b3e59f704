// What --json prints is what the schemas say, command by command.
#include "support/json_schema.hpp"
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <set>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Lines = std::vector<Json>;

const char* const kContract = R"([tables.person]
key = ["id"]
quasi_identifiers = ["place"]
sensitive = ["status"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
phone = { class = "pseudonym", identity = "phone", normalise = "phone" }
place = "plain"
status = { class = "plain", codes = ["ill", "well"] }
)";

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

const std::string kCommands = "commands.schema.json#/$defs/";

struct Scene : Pairing {
  explicit Scene(On engine) : Pairing(engine, engine, kContract, kLimits) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, uuid text NOT NULL UNIQUE, phone text, "
        "place text, status text, extra text);"
        "INSERT INTO person VALUES (1, 'u1', '0531 123456', 'north', 'ill', 'a'),"
        " (2, 'u2', '0531 123457', 'north', 'ill', 'b'), (3, 'u3', NULL, 'south', 'ill', 'c'),"
        " (4, 'u4', NULL, 'south', 'ill', 'd'), (5, 'u5', NULL, 'south', 'ill', 'e')");
  }

  /// Every line that the command prints, each as the schema says. What it says on stderr is as the
  /// schema of errors and warnings says.
  Lines lines(std::vector<std::string> words, const std::string& schema, int exit = 0,
              const std::string& input = {}) {
    CAPTURE(words);
    words.emplace_back("--json");
    const auto ran = run_program(command(words), directory.path().string(), {}, input);
    CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
    std::istringstream errors(ran.err);
    for (std::string line; std::getline(errors, line);) {
      if (line.starts_with("{")) {
        CHECK_MESSAGE((fits(line, kCommands + "error") || fits(line, kCommands + "warning")), line);
      }
    }
    Lines all;
    std::istringstream out(ran.out);
    for (std::string line; std::getline(out, line);) {
      all.push_back(Json::parse(line));
      CHECK_MESSAGE(schemas.complaint(all.back(), schema) == "", line);
    }
    if (!all.empty()) {
      used.insert(schema);
    }
    return all;
  }
  /// The one line that it prints.
  Json line(const std::vector<std::string>& words, const std::string& schema, int exit = 0,
            const std::string& input = {}) {
    const auto all = lines(words, schema, exit, input);
    REQUIRE(all.size() == 1);
    return all.front();
  }

  std::string id(int n) {
    return line({"token", "--identity", "person"}, kCommands + "token", 0,
                std::to_string(n))["pseudonym"];
  }

  bool fits(const std::string& text, const std::string& schema) {
    const bool well = schemas.complaint(Json::parse(text), schema).empty();
    if (well) {
      used.insert(schema);
    }
    return well;
  }

  JsonSchemas schemas;
  std::set<std::string> used;
};

const std::string kSync = "sync.schema.json";
const std::string kStatus = "status.schema.json";
const std::string kChange = "change.schema.json";
const std::string kDrift = "drift-event.schema.json";
const std::string kVerify = "verify.schema.json";

void before_the_first_run(Scene& scene) {
  CHECK(scene.line({"status"}, kStatus)["run"].is_null());
  CHECK(!scene.lines({"contract", "diff"}, kCommands + "contract_diff").empty());
  CHECK(scene.line({"drift", "accept"}, kCommands + "drift_accept")["tables"].empty());
  CHECK(scene.lines({"diff"}, kChange).size() == 5);
  CHECK(scene.line({"diff", "--stat"}, kCommands + "stat")["inserted"] == 5);
  CHECK(scene.line({"keys", "check"}, kCommands + "keys_check")["secondary"] ==
        "no pseudonyms yet");
  CHECK(scene.line({"sync"}, kSync)["tables"]["person"]["inserted"] == 5);
}

void without_changes(Scene& scene) {
  CHECK(!scene.lines({"check"}, kCommands + "check").empty());
  CHECK(scene.line({"grants"}, kCommands + "grants").size() == 3);
  CHECK(scene.line({"status"}, kStatus)["tables"] == Json({"person"}));
  CHECK(scene.lines({"log"}, kCommands + "run").size() == 1);
  CHECK(!scene.lines({"show", "latest"}, kChange).empty());
  CHECK(scene.line({"report", "--html", "r.html"}, kCommands + "report")["conflicts"] == 0);
  scene.line({"privacy"}, "privacy.schema.json");
  CHECK(scene.line({"keys", "check"}, kCommands + "keys_check")["secondary"] == "this key");
  const auto told =
      scene.line({"reveal", "person", scene.id(3), "--reason", "a test"}, kCommands + "reveal");
  CHECK(told["value"] == "3");
  CHECK(scene.lines({"show", "r99"}, kChange, 64).empty());  // an error
  CHECK(scene.line({"verify"}, kVerify)["damage"].empty());
  const auto file = scene.directory / "snapshot.json";
  CHECK(scene.run({"drift", "snapshot", file}).exit == 0);
  CHECK(scene.schemas.complaint(Json::parse(read_file(file)), "catalog.schema.json") == "");
}

/// Both sides change a cell, a value cannot be used, and the secondary has a constraint of its own.
void both_at_work(Scene& scene) {
  scene.primary.run(
      "UPDATE person SET status = 'well' WHERE id IN (1, 2); DELETE FROM person WHERE id = 5;"
      "UPDATE person SET status = 'no code' WHERE id = 3;"
      "UPDATE person SET place = 'theirs' WHERE id = 4");
  scene.secondary.run("UPDATE person SET status = 'edited' WHERE id = '" + scene.id(1) +
                      "'; INSERT INTO person (id, place) VALUES ('own', 'theirs');"
                      "CREATE UNIQUE INDEX own_index ON person (place) WHERE place = 'theirs'");
  CHECK(scene.lines({"diff"}, kChange).size() >= 4);
  CHECK(scene.line({"sync"}, kSync, 10)["open"]["conflicts"] == 2);
  const auto open = scene.lines({"conflicts"}, kChange);
  REQUIRE(open.size() == 2);
  CHECK(open[0].contains("constraint") != open[1].contains("constraint"));
  CHECK(scene.lines({"quarantine"}, kChange).size() == 1);
  CHECK(!scene.lines({"show", "latest"}, kChange).empty());
  CHECK(scene.lines({"verify"}, kVerify).size() > 3);
  CHECK(scene.line({"status"}, kStatus)["open"]["quarantined"] == 1);
  const auto some =
      scene.line({"resolve", "--all", "--take", "primary"}, kCommands + "resolve", 10);
  CHECK(some["left_open"].size() == 1);
  scene.line({"resolve", "--all", "--take", "secondary"}, kCommands + "resolve");
  scene.secondary.run("DROP INDEX own_index");
}

void back_and_forth(Scene& scene) {
  CHECK(scene.line({"revert", "latest", "--reason", "a test"}, kSync)["schema"] ==
        "abgleich.revert/1");
  CHECK(scene.line({"status"}, kStatus)["paused"].is_string());
  CHECK(scene.line({"sync"}, kSync, 13)["error"]["code"] == 13);
  scene.line({"resume", "--reason", "a test"}, kCommands + "resume");
  scene.line({"resolve", "--all", "--take", "secondary"}, kCommands + "resolve");
}

void another_contract(Scene& scene) {
  scene.line({"contract", "add", "person.extra", "--class", "plain"}, kCommands + "contract_add");
  CHECK(scene.line({"contract", "diff"}, kCommands + "contract_diff")["more"] == true);
  CHECK(scene.line({"status"}, kStatus)["refused"]["code"] == 23);
  CHECK(scene.line({"sync"}, kSync, 23)["error"]["code"] == 23);
  CHECK(scene.line({"contract", "accept", "--reason", "a test"},
                   kCommands + "contract_accept")["more"] == 1);
  scene.line({"sync"}, kSync, 11);
  scene.line({"contract", "set", "person.extra", "--class", "withhold"},
             kCommands + "contract_set");
  CHECK(scene.line({"contract", "diff"}, kCommands + "contract_diff")["more"] == false);
  scene.line({"sync"}, kSync, 11);
}

/// What people have changed in the secondary's tables, and what their vendor has in the primary's.
void another_schema(Scene& scene) {
  scene.secondary.run("ALTER TABLE person DROP COLUMN place");
  scene.primary.run("ALTER TABLE person ADD COLUMN more text");
  CHECK(scene.lines({"drift"}, kDrift).size() >= 2);
  CHECK(scene.line({"sync"}, kSync, 23)["drift"].size() == 2);
  scene.line({"status"}, kStatus);
  CHECK(!scene.lines({"verify"}, kVerify, 23).empty());
  CHECK(scene.line({"sync", "--refill", "person.place"}, kSync, 11)["error"].is_null());
  scene.secondary.run("ALTER TABLE person RENAME TO people");
  scene.lines({"drift"}, kDrift);  // a warning
  scene.secondary.run("ALTER TABLE people RENAME TO person");
}

void another_key(Scene& scene) {
  auto contract = read_file(scene.directory / "contract.toml");
  const auto put = [&](const std::string& text, const std::string& by) {
    const auto at = contract.find(text);
    REQUIRE(at != std::string::npos);
    contract.replace(at, text.size(), by);
  };
  put("key = [\"id\"]", "key = [\"uuid\"]\nsubject = \"id\"");
  put("id = {", "uuid = { class = \"pseudonym\", identity = \"uuid\" }\nid = {");
  write_file(scene.directory / "contract.toml", contract);
  scene.secondary.run("DELETE FROM person WHERE id = 'own'");
  scene.line({"contract", "accept", "--reason", "a test"}, kCommands + "contract_accept");
  scene.line({"status"}, kStatus);
  const auto rekeyed = scene.line({"rekey", "person", "--reason", "a test"}, kCommands + "rekey");
  CHECK(rekeyed["was"] == Json({"id"}));
  CHECK(rekeyed["now"] == Json({"uuid"}));
}

void the_bookkeeping(Scene& scene) {
  scene.line({"verify", "--repair-base", "--reason", "a test"}, kCommands + "repair");
  scene.line({"verify", "--lay-down-anew", "--reason", "a test"}, kCommands + "lay_down");
  scene.line({"adopt", "--reason", "a test"}, kCommands + "adopt");
  scene.line({"keys", "rotate"}, kCommands + "keys_rotate");
  scene.line({"sync"}, kSync, 11);
  scene.lines({"log"}, kCommands + "run");
}

void copies(Scene& scene) {
  const auto directory = (scene.directory / "kept").string();
  CHECK(scene.line({"backup", directory}, kCommands + "backup")["key"] == false);
  scene.line({"restore", directory}, kCommands + "restore");
  CHECK(scene.line({"restore", "--drill"}, kCommands + "drill")["damage"].empty());
  const auto id = scene.secondary.rows("SELECT min(uuid) FROM person");
  const auto erased = scene.line({"privacy", "--erased", id}, kCommands + "erased", 1);
  CHECK(erased["gone"] == false);
}

void first_files(Scene& scene) {
  const auto directory = (scene.directory / "etc").string();
  const auto made = scene.line({"init", "--primary", scene.primary.url(), "--secondary",
                                scene.secondary.url(), "--directory", directory},
                               kCommands + "init");
  scene.line({"--config", made["config"], "init", "--again"}, kCommands + "init");
  fs::remove(made["key"].get<std::string>());
  scene.line({"--config", made["config"], "keys", "generate"}, kCommands + "keys_generate");
  // and another node
  const auto other = scene.line({"--config", made["config"], "peer", "init", "--name", "other"},
                                kCommands + "peer_init");
  CHECK(scene.line({"--config", made["config"], "peer", "card"}, kCommands + "peer_card")["name"] ==
        "other");
  const std::vector<std::string> add{
      "peer", "add", other["file"], "--fingerprint", other["fingerprint"], "--as", "office"};
  CHECK(scene.line(add, kCommands + "peer_add")["added"] == true);
  CHECK(scene.line(add, kCommands + "peer_add")["added"] == false);
  CHECK(scene.lines({"peer", "list"}, kCommands + "peer_list").size() == 1);
  CHECK(scene.line({"peer", "revoke", "office", "--reason", "moved away"},
                   kCommands + "peer_revoke")["removed"] == 0);
  CHECK(scene.line({"peer", "list"}, kCommands + "peer_list")["revoked"]["reason"] == "moved away");
  CHECK(scene.lines({"peer", "card"}, kCommands + "peer_card", 25).empty());  // an error
}

}  // namespace

TEST_CASE("every line of --json is what its schema says") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    before_the_first_run(scene);
    without_changes(scene);
    both_at_work(scene);
    back_and_forth(scene);
    another_contract(scene);
    another_schema(scene);
    another_key(scene);
    the_bookkeeping(scene);
    copies(scene);
    first_files(scene);
    // and no command was left out
    const auto commands =
        Json::parse(read_file(std::string(kSourceTree) + "/schemas/commands.schema.json"));
    std::set<std::string> named;
    for (const auto& one : commands["anyOf"]) {
      named.insert("commands.schema.json" + one["$ref"].get<std::string>());
    }
    for (const auto& [name, unused] : commands["$defs"].items()) {
      CHECK((name == "reason" || name == "rights" || name == "peer_name" ||
             named.contains(kCommands + name)));
    }
    for (const auto& name : named) {
      CHECK_MESSAGE(scene.used.contains(name), name);
    }
  }
}

TEST_CASE("status --json says of an older copy of the secondary that a run would be refused") {
  Scene scene(On::sqlite);
  scene.line({"sync"}, kSync);
  fs::copy_file(scene.directory / "secondary.db", scene.directory / "older.db");
  scene.primary.run("UPDATE person SET status = 'well' WHERE id = 1");
  scene.line({"sync"}, kSync);
  CHECK(scene.line({"status"}, kStatus)["refused"].is_null());
  auto config = read_file(scene.directory / "abgleich.toml");
  config.replace(config.find("secondary.db"), std::string("secondary.db").size(), "older.db");
  write_file(scene.directory / "abgleich.toml", config);
  CHECK(scene.line({"status"}, kStatus)["refused"]["code"] == 22);
}

}  // namespace abgleich::test
