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

TEST_CASE("privileges: `grants` gives what peers get as well, and takes none of it") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  pairing.primary.run("ALTER TABLE person ADD district text; ALTER TABLE person ADD note text");
  const Role reader(pairing.primary, "reader");
  write_file(pairing.directory.path() / "sends.toml",
             "format = 1\n[tables.person]\nkey = [\"id\"]\nroute = \"district\"\n"
             "[tables.person.columns]\nid = \"plain\"\nname = \"plain\"\n"
             "district = \"withhold\"\n");
  write_file(pairing.directory.path() / "abgleich.toml",
             "contract = \"contract.toml\"\n[primary]\nurl = \"" + reader.url() +
                 "\"\n[secondary]\nurl = \"" + pairing.secondary.url() +
                 "\"\n[exchange]\nmailbox = \"m\"\n[peers.north]\nsends = \"sends.toml\"\n"
                 "takes = { district = [\"N\"] }\n");
  pairing.primary.run("GRANT SELECT ON person TO " + reader.name());
  const auto statements = [&] {
    const auto ran = pairing.run({"grants", "--primary", "--json"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    return nlohmann::json::parse(ran.out)["primary"]["statements"];
  };
  for (const auto& statement : statements()) {
    pairing.primary.run(statement);
  }
  CHECK(statements().empty());
  const auto may = [&](const std::string& column) {
    return pairing.primary.rows("SELECT has_column_privilege('" + reader.name() + "', 'person', '" +
                                column + "', 'SELECT')");
  };
  for (const auto* const column : {"id", "status", "name", "district"}) {
    CHECK(may(column) == "t");
  }
  CHECK(may("note") == "f");
}

TEST_CASE("privileges: `grants` gives the role that reads exactly what the contract needs") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  const Role reader(pairing.primary, "reader");
  const Role team(pairing.primary, "team");
  const auto& me = reader.name();
  configure(pairing, reader.url(), pairing.secondary.url());
  pairing.primary.run(
      "REVOKE ALL ON SCHEMA public FROM PUBLIC; CREATE SCHEMA \"o\"\"ther\";"
      "CREATE TABLE \"o\"\"ther\".\"sec ret\" (a int, b int); CREATE TABLE visit (id int, note "
      "text);"
      "CREATE VIEW people AS SELECT name FROM person");

  SUBCASE("nothing granted yet") {}
  SUBCASE("the whole table, another table, a view, and to write") {
    pairing.primary.run("GRANT USAGE ON SCHEMA public, \"o\"\"ther\" TO " + me +
                        "; GRANT SELECT, INSERT, UPDATE ON person TO " + me +
                        "; GRANT SELECT (status), UPDATE (name) ON person TO " + me +
                        "; GRANT SELECT (a, b), INSERT (a) ON \"o\"\"ther\".\"sec ret\" TO " + me +
                        "; GRANT SELECT ON people TO " + me + "; GRANT ALL ON visit TO " + me);
    const auto checked = pairing.run({"check"});
    CHECK_MESSAGE(checked.out.find("WARN rights in the primary") != std::string::npos, checked.out);
    CHECK(checked.out.find("INSERT on o\"ther.sec ret.a") != std::string::npos);
  }
  SUBCASE("a column that is withheld") {
    pairing.primary.run("GRANT SELECT (id, name), REFERENCES (id) ON person TO " + me);
  }
  SUBCASE("everything, by a role of the server") {
    pairing.primary.run("GRANT pg_read_all_data, pg_write_all_data TO " + me);
  }

  const auto grants = [&] {
    const auto ran = pairing.run({"grants", "--primary", "--json"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    return nlohmann::json::parse(ran.out)["primary"];
  };
  const auto text = pairing.run({"grants", "--primary"}).out;  // as an administrator pipes it
  pairing.primary.run(text);
  const auto after = grants();
  CHECK_MESSAGE(after["statements"].empty(), after.dump());
  CHECK(after["surplus"].empty());
  CHECK(after["remarks"].empty());
  CHECK(pairing.run({"grants", "--primary"}).out == "-- primary: " + me + " has what it needs\n");
  // what the server itself says
  CHECK(pairing.primary.rows("SELECT string_agg(a.attname, ' ' ORDER BY a.attname) FROM "
                             "pg_attribute a JOIN pg_class c ON "
                             "c.oid = a.attrelid WHERE c.relnamespace IN ('public'::regnamespace, "
                             "'\"o\"\"ther\"'::regnamespace) AND c.relkind IN ('r', 'v') AND "
                             "has_column_privilege('" +
                             me + "', c.oid, a.attnum, 'SELECT')") == "ctid id status xmin");
  CHECK(pairing.primary.rows(
            "SELECT count(*) FROM pg_class c, unnest(ARRAY['INSERT', 'UPDATE', 'REFERENCES']) r "
            "WHERE "
            "c.relkind IN ('r', 'v') AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE "
            "nspname IN ('pg_catalog', 'information_schema')) AND has_any_column_privilege('" +
            me + "', c.oid, r)") == "0");
  CHECK(pairing.sync()["exit"] == 0);
  const auto checked = pairing.run({"check"});
  CHECK_MESSAGE(checked.exit == 0, checked.out);
  CHECK(checked.out.find("rights in the primary") == std::string::npos);

  // rights from elsewhere are named, and no statement for this role pretends to take them
  pairing.primary.run("GRANT SELECT ON visit TO PUBLIC; GRANT SELECT ON people TO " + team.name() +
                      "; GRANT " + team.name() + " TO " + me +
                      "; ALTER TABLE \"o\"\"ther\".\"sec ret\" OWNER TO " + me);
  const auto elsewhere = grants();
  CHECK(elsewhere["statements"].empty());
  CHECK(elsewhere["remarks"].size() == 3);
  CHECK(elsewhere["surplus"].size() == 3);
}

TEST_CASE("privileges: who may not ask how large a table is reads it with one connection") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  pairing.primary.run(
      "INSERT INTO person SELECT i, repeat('x', 400), 'open' FROM generate_series(10, 30000) i");
  const Role reader(pairing.primary, "reader");
  configure(pairing, reader.url(), pairing.secondary.url());
  pairing.primary.run("GRANT SELECT ON person TO " + reader.name() +
                      "; REVOKE EXECUTE ON FUNCTION pg_relation_size(regclass, text) FROM PUBLIC");
  CHECK(pairing.sync()["exit"] == 0);
  pairing.primary.run("UPDATE person SET status = 'case' WHERE id = 1");
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.sync({"--full"})["outcome"] == "unchanged");
}

