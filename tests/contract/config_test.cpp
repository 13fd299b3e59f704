#include "contract/config.hpp"

#include "contract/refusal.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

using namespace abgleich;
using namespace abgleich::contract;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kSmallest =
    "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:b.db\"\n";

/// A directory of its own, gone at the end.
struct Directory {
  explicit Directory(const std::string& name) : path(fs::temp_directory_path() / name) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Directory() { fs::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  void write(const std::string& file, std::string_view text) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
  }

  fs::path path;
};

/// The working directory and the environment, as they were.
struct Surroundings {
  Surroundings() : directory(fs::current_path()) {}
  ~Surroundings() {
    fs::current_path(directory);
    unsetenv("ABGLEICH_CONFIG");
  }
  Surroundings(const Surroundings&) = delete;
  Surroundings& operator=(const Surroundings&) = delete;

  fs::path directory;
};

Error url_refusal(std::string_view url) {
  return refusal_of(
      [&] { static_cast<void>(parse_endpoint(Role::primary, url, "/etc/abgleich")); });
}

}  // namespace

TEST_CASE("the smallest configuration has the defaults of the manual") {
  const Config config = parse_config(kSmallest, "/etc/abgleich/abgleich.toml");
  CHECK(config.file == "/etc/abgleich/abgleich.toml");
  CHECK(config.contract == "/etc/abgleich/contract.toml");
  CHECK(config.catalog == "/etc/abgleich/catalog.json");
  CHECK(config.key_file == "/etc/abgleich/abgleich.key");
  CHECK(config.state_directory == "/etc/abgleich/state");
  CHECK(config.max_deleted == Limit{.unit = Limit::Unit::share, .share = 0.05, .rows = 0});
  CHECK(config.max_updated == Limit{.unit = Limit::Unit::share, .share = 0.5, .rows = 0});
  CHECK(config.primary.role == Role::primary);
  CHECK(config.primary.engine == Engine::sqlite);
  CHECK(config.primary.url == "sqlite:a.db");
  CHECK(config.primary.file == "/etc/abgleich/a.db");
  CHECK(config.primary.schema.empty());
  CHECK(config.secondary.role == Role::secondary);
  CHECK(config.secondary.file == "/etc/abgleich/b.db");
  CHECK(config.secondary.manage_schema);
  CHECK(config.primary.workers == 2);
}

TEST_CASE("a primary that is made anew for every delivery is a file") {
  const auto anew = [](const std::string& url, const std::string& value) {
    return "[primary]\nurl = \"" + url + "\"\nmade_anew = " + value +
           "\n[secondary]\nurl = \"sqlite:b.db\"\n";
  };
  CHECK_FALSE(parse_config(kSmallest, "abgleich.toml").made_anew);
  CHECK(parse_config(anew("sqlite:a.db", "true"), "abgleich.toml").made_anew);
  CHECK_FALSE(parse_config(anew("sqlite:a.db", "false"), "abgleich.toml").made_anew);
  CHECK(contains(config_refusal(anew("sqlite:a.db", "1")).hint, "made_anew = true"));
  CHECK(config_refusal(anew("postgresql://db1/kpm", "true")).message ==
        "abgleich.toml:3:1: 'made_anew' does not fit a server");
}

TEST_CASE("at most as many connections read the primary as workers says") {
  const auto workers = [](const std::string& value) {
    std::string text(kSmallest);
    return text.insert(text.find("[secondary]"), "workers = " + value + "\n");
  };
  CHECK(parse_config(workers("1"), "abgleich.toml").primary.workers == 1);
  CHECK(parse_config(workers("16"), "abgleich.toml").primary.workers == 16);
  for (const std::string bad : {"0", "-1", "17", "\"2\"", "2.0", "true"}) {
    CAPTURE(bad);
    const Error error = config_refusal(workers(bad));
    CHECK(error.message == "abgleich.toml:3:11: 'workers' must be a whole number from 1 to 16");
    CHECK(contains(error.hint, "write workers = 2"));
  }
  const Error error = config_refusal(std::string(kSmallest) + "workers = 2\n");
  CHECK(error.message == "abgleich.toml:5:1: 'workers' does not belong into [secondary]");
  CHECK(contains(error.hint, "below [primary]"));
}

