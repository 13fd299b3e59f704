#include "db/postgresql/postgresql.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::TemporaryDatabase;

namespace {

Endpoint endpoint(const std::string& url, Role role = Role::secondary) {
  Endpoint made;
  made.role = role;
  made.engine = Engine::postgresql;
  made.url = url;
  made.schema = "public";
  return made;
}

std::unique_ptr<Connection> connect_to(const TemporaryDatabase& database,
                                       Access access = Access::write) {
  return postgresql::connect(endpoint(database.url()), access);
}

std::string shown(const Cell& cell) {
  return cell.storage == Cell::Storage::null ? "NULL" : std::string(cell.bytes);
}

/// All rows, cells between bars.
std::vector<std::string> rows_of(const std::function<void(const Connection::OnRow&)>& produce) {
  std::vector<std::string> rows;
  produce([&](std::span<const Cell> cells) {
    std::string row;
    for (const auto& cell : cells) {
      row += (row.empty() ? "" : "|") + shown(cell);
    }
    rows.push_back(row);
  });
  return rows;
}

std::vector<std::string> query(Connection& connection, const std::string& sql,
                               const std::vector<Cell>& parameters = {}) {
  return rows_of([&](const auto& on_row) { connection.query(sql, parameters, on_row); });
}

std::vector<std::string> read(Connection& connection, const std::string& sql) {
  return rows_of([&](const auto& on_row) { connection.read(sql, on_row); });
}

Fault fault_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Fault& fault) {
    return fault;
  }
  FAIL("no fault where one was expected");
  return {Fault::Cause::other, "", {}};
}

Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Failure& failure) {
    return failure.error();
  }
  FAIL("no failure where one was expected");
  return {};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A file of its own name with the given content and mode, gone with the object.
class TemporaryFile {
 public:
  TemporaryFile(const std::string& content, mode_t mode) {
    std::string name = (std::filesystem::temp_directory_path() / "abgleich-test.XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    path_ = name;
    std::ofstream(path_) << content;
    REQUIRE(::chmod(path_.c_str(), mode) == 0);
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a connection runs statements with parameters and counts changed rows") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  connection->execute_script(
      "CREATE TABLE public.t (id int, note text, raw bytea); CREATE TABLE public.other (id int)");
  const std::string bytes("\0\xff\\", 3);
  const std::vector<Cell> first{{Cell::Storage::integer, "1"},
                                text_cell("tab\t'quote' \\ 🦠"),
                                {Cell::Storage::blob, bytes}};
  CHECK(connection->execute("INSERT INTO public.t VALUES ($1, $2, $3)", first) == 1);
  const std::vector<Cell> second{text_cell("2"), Cell{}, Cell{}};
  CHECK(connection->execute("INSERT INTO public.t VALUES ($1, $2, $3)", second) == 1);
  CHECK(connection->execute("UPDATE public.t SET id = id + 10") == 2);
  CHECK(connection->execute("CREATE TABLE public.third (id int)") == 0);
  CHECK(query(*connection, "SELECT id, note, raw FROM public.t ORDER BY id") ==
        std::vector<std::string>{"11|tab\t'quote' \\ 🦠|" + bytes, "12|NULL|NULL"});
  const std::vector<Cell> twelve{text_cell("12")};
  CHECK(query(*connection, "SELECT note FROM public.t WHERE id = $1", twelve) ==
        std::vector<std::string>{"NULL"});
}

TEST_CASE("a text parameter with NUL is refused, not cut") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  const std::vector<Cell> parameter{text_cell(std::string_view("a\0b", 3))};
  const auto fault = fault_of([&] { query(*connection, "SELECT $1::text", parameter); });
  CHECK(fault.cause() == Fault::Cause::data);
  CHECK(fault.state() == "22021");
}

TEST_CASE("a read hands over what a query hands over, escapes and NULL included") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  const std::string sql =
      "SELECT * FROM (VALUES (1, E'tab\\there', NULL), (2, E'\\\\N', ''), (3, "
      "E'\\n\\r\\b\\f\\v\\\\', "
      "'\\.'), (4, NULL, '🦠'), (5, '', E'end\\\\')) v(id, a, b) ORDER BY id";
  const auto rows = read(*connection, sql);
  CHECK(rows == query(*connection, sql));
  CHECK(rows.at(1) == "2|\\N|");
  CHECK(rows.at(3) == "4|NULL|🦠");
  CHECK(read(*connection, "SELECT 1 WHERE false").empty());
}

