// The first files on servers with roles: what is guessed does not depend on rights, rights follow
// from the contract.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

namespace abgleich::test {

namespace {

/// Roles that may log in and do nothing else, and a database each.
class Newcomer : public Pairing {
 public:
  Newcomer() : Pairing(On::postgresql, On::postgresql, "") {
    for (auto* database : {&primary, &secondary}) {
      database->run("REVOKE ALL ON SCHEMA public FROM PUBLIC");
    }
    primary.run("CREATE ROLE " + reader + " LOGIN");
    secondary.run("CREATE ROLE " + writer + " LOGIN");
    primary.run(
        "CREATE TYPE outcome AS ENUM ('ill', 'well');"
        "CREATE TABLE person (id bigint PRIMARY KEY, last_name text, status outcome, "
        "updated_at timestamptz); INSERT INTO person VALUES (1, 'Canary', 'ill', now())");
  }
  Newcomer(const Newcomer&) = delete;
  Newcomer& operator=(const Newcomer&) = delete;
  ~Newcomer() {
    primary.run("DROP OWNED BY " + reader + "; DROP ROLE " + reader);
    secondary.run("DROP OWNED BY " + writer + "; DROP ROLE " + writer);
  }

  Ran init() {
    return run({"init", "--directory", "made", "--primary", as(primary, reader), "--secondary",
                as(secondary, writer)});
  }
  Ran made(std::vector<std::string> words) {
    words.insert(words.begin(), {"--config", "made/abgleich.toml"});
    return run(words);
  }
  /// As an administrator gives the file to a database.
  Ran psql(Database& database) {
    return run_program({"/usr/bin/psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1",
                        "--file", (directory / "made/grants.sql").string(), database.url()});
  }
  static std::string as(const Database& database, const std::string& role) {
    const auto url = database.url();
    return url.substr(0, url.find("user=")) + "user=" + role;
  }

  const std::string reader = "test_init_reader_" + std::to_string(::getpid());
  const std::string writer = "test_init_writer_" + std::to_string(::getpid());
};

}  // namespace

TEST_CASE(
    "init: a role without any right gets the same guess, and grants.sql gives it its rights") {
  Newcomer scene;
  const auto made = scene.init();
  REQUIRE_MESSAGE(made.exit == 0, made.err);
  CHECK_MESSAGE(made.out.find("run 'made/grants.sql', then run: abgleich --config "
                              "made/abgleich.toml check") != std::string::npos,
                made.out);
  const auto contract = read_file(scene.directory / "made/contract.toml");
  CHECK(contract.find("id         = { class = \"pseudonym\", identity = \"person\" }") !=
        std::string::npos);
  CHECK(contract.find("status     = \"plain\"") != std::string::npos);
  CHECK(contract.find("updated_at = \"withhold\"") != std::string::npos);

  // before: every right that is missing, in one go
  const auto before = scene.made({"check"});
  CHECK(before.exit == 24);
  CHECK_MESSAGE(before.out.find("FAIL rights in the primary: " + scene.reader +
                                " may not read: person.id, person.status\n") != std::string::npos,
                before.out);

  // the file goes to both databases, and each takes its own part of it only
  for (auto* database : {&scene.primary, &scene.secondary}) {
    const auto ran = scene.psql(*database);
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  }
  CHECK(scene.primary.rows("SELECT has_schema_privilege('" + scene.writer +
                           "', 'public', 'CREATE')") == "f");
  const auto after = scene.made({"check"});
  CHECK_MESSAGE(after.exit == 0, after.out, after.err);
  CHECK(scene.made({"sync"}).exit == 0);
  CHECK(scene.secondary.rows("SELECT status FROM person") == "ill");

  // and again, when there is something new
  scene.primary.run("ALTER TABLE person ADD COLUMN alive boolean");
  const auto again = scene.made({"init", "--again"});
  REQUIRE_MESSAGE(again.exit == 0, again.err);
  CHECK_MESSAGE(again.out.find("+ column person.alive") != std::string::npos, again.out);
  CHECK(read_file(scene.directory / "made/grants.sql")
            .find("GRANT SELECT (\"alive\") ON \"public\".\"person\" TO \"" + scene.reader +
                  "\";") != std::string::npos);
}

TEST_CASE(
    "init: a grants.sql of somebody's own is never overwritten, and then nothing is written") {
  Newcomer scene;
  std::filesystem::create_directory(scene.directory / "made");
  write_file(scene.directory / "made/grants.sql", "-- mine\n");
  const auto refused = scene.init();
  CHECK(refused.exit == 78);
  CHECK_MESSAGE(refused.err.starts_with("error: 'made/grants.sql' is there already\n"),
                refused.err);
  CHECK(read_file(scene.directory / "made/grants.sql") == "-- mine\n");
  CHECK_FALSE(std::filesystem::exists(scene.directory / "made/abgleich.toml"));
}

TEST_CASE("init: a secondary that cannot be asked is told of in grants.sql, and init goes on") {
  Newcomer scene;
  const auto database = scene.secondary.rows("SELECT current_database()");
  scene.secondary.run("REVOKE CONNECT ON DATABASE " + database + " FROM PUBLIC");
  REQUIRE(scene.init().exit == 0);
  const auto grants = read_file(scene.directory / "made/grants.sql");
  CHECK_MESSAGE(grants.find("-- secondary: not known: ") != std::string::npos, grants);
  CHECK(grants.find("GRANT SELECT (\"id\", \"status\"") != std::string::npos);
  REQUIRE(scene.psql(scene.primary).exit == 0);
}

}  // namespace abgleich::test
