// What others have written reaches a terminal, a mail or a log only spelled out: values, the
// vendor's names, what stands in the books, file names, command lines.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// ESC [ 2 J, CSI of one byte's meaning (C1), right-to-left override, zero width, a new line, BEL
const std::string kEvil = "e\x1b[2J\u009b31m\u202e\u200b\nfake: ok\a";
// the same where a line end cannot stand
const std::string kEvilWord = "e\x1b[2J\u009b31m\u202e\u200b\a";

const std::vector<std::string>& hidden() {
  static const std::vector<std::string> kHidden{"\u009b", "\u202e", "\u200b", "\ufeff", "\u2066"};
  return kHidden;
}

/// `text` without the colours that abgleich itself makes.
std::string without_own_colours(std::string text) {
  for (const std::string colour : {"\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[1m", "\x1b[0m"}) {
    for (auto at = text.find(colour); at != std::string::npos; at = text.find(colour)) {
      text.erase(at, colour.size());
    }
  }
  return text;
}

/// What of `text` steers a terminal, or is a line that others have put there; empty: nothing.
std::string steering(const std::string& text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7f) {
      return "control character " + std::to_string(byte);
    }
  }
  for (const auto& character : hidden()) {
    if (text.find(character) != std::string::npos) {
      return "format character";
    }
  }
  return ("\n" + text).find("\nfake:") == std::string::npos ? "" : "a line of somebody else";
}

enum class Side : std::uint8_t { primary, secondary };

void check_harmless(const Ran& ran) {
  CAPTURE(ran.out);
  CAPTURE(ran.err);
  CHECK(steering(ran.out) == "");
  CHECK(steering(ran.err) == "");
}

std::string in_sql(const std::string& name) {
  return "\"" + name + "\"";
}

std::string toml(const std::string& text) {
  return Json(text).dump();  // the same escapes
}

const std::vector<std::vector<std::string>>& every_look() {
  static const std::vector<std::vector<std::string>> kLooks{{"check"},
                                                            {"diff"},
                                                            {"sync", "-v"},
                                                            {"status"},
                                                            {"log"},
                                                            {"show", "latest"},
                                                            {"verify"},
                                                            {"conflicts"},
                                                            {"quarantine"},
                                                            {"drift"},
                                                            {"privacy"},
                                                            {"privacy", "--markdown"},
                                                            {"contract", "diff"},
                                                            {"drift", "--format", "github"},
                                                            {"drift", "--format", "junit"},
                                                            {"diff", "nosuch"}};
  return kLooks;
}

/// A pairing whose names, values and books are all of the worst kind; with drift and a conflict.
class Scene {
 public:
  Scene(On primary, On secondary)
      : table_("t" + kEvil), column_("c" + kEvil), pairing_(primary, secondary, contract("")) {
    pairing_.primary.run("CREATE TABLE " + in_sql(table_) + " (id integer PRIMARY KEY, " +
                         in_sql(column_) + " text, code text)");
    pairing_.primary.run("INSERT INTO " + in_sql(table_) + " VALUES (1, 'a', 'A'), (2, '" + kEvil +
                         "', 'A'), (3, 'c', '" + kEvil + "')");
    REQUIRE(pairing_.run({"drift", "accept"}).exit == 0);
    check_harmless(pairing_.run({"sync", "-v"}));
    const auto of = [&](const std::string& value) {
      return "UPDATE " + in_sql(table_) + " SET " + in_sql(column_) + " = '" + value +
             "' WHERE code = 'A'";
    };
    pairing_.primary.run(of(kEvil + "p"));
    pairing_.secondary.run(of(kEvil + "s"));
    pairing_.primary.run("ALTER TABLE " + in_sql(table_) + " ADD COLUMN " + in_sql("n" + kEvil) +
                         " text");
  }
  [[nodiscard]] const Pairing& pairing() const { return pairing_; }
  /// Of the column whose values are somebody else's.
  std::string values(Side side) {
    auto& database = side == Side::primary ? pairing_.primary : pairing_.secondary;
    return database.rows("SELECT " + in_sql(column_) + " FROM " + in_sql(table_));
  }
  [[nodiscard]] std::string contract(const std::string& more) const {
    const auto name = toml(table_);
    return "[tables." + name + "]\nkey = [\"id\"]\n[tables." + name +
           ".columns]\nid = { class = \"pseudonym\", identity = \"p\" }\n" + toml(column_) +
           " = \"plain\"\ncode = { class = \"plain\", codes = [\"A\"] }\n" + more;
  }