TEST_CASE("a query and a read take many rows") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  std::int64_t sum = 0;
  const auto add = [&](std::span<const Cell> cells) {
    sum += std::stoll(std::string(cells[0].bytes));
  };
  connection->query("SELECT g FROM generate_series(1, 300000) g", {}, add);
  CHECK(sum == 45000150000);
  connection->read("SELECT -g FROM generate_series(1, 300000) g", add);
  CHECK(sum == 0);
}

TEST_CASE("a read that its reader leaves by an exception leaves the connection usable") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  int rows = 0;
  CHECK_THROWS_AS(connection->read("SELECT g, repeat('x', 100) FROM generate_series(1, 2000000) g",
                                   [&](std::span<const Cell>) {
                                     if (++rows == 3) {
                                       throw std::runtime_error("enough");
                                     }
                                   }),
                  std::runtime_error);
  CHECK(rows == 3);
  CHECK(query(*connection, "SELECT 1") == std::vector<std::string>{"1"});
  CHECK(read(*connection, "SELECT 2") == std::vector<std::string>{"2"});
}

TEST_CASE("a read that fails half way throws and leaves the connection usable") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  int rows = 0;
  const auto fault = fault_of([&] {
    connection->read("SELECT 1 / (50000 - g) FROM generate_series(1, 100000) g",
                     [&](std::span<const Cell>) { ++rows; });
  });
  CHECK(rows > 0);
  CHECK(fault.state() == "22012");
  CHECK(query(*connection, "SELECT 1") == std::vector<std::string>{"1"});
}

TEST_CASE("settings are pinned whatever the database is configured to") {
  const TemporaryDatabase database;
  database.run("ALTER DATABASE " + database.name() + " SET TimeZone = 'Asia/Tokyo'");
  database.run("ALTER DATABASE " + database.name() + " SET DateStyle = 'German'");
  database.run("ALTER DATABASE " + database.name() + " SET IntervalStyle = 'iso_8601'");
  database.run("ALTER DATABASE " + database.name() + " SET extra_float_digits = -10");
  database.run("ALTER DATABASE " + database.name() + " SET bytea_output = 'escape'");
  database.run("ALTER DATABASE " + database.name() + " SET search_path = public");
  database.run("ALTER DATABASE " + database.name() + " SET row_security = on");
  database.run("ALTER DATABASE " + database.name() + " SET client_encoding = 'LATIN1'");
  const auto connection = connect_to(database);
  CHECK(
      read(*connection,
           "SELECT '2020-02-29 12:00:00+09'::timestamptz, '1 mon -2 days'::interval,"
           " 0.1::float8, '\\x00ff'::bytea, 'ä', current_setting('search_path'),"
           " current_setting('row_security'), current_setting('application_name'),"
           " current_setting('lock_timeout'), current_setting('default_transaction_read_only')") ==
      std::vector<std::string>{"2020-02-29 03:00:00+00|1 mon -2 days|0.1|\\x00ff|ä|pg_catalog, "
                               "pg_temp|off|abgleich|10s|off"});
}

TEST_CASE("nothing runs, waits or idles there longer than the configuration allows") {
  const TemporaryDatabase database;
  for (const auto* setting :
       {"statement_timeout = '20s'", "lock_timeout = 0",
        "idle_in_transaction_session_timeout = '20s'", "client_connection_check_interval = 0"}) {
    database.run("ALTER DATABASE " + database.name() + " SET " + setting);
  }
  const std::string limits =
      "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
      " current_setting('idle_in_transaction_session_timeout'),"
      " current_setting('client_connection_check_interval', true)";
  auto made = endpoint(database.url());
  for (const auto access : {Access::read, Access::write}) {
    CHECK(read(*postgresql::connect(made, access), limits) ==
          std::vector<std::string>{"30min|10s|30min|10s"});
  }
  made.statement_timeout = std::chrono::seconds(0);
  made.lock_timeout = std::chrono::seconds(3);
  CHECK(read(*postgresql::connect(made, Access::read), limits) ==
        std::vector<std::string>{"0|3s|0|10s"});
}