TEST_CASE("privileges: what a `where` decides by is read, and nothing else of what is withheld") {
  Pairing pairing(On::postgresql, On::postgresql,
                  "[tables.person]\nkey = [\"id\"]\nwhere = \"status = 'open'\"\n"
                  "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" "
                  "}\nstatus = \"withhold\"\nname = \"withhold\"\n");
  fill(pairing.primary);
  const Role reader(pairing.primary, "reader");
  configure(pairing, reader.url(), pairing.secondary.url());
  pairing.primary.run("REVOKE ALL ON SCHEMA public FROM PUBLIC");
  const auto grants = pairing.run({"grants", "--primary"});
  CHECK_MESSAGE(grants.out.find("status") != std::string::npos, grants.out, grants.err);
  CHECK(grants.out.find("name") == std::string::npos);
  pairing.primary.run(grants.out);
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "1");
  pairing.primary.run("REVOKE SELECT (status) ON person FROM " + reader.name());
  CHECK(pairing.run({"sync"}).exit == 24);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM person") == "1");
}

TEST_CASE("privileges: `grants` gives the role that writes what a run needs, and takes the rest") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  const Role writer(pairing.secondary, "writer");
  const auto& me = writer.name();
  const auto database = pairing.secondary.rows("SELECT current_database()");
  configure(pairing, pairing.primary.url(), writer.url());
  pairing.secondary.run("REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE " +
                        database + " FROM PUBLIC; GRANT CONNECT ON DATABASE " + database + " TO " +
                        me + "; CREATE TABLE theirs (a int); GRANT SELECT, DELETE ON theirs TO " +
                        me);
  CHECK(pairing.run({"check"}).exit == 26);
  pairing.secondary.run(pairing.run({"grants", "--secondary"}).out);
  CHECK(pairing.run({"grants", "--secondary"}).out ==
        "-- secondary: " + me + " has what it needs\n");
  CHECK(pairing.sync()["exit"] == 0);
  CHECK(pairing.run({"grants", "--secondary"}).out ==
        "-- secondary: " + me + " has what it needs\n");
  // an administrator took too much
  pairing.secondary.run("ALTER SCHEMA abgleich OWNER TO CURRENT_USER; REASSIGN OWNED BY " + me +
                        " TO CURRENT_USER; REVOKE ALL ON SCHEMA public FROM " + me);
  CHECK(pairing.run({"sync"}).exit == 26);
  const auto lost = pairing.run({"grants", "--secondary"});
  REQUIRE_MESSAGE(lost.exit == 0, lost.err);
  pairing.secondary.run(lost.out);
  pairing.primary.run("UPDATE person SET status = 'new' WHERE id = 1");
  const auto line = pairing.sync();
  CHECK_MESSAGE(line["exit"] == 0, line.dump(), lost.out);
  CHECK(pairing.secondary.rows("SELECT has_table_privilege('" + me + "', 'theirs', 'SELECT')") ==
        "f");
}

