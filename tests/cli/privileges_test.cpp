// Least privilege: what the program needs of the databases, and what it does when that goes.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

const char* const kContract = R"(
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
status = "plain"
name = "withhold"
)";

/// A login role of this test's own, dropped with everything that was granted to it.
class Role {
 public:
  Role(Database& database, const std::string& purpose)
      : database_(database), name_("test_" + purpose + "_" + std::to_string(::getpid())) {
    database_.run("CREATE ROLE " + name_ + " LOGIN");
  }
  Role(const Role&) = delete;
  Role& operator=(const Role&) = delete;
  ~Role() { database_.run("DROP OWNED BY " + name_ + "; DROP ROLE " + name_); }

  [[nodiscard]] const std::string& name() const { return name_; }
  /// The database's URL with this role as the user.
  [[nodiscard]] std::string url() const {
    const auto url = database_.url();
    return url.substr(0, url.find("user=")) + "user=" + name_;
  }

 private:
  Database& database_;
  std::string name_;
};

void configure(const Pairing& pairing, const std::string& primary, const std::string& secondary,
               const std::string& more = "") {
  write_file(
      pairing.directory.path() / "abgleich.toml",
      "[primary]\nurl = \"" + primary + "\"\n[secondary]\nurl = \"" + secondary + "\"\n" + more);
}

void fill(Database& primary) {
  primary.run(
      "CREATE TABLE person (id bigint PRIMARY KEY, name text, status text);"
      "INSERT INTO person VALUES (1, 'Canary', 'open'), (2, 'Canary', 'case')");
}

}  // namespace

TEST_CASE("privileges: rights on the exported columns are enough, and nothing else is selected") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  const Role reader(pairing.primary, "reader");
  pairing.primary.run("REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO " +
                      reader.name() + "; GRANT SELECT (id, status) ON person TO " + reader.name());
  configure(pairing, reader.url(), pairing.secondary.url());
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"drift", "accept"}, {"check"}, {"diff"}, {"sync"}, {"sync"}}) {
    const auto ran = pairing.run(words);
    CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  }
  CHECK(pairing.secondary.rows("SELECT status FROM person ORDER BY 1") == "case\nopen");

  SUBCASE("a right that is lost is no drop: 24, and nothing changes") {
    pairing.primary.run("REVOKE SELECT (status) ON person FROM " + reader.name());
    const auto line = pairing.sync();
    CHECK(line["exit"] == 24);
    CHECK(line["outcome"] == "refused");
    CHECK(line["error"]["message"].get<std::string>().find("person") != std::string::npos);
  }
  SUBCASE("row security hides rows, and hidden is not deleted: 24") {
    pairing.primary.run("ALTER TABLE person ENABLE ROW LEVEL SECURITY");
    CHECK(pairing.sync()["exit"] == 24);
  }
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "2");
}

TEST_CASE("privileges: the rights of the README are enough in the secondary") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  const Role writer(pairing.secondary, "writer");
  const auto database = pairing.secondary.rows("SELECT current_database()");
  pairing.secondary.run("REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE " +
                        database + " FROM PUBLIC; GRANT CONNECT, TEMPORARY, CREATE ON DATABASE " +
                        database + " TO " + writer.name() +
                        "; GRANT USAGE, CREATE ON SCHEMA public TO " + writer.name());
  configure(pairing, pairing.primary.url(), writer.url());
  CHECK(pairing.run({"check"}).exit == 0);
  CHECK(pairing.run({"diff"}).exit == 0);
  CHECK(pairing.run({"sync"}).exit == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "2");

  // a role that may not write: refused as a whole, without a value in any text
  pairing.primary.run("UPDATE person SET status = 'Canary' WHERE id = 1");
  pairing.secondary.run("ALTER TABLE person OWNER TO CURRENT_USER; REVOKE ALL ON person FROM " +
                        writer.name() + "; GRANT SELECT ON person TO " + writer.name());
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 26);
  CHECK((refused.out + refused.err).find("Canary") == std::string::npos);
  CHECK(pairing.secondary.rows("SELECT status FROM person ORDER BY 1") == "case\nopen");
}

TEST_CASE("privileges: without manage_schema the missing DDL is printed, and its owner runs it") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  pairing.configure("", "manage_schema = false");
  const auto refused = pairing.run({"sync"});
  CHECK(refused.exit == 23);
  CHECK(refused.out.find("CREATE TABLE") != std::string::npos);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") ==
        "0");
  pairing.secondary.run(refused.out);
  const auto ran = pairing.run({"sync"});
  CHECK_MESSAGE(ran.exit == 0, ran.out, ran.err);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "2");
}

}  // namespace abgleich::test