TEST_CASE("a name for the application in the url is kept") {
  const TemporaryDatabase database;
  const auto connection =
      postgresql::connect(endpoint(database.url() + "&application_name=nightly"), Access::write);
  CHECK(query(*connection, "SELECT current_setting('application_name')") ==
        std::vector<std::string>{"nightly"});
}

TEST_CASE("a read connection cannot write") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int)");
  const auto connection = connect_to(database, Access::read);
  for (const auto* sql : {"INSERT INTO public.t VALUES (1)", "CREATE TABLE public.u (id int)",
                          "DELETE FROM public.t"}) {
    CAPTURE(sql);
    const auto fault = fault_of([&] { connection->execute(sql); });
    CHECK(fault.state() == "25006");
    CHECK(fault.cause() == Fault::Cause::rights);
  }
  CHECK(database.run("SELECT count(*) FROM t") == "0");
}

namespace {

/// From the server's side, as a restart would; other tests' sessions on it go on.
void end_sessions(const TemporaryDatabase& database) {
  database.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'abgleich'"
      " AND datname = current_database()");
}

}  // namespace

TEST_CASE("a connection that the server ended is not made again") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  end_sessions(database);
  for (int i = 0; i < 2; ++i) {
    const auto fault = fault_of([&] { connection->execute("SELECT 1"); });
    CHECK(fault.cause() == Fault::Cause::unreachable);
    CHECK(fault.error().code == Code::try_again);
  }
  const auto during_read = fault_of([&] { read(*connection, "SELECT 1"); });
  CHECK(during_read.cause() == Fault::Cause::unreachable);
  CHECK(database.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'abgleich'"
                     " AND datname = current_database()") == "0");
}

TEST_CASE("a connection that is lost while loading is reported as lost") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  const auto loader = connection->load("public.t", {"id"}, [](std::int64_t, const std::string&) {});
  const Cell one = text_cell("1");
  loader->add({&one, 1});
  end_sessions(database);
  const auto fault = fault_of([&] { loader->flush(); });
  CHECK(fault.cause() == Fault::Cause::unreachable);
}

TEST_CASE("a connection that is lost in the middle of a read is reported as lost") {
  const TemporaryDatabase database;
  const auto connection = connect_to(database);
  int rows = 0;
  const auto fault = fault_of([&] {
    connection->read("SELECT g, repeat('x', 1000) FROM generate_series(1, 1000000) g",
                     [&](std::span<const Cell>) {
                       if (++rows == 10) {
                         end_sessions(database);
                       }
                     });
  });
  CHECK(fault.cause() == Fault::Cause::unreachable);
  CHECK(fault.error().code == Code::try_again);
  CHECK(rows < 1000000);
}

TEST_CASE("deferrable constraints are put off and checked when asked") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t DEFERRABLE,"
      " place int UNIQUE DEFERRABLE)");
  const auto connection = connect_to(database);
  connection->execute("BEGIN");
  connection->defer_constraints();
  connection->execute("INSERT INTO public.t VALUES (1, 2, 1)");
  connection->execute("INSERT INTO public.t VALUES (2, 1, 2)");
  connection->execute("UPDATE public.t SET place = 3 - place");
  connection->check_constraints();
  connection->execute("SAVEPOINT s");
  connection->defer_constraints();
  connection->execute("INSERT INTO public.t VALUES (3, 4)");
  CHECK(fault_of([&] { connection->check_constraints(); }).cause() == Fault::Cause::constraint);
  connection->execute("ROLLBACK TO SAVEPOINT s");
  connection->execute("COMMIT");
  CHECK(database.run("SELECT count(*) FROM t") == "2");
}