TEST_CASE("the key may be a systemd credential, and is then nowhere else") {
  const std::string text = std::string(kSmallest) + "[keys]\ncredential = \"pseudonyms\"\n";
  const auto* const before = std::getenv("CREDENTIALS_DIRECTORY");
  const std::string kept = before == nullptr ? "" : before;
  setenv("CREDENTIALS_DIRECTORY", "/run/credentials/abgleich.service", 1);
  const Config config = parse_config(text, "/etc/abgleich/abgleich.toml");
  CHECK(config.key_file == "/run/credentials/abgleich.service/pseudonyms");
  CHECK(config.key_credential == "pseudonyms");
  unsetenv("CREDENTIALS_DIRECTORY");
  CHECK(parse_config(text, "/etc/abgleich/abgleich.toml").key_file ==
        "$CREDENTIALS_DIRECTORY/pseudonyms");
  if (before != nullptr) {
    setenv("CREDENTIALS_DIRECTORY", kept.c_str(), 1);
  }
  for (const std::string name : {"a/b", "../key", "..", "."}) {
    const Error error =
        config_refusal(std::string(kSmallest) + "[keys]\ncredential = \"" + name + "\"\n");
    CHECK(error.message == "abgleich.toml:6:14: '" + name + "' is not the name of a credential");
  }
  CHECK(config_refusal(std::string(kSmallest) + "[keys]\nfile = \"a\"\ncredential = \"b\"\n")
            .message == "abgleich.toml:7:1: [keys] has both 'file' and 'credential'");
}

