// What `init` does to files that are there already, and what it keeps out of git.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

/// A primary with one table; `made` is where init writes.
struct Files : Pairing {
  Files() : Pairing(On::sqlite, On::sqlite, "") {
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, sex text)");
  }
  [[nodiscard]] Ran init(const std::string& into = "made") const {
    return run(
        {"init", "--directory", into, "--primary", primary.url(), "--secondary", secondary.url()});
  }
  [[nodiscard]] fs::path made(const std::string& name) const {
    return directory.path() / "made" / name;
  }
  [[nodiscard]] Ran again() const {
    return run({"--config", made("abgleich.toml").string(), "init", "--again"});
  }
  /// What git would take of it.
  [[nodiscard]] std::string taken() const {
    const auto ran = run_program({"/bin/sh", "-c",
                                  "rm -rf .git && git -c init.defaultBranch=main init -q && git "
                                  "add -A && git ls-files"},
                                 (directory.path() / "made").string(),
                                 {"HOME=" + directory.path().string(), "GIT_CONFIG_NOSYSTEM=1"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    return ran.out;
  }
};

}  // namespace

TEST_CASE("init files: keys, state and passwords stay out of git, whatever they are called") {
  Files scene;
  REQUIRE(scene.init().exit == 0);
  for (const char* secret : {"node.key", "db.pass"}) {
    write_file(scene.made(secret), "secret");
  }
  fs::create_directory(scene.made("state"));
  write_file(scene.made("state/anchor.json"), "{}");
  CHECK(scene.taken() == ".gitignore\nabgleich.toml\ncatalog.json\ncontract.toml\n");
  auto config = read_file(scene.made("abgleich.toml"));
  const auto at = config.find("abgleich.key");
  REQUIRE(at != std::string::npos);
  config.replace(at, std::string("abgleich.key").size(), "k[1] *.key");
  write_file(scene.made("abgleich.toml"), config);
  fs::rename(scene.made("abgleich.key"), scene.made("k[1] *.key"));
  REQUIRE(scene.again().exit == 0);
  CHECK(scene.taken() == ".gitignore\nabgleich.toml\ncatalog.json\ncontract.toml\n");
}

TEST_CASE("init files: what is there is not overwritten, and nothing is left half made") {
  Files scene;
  fs::create_directory(scene.directory.path() / "made");
  SUBCASE("a link that leads nowhere") {
    fs::create_symlink("nowhere", scene.made("abgleich.key"));
    const auto ran = scene.init();
    CHECK(ran.exit == 78);
    CHECK_MESSAGE(ran.err.find("move it away: mv ") != std::string::npos, ran.err);
    CHECK_FALSE(fs::exists(scene.made("abgleich.toml")));
    fs::rename(scene.made("abgleich.key"), scene.made("abgleich.key.old"));
    CHECK(scene.init().exit == 0);
  }
  SUBCASE("a .gitignore that is no file") {
    fs::create_directory(scene.made(".gitignore"));
    const auto ran = scene.init();
    CHECK(ran.exit == 78);
    CHECK_MESSAGE(ran.err.find("no lines can be added to it") != std::string::npos, ran.err);
    CHECK_FALSE(fs::exists(scene.made("abgleich.toml")));
  }
  SUBCASE("people's own .gitignore") {
    write_file(scene.made(".gitignore"), "precious");
    REQUIRE(scene.init().exit == 0);
    CHECK(read_file(scene.made(".gitignore")) ==
          "precious\n/abgleich.key\n/node.key\n/state\n*.pass\n");
  }
}

TEST_CASE("init files: where one has begun already, the hint is the command that goes on") {
  Files scene;
  REQUIRE(scene.init("made there").exit == 0);
  const auto ran = scene.init("made there");
  CHECK(ran.exit == 78);
  const auto from = ran.err.find("abgleich --config ");
  const auto to = ran.err.find(" init --again", from);
  REQUIRE_MESSAGE(to != std::string::npos, ran.err);
  const auto typed = ran.err.substr(from + 9, to + 13 - from - 9);
  const auto next = run_program({"/bin/sh", "-c", "exec \"$0\" " + typed, kProgram},
                                scene.directory.path().string());
  CHECK_MESSAGE(next.exit == 0, next.err);
}

TEST_CASE(
    "init --again: a contract that is a link stays one, and what it leads to gets the lines") {
  Files scene;
  REQUIRE(scene.init().exit == 0);
  fs::create_directory(scene.made("repo"));
  fs::rename(scene.made("contract.toml"), scene.made("repo/contract.toml"));
  fs::create_symlink("repo/contract.toml", scene.made("contract.toml"));
  scene.primary.run("CREATE TABLE visit (id integer PRIMARY KEY, place text)");
  REQUIRE(scene.again().exit == 0);
  CHECK(fs::is_symlink(scene.made("contract.toml")));
  CHECK(read_file(scene.made("repo/contract.toml")).find("[tables.visit]") != std::string::npos);
}

TEST_CASE("init --again: a contract that names no table has decided nothing") {
  Files scene;
  REQUIRE(scene.init().exit == 0);
  write_file(scene.made("contract.toml"), "format = 1\n");
  const auto config = scene.made("abgleich.toml").string();
  CHECK(scene.run({"--config", config, "sync"}).exit == 78);
  const auto ran = scene.again();
  CHECK_MESSAGE(ran.out.find("+ table person") != std::string::npos, ran.out, ran.err);
  CHECK(scene.run({"--config", config, "check"}).exit == 0);
}

}  // namespace abgleich::test