TEST_CASE("a server that is not there is 30 and says what was tried") {
  const auto error = error_of([] {
    postgresql::connect(
        endpoint("postgresql:///kpm?host=/nowhere/at/all&port=5499&user=reader", Role::primary),
        Access::read);
  });
  CHECK(error.code == Code::try_again);
  CHECK(error.message ==
        "cannot connect to the primary: no server listens on this socket (tried socket directory "
        "'/nowhere/at/all', port '5499', database 'kpm', user 'reader')");
  CHECK(!error.hint.empty());
  // Port 1 of the loopback interface: nobody listens there.
  const auto refused = error_of([] {
    postgresql::connect(endpoint("postgresql://reader@127.0.0.1:1/kpm?sslmode=disable"),
                        Access::write);
  });
  CHECK(refused.code == Code::try_again);
  CHECK(contains(refused.message, "connection refused (tried host '127.0.0.1', port '1'"));
  const auto both = error_of([] {
    postgresql::connect(endpoint("postgresql://reader@127.0.0.1:1,127.0.0.1:2/kpm"), Access::write);
  });
  CHECK(both.code == Code::try_again);
}

TEST_CASE("a database that is not there is 30, a user that is not let in is 25") {
  const auto server = test::server_url();
  const auto host = server.substr(server.find("host="));
  const auto missing = error_of([&] {
    postgresql::connect(endpoint("postgresql:///no_such_database?" + host), Access::read);
  });
  CHECK(missing.code == Code::try_again);
  CHECK(contains(missing.message, "the server has no such database"));
  CHECK(contains(missing.message, "'no_such_database'"));
  const auto stranger = error_of([&] {
    postgresql::connect(endpoint("postgresql:///postgres?" + host + "&user=stranger"),
                        Access::read);
  });
  CHECK(stranger.code == Code::key_or_trust);
  CHECK(contains(stranger.message, "user 'stranger'"));
  CHECK(contains(stranger.message, "SQLSTATE 28"));
}

TEST_CASE("a url that is no libpq URI is a configuration error and is not repeated") {
  const auto error = error_of([] {
    postgresql::connect(endpoint("postgresql://reader:sesame@db1/kpm?nosuchoption=1"),
                        Access::read);
  });
  CHECK(error.code == Code::configuration);
  CHECK(!contains(error.message + error.hint, "sesame"));
}

TEST_CASE("a password file has to be private, regular and a password") {
  const TemporaryDatabase database;
  const auto with = [&](const std::filesystem::path& file) {
    auto made = endpoint(database.url());
    made.password_file = file;
    return made;
  };
  const auto code_with = [&](const std::filesystem::path& file) {
    return error_of([&] { postgresql::connect(with(file), Access::read); }).code;
  };
  const TemporaryFile open_to_all("sesame\n", 0644);
  CHECK(code_with(open_to_all.path()) == Code::key_or_trust);
  const TemporaryFile empty("", 0600);
  CHECK(code_with(empty.path()) == Code::key_or_trust);
  const TemporaryFile two_lines("sesame\nopen\n", 0600);
  CHECK(code_with(two_lines.path()) == Code::key_or_trust);
  CHECK(code_with("/nowhere/password") == Code::key_or_trust);
  CHECK(code_with(std::filesystem::temp_directory_path()) == Code::key_or_trust);
  // The private server trusts everybody: these show only that the forms are taken.
  const TemporaryFile bare("sesame\n", 0600);
  CHECK_NOTHROW(postgresql::connect(with(bare.path()), Access::read));
  const TemporaryFile passfile("# comment\n*:*:*:*:ses\\:ame\n", 0400);
  CHECK_NOTHROW(postgresql::connect(with(passfile.path()), Access::read));
}