TEST_CASE("times: how long is tried, how long a statement may run and a lock be waited for") {
  using std::chrono::seconds;
  const Config smallest = parse_config(kSmallest, "abgleich.toml");
  CHECK(smallest.retry_for == seconds(30));
  const Config config = parse_config(
      "retry_for = \"0\"\n"
      "[primary]\nurl = \"postgresql:///a\"\nstatement_timeout = \"2h\"\nlock_timeout = \"1s\"\n"
      "[secondary]\nurl = \"sqlite:b.db\"\nlock_timeout = \"1m\"\n"
      "statement_timeout = \"5m\"\n",
      "abgleich.toml");
  CHECK(config.retry_for == seconds(0));
  CHECK(config.primary.statement_timeout == seconds(7'200));
  CHECK(config.primary.lock_timeout == seconds(1));
  CHECK(config.secondary.lock_timeout == seconds(60));
  CHECK(config.secondary.statement_timeout == seconds(300));
  for (const auto* endpoint : {&smallest.primary, &smallest.secondary}) {
    CHECK(endpoint->statement_timeout == seconds(1'800));
    CHECK(endpoint->lock_timeout == seconds(10));
  }

  CHECK(config_refusal("retry_for = 30\n" + std::string(kSmallest)).message ==
        "abgleich.toml:1:13: 'retry_for' is not a text");
  const Error endless = config_refusal(
      "[primary]\nurl = \"postgresql:///a\"\nlock_timeout = \"0\"\n"
      "[secondary]\nurl = \"sqlite:b.db\"\n");
  CHECK(endless.message == "abgleich.toml:3:16: a lock has to be waited for with a limit");
  CHECK(contains(endless.hint, "lock_timeout = \"10s\""));
}

TEST_CASE("no row is held back for being rare unless min_k says so") {
  const auto min_k = [](const std::string& value) {
    return std::string(kSmallest) + "[privacy]\nmin_k = " + value + "\n";
  };
  CHECK(parse_config(kSmallest, "abgleich.toml").min_k == 0);
  CHECK(parse_config(min_k("5"), "abgleich.toml").min_k == 5);
  CHECK(parse_config(min_k("0"), "abgleich.toml").min_k == 0);
  for (const std::string bad : {"-1", "1000001", "\"5\"", "5.0", "true"}) {
    CAPTURE(bad);
    const Error error = config_refusal(min_k(bad));
    CHECK(error.message == "abgleich.toml:6:9: 'min_k' must be a whole number from 0 to 1000000");
    CHECK(contains(error.hint, "write min_k = 5"));
  }
  CHECK(contains(config_refusal(std::string(kSmallest) + "[privacy]\nk = 5\n").message,
                 "unknown key 'k' in [privacy]"));
}

TEST_CASE("the whole configuration is understood, with paths relative to its file") {
  const Config config = parse_config(R"(
contract = "rules/contract.toml"
catalog  = "/var/lib/abgleich/catalog.json"

[primary]
url = "postgresql://reader@db1/kpm?sslmode=verify-full"
password_file = "pass"
schema = "kpm"

[secondary]
url = "postgres://writer@db2/second"
manage_schema = false

[keys]
file = "/secret/key"

[state]
directory = "here"

[limits]
max_deleted = 0
max_updated = "12.5%"
)",
                                     "/etc/abgleich/abgleich.toml");
  CHECK(config.contract == "/etc/abgleich/rules/contract.toml");
  CHECK(config.catalog == "/var/lib/abgleich/catalog.json");
  CHECK(config.primary.engine == Engine::postgresql);
  CHECK(config.primary.url == "postgresql://reader@db1/kpm?sslmode=verify-full");
  CHECK(config.primary.password_file == "/etc/abgleich/pass");
  CHECK(config.primary.schema == "kpm");
  CHECK(config.secondary.url == "postgres://writer@db2/second");
  CHECK(config.secondary.schema == "public");
  CHECK(config.secondary.password_file.empty());
  CHECK_FALSE(config.secondary.manage_schema);
  CHECK(config.key_file == "/secret/key");
  CHECK(config.state_directory == "/etc/abgleich/here");
  CHECK(config.max_deleted == Limit{.unit = Limit::Unit::rows, .share = 0, .rows = 0});
  CHECK(config.max_updated.share == 0.125);
}

TEST_CASE("every error of a configuration says where it is, what is wrong and what to write") {
  struct Case {
    std::string text;
    std::string message;  // whole
    std::string hint;     // a part
  };
  const std::string smallest(kSmallest);
  const auto primary = [](const std::string& lines) {
    return "[primary]\n" + lines + "\n[secondary]\nurl = \"sqlite:b.db\"\n";
  };
  const std::vector<Case> cases{
      {"", "abgleich.toml:1:1: [primary] is missing", "[primary] and below it url = "},
      {"[primary]\nurl = \"sqlite:a\"", "abgleich.toml:1:1: [secondary] is missing", "[secondary]"},
      {"primary = \"sqlite:a\"", "abgleich.toml:1:11: 'primary' is a string, but must be a table",
       "write [primary]"},
      {"contracts = \"x\"", "abgleich.toml:1:1: unknown key 'contracts' in the configuration",
       "did you mean 'contract'?"},
      {"[limit]", "abgleich.toml:1:2: unknown key 'limit' in the configuration",
       "did you mean 'limits'?"},
      {"contract = 1\n" + smallest,
       "abgleich.toml:1:12: 'contract' is an integer, but must be a string",
       "contract = \"contract.toml\""},
      {"contract = \"\"\n" + smallest, "abgleich.toml:1:12: 'contract' is empty", "name"},
      {"catalog = \"\\u0000\"\n" + smallest,
       "abgleich.toml:1:11: 'catalog' contains a NUL character", "delete it"},
      {primary(""), "abgleich.toml:1:2: [primary] has no url", "url = \"postgresql://"},
      {primary("url = 1"), "abgleich.toml:2:7: 'url' is an integer, but must be a string",
       "url = \"sqlite:PATH\""},
      {primary("uri = \"x\""), "abgleich.toml:2:1: unknown key 'uri' in [primary]",
       "did you mean 'url'?"},
      {primary("manage_schema = true"),
       "abgleich.toml:2:1: 'manage_schema' does not belong into [primary]",
       "the primary is never written"},
      {primary("password = \"geheim\""),
       "abgleich.toml:2:1: a password does not belong into [primary]", "password_file"},
      {primary("url = \"mysql://x\""),
       "abgleich.toml:2:7: the URL of the primary is for 'mysql', and this build has no engine for "
       "it",
       "postgresql:// and sqlite: only"},
      {primary("url = \"sqlite:a\"\npassword_file = \"p\""),
       "abgleich.toml:3:1: 'password_file' does not fit a SQLite database", "delete"},
      {primary("url = \"postgresql://h/d\"\nschema = \"\""),
       "abgleich.toml:3:10: 'schema' is empty", "name"},
      {primary("url = \"postgresql://h/d\"\nschema = 1"),
       "abgleich.toml:3:10: 'schema' is an integer, but must be a string", "schema = \"public\""},
      {smallest + "manage_schema = \"yes\"",
       "abgleich.toml:5:17: 'manage_schema' is a string, but must be true or false",
       "manage_schema = true"},
      {"[primary]\nurl = \"sqlite:a\"\n[secondary]\nurl = \"postgresql://h/d\"\nschema = "
       "\"Abgleich\"",
       "abgleich.toml:5:10: schema 'abgleich' of the secondary is for the bookkeeping", "public"},
      {smallest + "books = \"Abgleich\"",
       "abgleich.toml:5:9: 'Abgleich' is no name for the bookkeeping", "books = \"abgleich_07\""},
      {smallest + "books = \"abgleich_\"",
       "abgleich.toml:5:9: 'abgleich_' is no name for the bookkeeping", "at most 30 of a to z"},
      {smallest + "books = \"abgleich_a.b\"",
       "abgleich.toml:5:9: 'abgleich_a.b' is no name for the bookkeeping", "at most 30"},
      {smallest + "books = 7", "abgleich.toml:5:9: 'books' is an integer, but must be a string",
       "books = \"abgleich_07\""},
      {primary("books = \"abgleich_07\""),
       "abgleich.toml:2:1: 'books' does not belong into [primary]", "below [secondary]"},
      {"[primary]\nurl = \"sqlite:a\"\n[secondary]\nurl = \"postgresql://h/d\"\nschema = "
       "\"abgleich_07\"\nbooks = \"abgleich_07\"",
       "abgleich.toml:6:9: 'abgleich_07' is the schema of the data, and the bookkeeping needs one "
       "of its own",
       "another name"},
      {"[primary]\nurl = \"postgresql://h/d\"\n[secondary]\nurl = \"postgresql://h/d\"",
       "abgleich.toml:4:7: the primary and the secondary are the same database", "another one"},
      {smallest + "[keys]\nfiles = \"x\"", "abgleich.toml:6:1: unknown key 'files' in [keys]",
       "did you mean 'file'? [keys] takes file"},
      {smallest + "[keys]\nfile = 7",
       "abgleich.toml:6:8: 'file' is an integer, but must be a string", "file = \"abgleich.key\""},
      {"keys = 7\n" + smallest, "abgleich.toml:1:8: 'keys' is an integer, but must be a table",
       "write [keys]"},
      {smallest + "[state]\ndir = \"x\"", "abgleich.toml:6:1: unknown key 'dir' in [state]",
       "[state] takes directory"},
      {smallest + "[limits]\nmax_delete = 5",
       "abgleich.toml:6:1: unknown key 'max_delete' in [limits]", "did you mean 'max_deleted'?"},
      {smallest + "[limits]\nmax_deleted = \"5\"",
       "abgleich.toml:6:15: 'max_deleted' is a number in quotes", "max_deleted = \"5%\""},
      {"url = unquoted", "abgleich.toml:1:7: not valid TOML: value: could not determine value type",
       "double quotes"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const Error error = config_refusal(one.text);
    CHECK(error.message == one.message);
    CAPTURE(error.hint);
    CHECK(contains(error.hint, one.hint));
  }
}

TEST_CASE("the bookkeeping may have a name of its own") {
  CHECK(parse_config(kSmallest, "abgleich.toml").secondary.books == "abgleich");
  for (const std::string name : {"abgleich", "abgleich_07", "abgleich_ga_nord_2", "abgleich__"}) {
    CAPTURE(name);
    const auto text = std::string(kSmallest) + "books = \"" + name + "\"\n";
    CHECK(parse_config(text, "abgleich.toml").secondary.books == name);
  }
  CHECK(is_books_name("abgleich_" + std::string(30, 'x')));
  CHECK_FALSE(is_books_name("abgleich_" + std::string(31, 'x')));
  CHECK_FALSE(is_books_name("abgleichx"));
  CHECK_FALSE(is_books_name(""));
}

TEST_CASE("one schema of a PostgreSQL database may be merged into another") {
  CHECK_NOTHROW(
      parse_config("[primary]\nurl = \"postgresql://h/d\"\n[secondary]\nurl = "
                   "\"postgresql://h/d\"\nschema = \"second\"\n",
                   "abgleich.toml"));
}

TEST_CASE("a SQLite file is not merged into itself, however it is called") {
  const Directory directory("abgleich_config_test_same");
  directory.write("data/a.db", "");
  fs::create_symlink(directory.path / "data", directory.path / "link");
  fs::create_hard_link(directory.path / "data/a.db", directory.path / "hard.db");
  const auto text = [](const std::string& secondary) {
    return "[primary]\nurl = \"sqlite:data/a.db\"\n[secondary]\nurl = \"sqlite:" + secondary +
           "\"\n";
  };
  for (const std::string& same :
       {std::string("data/a.db"), std::string("./data/../data//a.db"), std::string("link/a.db"),
        std::string("hard.db"), (directory.path / "data/a.db").string()}) {
    CAPTURE(same);
    const Error error = refusal_of(
        [&] { static_cast<void>(parse_config(text(same), directory.path / "abgleich.toml")); });
    CHECK(contains(error.message, "abgleich.toml:4:7: the primary and the secondary are the same"));
  }
  CHECK_NOTHROW(parse_config(text("data/b.db"), directory.path / "abgleich.toml"));
  // Not there yet: by their paths.
  CHECK(contains(config_refusal("[primary]\nurl = \"sqlite:no/such.db\"\n[secondary]\nurl = "
                                "\"sqlite:no/x/../such.db\"\n")
                     .message,
                 "are the same database"));
}

TEST_CASE("a PostgreSQL URL is taken verbatim when it holds no password") {
  for (const std::string url :
       {"postgresql://", "postgres://db1", "postgresql:///kpm?host=/run/postgresql&port=5432",
        "postgresql://reader@db1:5432,db2:5433/kpm", "postgresql://reader@[::1]:5432/kpm",
        "postgresql://[fe80::1]/kpm", "postgresql://reader@db1/kpm?passfile=/etc/pgpass",
        "postgresql://db1/a:b@c", "postgresql://user%40realm@db1/kpm"}) {
    CAPTURE(url);
    const Endpoint endpoint = parse_endpoint(Role::secondary, url, "/etc");
    CHECK(endpoint.role == Role::secondary);
    CHECK(endpoint.engine == Engine::postgresql);
    CHECK(endpoint.url == url);
    CHECK(endpoint.schema == "public");
    CHECK(endpoint.file.empty());
  }
}

TEST_CASE("a password in a URL is refused and never repeated") {
  for (const std::string url :
       {"postgresql://reader:geheim@db1/kpm", "postgres://reader:geheim@/kpm",
        "postgresql://:geheim@db1", "postgresql://reader:geheim?x@db1/kpm",
        "postgresql://reader:@db1/kpm", "postgresql://db1/kpm?password=geheim",
        "postgresql://db1?user=x&password=geheim", "postgresql:///kpm?PassWord=geheim",
        "postgresql:///kpm?pass%77ord=geheim", "postgresql:///kpm?%70%61ssword=geheim",
        "postgresql:///kpm?sslpassword=geheim", "postgresql:///kpm?password"}) {
    CAPTURE(url);
    const Error error = url_refusal(url);
    CHECK(error.message == "the URL of the primary holds a password");
    CHECK(contains(error.hint, "password_file"));
    CHECK_FALSE(contains(error.hint, "geheim"));
  }
  // Not what libpq takes for a password, but what somebody meant as one.
  for (const std::string url :
       {"postgresql://reader:ge/heim@db1/kpm", "postgresql://reader:geheim", "reader:geheim@db1",
        "geheim", "http://reader:geheim@db1", "postgresql:reader:geheim@db1",
        "mariadb://reader:geheim@db1", "postgresql://[geheim", "postgresql://[::1]geheim"}) {
    CAPTURE(url);
    const Error error = url_refusal(url);
    CHECK_FALSE(contains(error.message + error.hint, "heim"));
  }
}

TEST_CASE("engines that this build does not have are called by their name") {
  for (const std::string engine : {"mariadb", "firebird", "odbc"}) {
    CHECK(url_refusal(engine + ":whatever").message ==
          "the URL of the primary is for '" + engine + "', and this build has no engine for it");
  }
  CHECK(url_refusal("oracledb://x").message == "the URL of the primary is of no known kind");
  CHECK(url_refusal("").message == "the URL of the primary is of no known kind");
}

TEST_CASE("a schema beside a SQLite database is allowed and means nothing") {
  const auto config = parse_config(
      "[primary]\nurl = \"sqlite:a.db\"\nschema = \"public\"\n[secondary]\nurl = \"sqlite:b.db\"\n",
      "abgleich.toml");
  CHECK(config.primary.schema.empty());
}

TEST_CASE("a SQLite path is relative to the directory of the configuration") {
  const auto file = [](std::string_view url) {
    return parse_endpoint(Role::primary, url, "/etc/abgleich").file;
  };
  CHECK(file("sqlite:a.db") == "/etc/abgleich/a.db");
  CHECK(file("sqlite:/srv/a b.db") == "/srv/a b.db");
  CHECK(file("sqlite:Zürich?.db") == "/etc/abgleich/Zürich?.db");
  CHECK(file("sqlite:///srv/a.db").lexically_normal() == "/srv/a.db");
  CHECK(parse_endpoint(Role::primary, "sqlite:a", "relative").file.is_absolute());
}

TEST_CASE("a SQLite URL without a file is refused") {
  CHECK(url_refusal("sqlite:").message == "the URL of the primary has no path");
  CHECK(contains(url_refusal("sqlite::memory:").message, "in memory"));
  CHECK(contains(url_refusal("sqlite://a.db").message, "two slashes"));
  CHECK(contains(url_refusal("sqlite:data/").message, "a directory"));
  CHECK(contains(url_refusal(std::string_view("sqlite:a\0b", 10)).message, "control character"));
}

TEST_CASE("the configuration is looked for by option, environment, directory, in this order") {
  const Directory directory("abgleich_config_test_find");
  const Surroundings surroundings;
  directory.write("here/abgleich.toml", kSmallest);
  directory.write("empty/other.toml", kSmallest);
  directory.write("env.toml", kSmallest);
  const std::string env = (directory.path / "env.toml").string();

  fs::current_path(directory.path / "here");
  CHECK(find_config(std::nullopt) == "abgleich.toml");
  setenv("ABGLEICH_CONFIG", "", 1);
  CHECK(find_config(std::nullopt) == "abgleich.toml");
  setenv("ABGLEICH_CONFIG", env.c_str(), 1);
  CHECK(find_config(std::nullopt) == env);
  CHECK(find_config(directory.path / "empty/other.toml") == directory.path / "empty/other.toml");

  // What is named and not there is an error, not a reason to take another one.
  CHECK(contains(refusal_of([&] { static_cast<void>(find_config("no.toml")); }).message,
                 "no configuration 'no.toml', which --config names"));
  setenv("ABGLEICH_CONFIG", "nowhere.toml", 1);
  CHECK(contains(refusal_of([&] { static_cast<void>(find_config(std::nullopt)); }).message,
                 "no configuration 'nowhere.toml', which $ABGLEICH_CONFIG names"));
  unsetenv("ABGLEICH_CONFIG");
  fs::current_path(directory.path / "empty");
  if (!fs::exists("/etc/abgleich/abgleich.toml")) {
    CHECK(refusal_of([&] { static_cast<void>(find_config(std::nullopt)); }).message ==
          "no configuration: looked at ./abgleich.toml and /etc/abgleich/abgleich.toml");
  }
}

TEST_CASE("a configuration is read from its file") {
  const Directory directory("abgleich_config_test_read");
  directory.write("abgleich.toml", kSmallest);
  CHECK(read_config(directory.path / "abgleich.toml").primary.file == directory.path / "a.db");
}