 private:
  std::string table_;
  std::string column_;
  Pairing pairing_;
};

}  // namespace

TEST_CASE("no command lets names, values or the books steer the terminal") {
  on_every_pairing([](On primary, On secondary) {
    Scene scene(primary, secondary);
    // the control: printed as it stands there, a value of either side steers the terminal
    CHECK(steering(scene.values(Side::primary)) != "");
    CHECK(steering(scene.values(Side::secondary)) != "");
    const auto& pairing = scene.pairing();
    for (const auto& look : every_look()) {
      CAPTURE(look.front());
      check_harmless(pairing.run(look));
      auto coloured = look;
      coloured.insert(coloured.begin(), "--color=always");
      auto ran = pairing.run(coloured);
      ran.out = without_own_colours(ran.out);
      ran.err = without_own_colours(ran.err);
      check_harmless(ran);
    }
    check_harmless(pairing.run({"resolve", "--all", "--take", "primary", "-v"}));
    check_harmless(pairing.run({"revert", "latest", "--reason", kEvil}));
    check_harmless(pairing.run({"status"}));  // paused, with that reason
    check_harmless(pairing.run({"sync"}));
    check_harmless(pairing.run({"resume", "--reason", kEvil}));
    check_harmless(pairing.run({"log"}));
    pairing.set_contract(scene.contract("\"n" +
                                        std::string("e\\u001b[2J\\u009b31m\\u202e\\u200b"
                                                    "\\nfake: ok\\u0007") +
                                        "\" = \"plain\"\n"));
    check_harmless(pairing.run({"sync"}));
    check_harmless(pairing.run({"contract", "diff"}));
    check_harmless(pairing.run({"contract", "accept", "--reason", kEvil}));
  });
}

TEST_CASE("JSON stays JSON and says exactly what stands there") {
  const Scene scene(On::postgresql, On::sqlite);
  for (const auto& look : every_look()) {
    if (std::ranges::find(look, "--format") != look.end() ||
        std::ranges::find(look, "--sql") != look.end() ||
        std::ranges::find(look, "--markdown") != look.end()) {
      continue;
    }
    auto words = look;
    words.push_back("--json");
    const auto ran = scene.pairing().run(words);
    CAPTURE(look.front());
    check_harmless(ran);
    for (const auto& text : {ran.out, ran.err}) {
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        CHECK_MESSAGE(Json::accept(line), line);
      }
    }
  }
  const auto diff =
      Json::parse(scene.pairing()
                      .run({"conflicts", "--json"})
                      .out.substr(0, scene.pairing().run({"conflicts", "--json"}).out.find('\n')));
  CHECK(diff["table"] == "t" + kEvil);
  CHECK(diff["columns"]["c" + kEvil]["secondary"] == kEvil + "s");
}