TEST_CASE("privileges: `grants` takes nothing from a role that it needs for another pairing") {
  Pairing pairing(On::postgresql, On::postgresql, kContract);
  fill(pairing.primary);
  const Role writer(pairing.secondary, "writer");
  const auto& me = writer.name();
  pairing.secondary.run("GRANT USAGE, CREATE ON SCHEMA public TO " + me +
                        "; GRANT CREATE, TEMPORARY ON DATABASE " +
                        pairing.secondary.rows("SELECT current_database()") + " TO " + me);
  configure(pairing, pairing.primary.url(), writer.url());
  REQUIRE(pairing.sync()["exit"] == 0);
  const auto there = pairing.directory / "other";
  std::filesystem::create_directory(there);
  auto config = read_file(pairing.directory / "abgleich.toml");
  const std::string section = "[secondary]\n";
  config.replace(config.find(section), section.size(), section + "books = \"abgleich_02\"\n");
  write_file(there / "abgleich.toml", config);
  auto contract = read_file(pairing.directory / "contract.toml");
  const std::string table = "[tables.person]\n";
  contract.replace(contract.find(table), table.size(), table + "target = \"person_02\"\n");
  write_file(there / "contract.toml", contract);
  const auto of_other = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--config", (there / "abgleich.toml").string()});
    return pairing.run(words);
  };
  REQUIRE(of_other({"keys", "generate", "-q"}).exit == 0);
  const auto first = of_other({"sync"});
  REQUIRE_MESSAGE(first.exit == 0, first.out, first.err);
  const auto nothing = "-- secondary: " + me + " has what it needs\n";
  CHECK(pairing.run({"grants", "--secondary"}).out == nothing);
  CHECK(of_other({"grants", "--secondary"}).out == nothing);
}

TEST_CASE("privileges: where there are no roles, and for a superuser, `grants` says so") {
  on_every_pairing([](On primary, On secondary) {
    Pairing pairing(primary, secondary, kContract);
    fill(pairing.primary);
    const auto ran = pairing.run({"grants"});
    CHECK(ran.exit == 0);
    const auto said = [&](const std::string& database, On on) {
      return ran.out.find("-- " + database +
                          (on == On::sqlite ? ": no roles" : ": postgres is a superuser")) !=
             std::string::npos;
    };
    CHECK_MESSAGE(said("primary", primary), ran.out);
    CHECK_MESSAGE(said("secondary", secondary), ran.out);
  });
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