TEST_CASE("no error quotes a value") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE parent (id int PRIMARY KEY);"
      "CREATE TABLE t (id int PRIMARY KEY, n text NOT NULL DEFAULT '', u text UNIQUE,"
      " c text CHECK (c <> 'CANARY'), f int REFERENCES parent, s smallint, v varchar(3), d date,"
      " a int[], j jsonb, e text, EXCLUDE USING btree (e WITH =));"
      "INSERT INTO t (id, u, e) VALUES (4711, 'CANARY', 'CANARY')");
  const auto connection = connect_to(database);
  struct Case {
    const char* sql;
    const char* state;
    const char* named;
  };
  for (const auto& [sql, state, named] : std::vector<Case>{
           {"INSERT INTO public.t (id, n, u) VALUES (1, NULL, 'CANARY')", "23502", "column 'n'"},
           {"INSERT INTO public.t (id, u) VALUES (1, 'CANARY')", "23505", "constraint 't_u_key'"},
           {"INSERT INTO public.t (id) VALUES (4711)", "23505", "constraint 't_pkey'"},
           {"INSERT INTO public.t (id, c) VALUES (1, 'CANARY')", "23514", "constraint 't_c_check'"},
           {"INSERT INTO public.t (id, f) VALUES (1, 4711)", "23503", "table 'public.t'"},
           {"INSERT INTO public.t (id, e) VALUES (1, 'CANARY')", "23P01", "constraint"},
           {"INSERT INTO public.t (id, s) VALUES (1, 4711471)", "22003", "SQLSTATE 22003"},
           {"INSERT INTO public.t (id, v) VALUES (1, 'CANARY')", "22001", "too long"},
           {"INSERT INTO public.t (id, d) VALUES (1, 'CANARY')", "22007", "date"},
           {"INSERT INTO public.t (id, d) VALUES (1, '4711-47-11')", "22008", "date"},
           {"INSERT INTO public.t (id, a) VALUES (1, '{CANARY}')", "22P02", "malformed"},
           {"INSERT INTO public.t (id, j) VALUES (1, '{CANARY}')", "22P02", "malformed"},
           {"INSERT INTO public.t (id, u) VALUES (1, E'CANARY\\xff')", "22021", "encoding"},
           {"SELECT 'CANARY' FROM public.missing", "42P01", "does not exist"},
           {"SELECT \"CANARY\" FROM public.t", "42703", "column does not exist"},
           {"SELEC 'CANARY'", "42601", "SQLSTATE 42601"},
           {"DO $$BEGIN RAISE EXCEPTION 'CANARY 4711' USING HINT = 'CANARY'; END$$", "P0001",
            "SQLSTATE P0001"}}) {
    CAPTURE(sql);
    const auto fault = fault_of([&] { connection->execute(sql); });
    const auto said = fault.error().message + fault.error().hint + fault.what();
    CHECK(fault.state() == state);
    CHECK(contains(said, named));
    CHECK(!contains(said, "CANARY"));
    CHECK(!contains(said, "4711"));
    CHECK(contains(said, "the secondary refused a statement"));
  }
}

TEST_CASE("missing rights and row security end with 24 where we read and 26 where we write") {
  const TemporaryDatabase database;
  const auto role = database.name() + "_role";
  database.run("CREATE ROLE " + role +
               " LOGIN; CREATE TABLE secret (id int); CREATE TABLE hidden (id int);"
               "GRANT SELECT ON hidden TO " +
               role +
               "; ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;"
               "CREATE POLICY positive ON hidden USING (id > 0)");
  {
    const auto reader = postgresql::connect(endpoint(database.url_as(role)), Access::read);
    for (const auto* sql : {"SELECT id FROM public.secret", "SELECT id FROM public.hidden"}) {
      const auto fault = fault_of([&] { read(*reader, sql); });
      CHECK(fault.cause() == Fault::Cause::rights);
      CHECK(fault.error().code == Code::source_incomplete);
    }
    const auto writer = postgresql::connect(endpoint(database.url_as(role)), Access::write);
    const auto fault = fault_of([&] { writer->execute("INSERT INTO public.secret VALUES (1)"); });
    CHECK(fault.error().code == Code::secondary_refuses);
  }
  database.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("serialization failures and deadlocks are told from other faults") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
  const auto one = connect_to(database);
  const auto two = connect_to(database);
  one->execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
  CHECK(query(*one, "SELECT id FROM public.t") == std::vector<std::string>{"1"});
  two->execute("UPDATE public.t SET id = 2");
  const auto fault = fault_of([&] { one->execute("UPDATE public.t SET id = 3"); });
  CHECK(fault.cause() == Fault::Cause::serialization);
  CHECK(fault.error().code == Code::try_again);
}