TEST_CASE("nor does anything before a connection is made") {
  const TemporaryDirectory directory;
  const auto named = directory / kEvil;
  const auto run = [&](const std::vector<std::string>& words) {
    auto all = words;
    all.insert(all.begin(), kProgram);
    const auto ran = run_program(all, directory.path().string());
    CAPTURE(ran.err);
    CHECK(ran.exit != 0);
    CHECK(ran.err.find("error: ") == 0);
    check_harmless(ran);
    auto json = all;
    json.emplace_back("--json");
    const auto as_json = run_program(json, directory.path().string());
    check_harmless(as_json);
    CHECK_MESSAGE(Json::accept(as_json.err), as_json.err);
  };
  run({kEvilWord});
  run({"sync", "--" + kEvilWord});
  run({"--config", named.string(), "sync"});
  run({"--config", "\xff\xfe" + kEvil, "sync"});
  run({"init", "--primary", "sqlite:" + named.string(), "--secondary", "sqlite:x"});
  run({"init", "--primary", kEvilWord + "://x", "--secondary", "sqlite:x"});
  run({"init", "--primary", "postgresql://\u202e" + std::string("@\u200bdb.invalid/x"),
       "--secondary", "sqlite:x"});
  const auto config = [&](const std::string& text) {
    write_file(directory / "abgleich.toml", text);
    run({"sync"});
  };
  config("[primary]\nurl = " + toml("sqlite:" + kEvil) + "\n");
  config(toml(kEvil) + " = 1\n");
  config("[\u202e" + kEvilWord + "]\n");
  config("x = \x1b[2J\u202e\n");
  config("[primary]\nurl = \"sqlite:a\"\n[secondary]\nurl = \"sqlite:b\"\n[state]\ndirectory = " +
         toml(kEvil) + "\n");
  fs::create_directory(named);
  write_file(named / "abgleich.toml", "x");
  run({"--config", (named / "abgleich.toml").string(), "sync"});
}

TEST_CASE("the contract that init writes hides nothing from whoever reviews it") {
  const TemporaryDirectory directory;
  Database primary(On::sqlite, directory / "primary.db");
  primary.run("CREATE TABLE " + in_sql("t" + kEvil) + " (id integer PRIMARY KEY, " +
              in_sql("c\u202e\u2066\u200b\U000e0041") + " text)");
  Database secondary(On::sqlite, directory / "secondary.db");
  const auto ran = run_program({kProgram, "init", "--primary", "sqlite:primary.db", "--secondary",
                                "sqlite:secondary.db", "--directory", "made"},
                               directory.path().string());
  CHECK_MESSAGE(ran.exit == 0, ran.err);
  const auto text = read_file(directory / "made" / "contract.toml");
  CHECK(steering(text) == "");
  CHECK(text.find("\\U000e0041") != std::string::npos);
  const auto check =
      run_program({kProgram, "--config", "made/abgleich.toml", "check"}, directory.path().string());
  CHECK_MESSAGE(check.exit == 0, check.out);
}

TEST_CASE("a name that only a server's error has is not printed") {
  for (const std::string field : {"COLUMN", "CONSTRAINT", "TABLE", "SCHEMA", "DATATYPE"}) {
    for (const std::string state : {"P0001", "23505", "22003"}) {
      Pairing pairing(On::postgresql, On::sqlite,
                      "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                      "id = { class = \"pseudonym\", identity = \"p\" }\nstatus = \"plain\"\n");
      pairing.primary.run(
          "CREATE TABLE people (id integer PRIMARY KEY, status text);"
          "INSERT INTO people VALUES (1, 'Mustermann');"
          "CREATE FUNCTION tell(who text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
          "RAISE EXCEPTION 'no: %', who USING ERRCODE = '" +
          state + "', " + field +
          " = who, DETAIL = who, HINT = who; END $$;"
          "CREATE VIEW person AS SELECT id, tell(status) AS status FROM people");
      // the control: what the server says itself names the person
      CHECK(PlainConnection(pairing.primary.url()).complaint("TABLE person").find("Mustermann") !=
            std::string::npos);
      for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
               {"sync"}, {"diff"}, {"sync", "--json"}, {"check"}}) {
        const auto ran = pairing.run(words);
        CAPTURE(field);
        CAPTURE(state);
        CAPTURE(ran.err);
        CHECK(ran.out.find("Mustermann") == std::string::npos);
        CHECK(ran.err.find("Mustermann") == std::string::npos);
        if (words.front() == "sync") {
          CHECK(ran.err.find("SQLSTATE " + state) != std::string::npos);
        }
      }
    }
  }
}

}  // namespace abgleich::test
