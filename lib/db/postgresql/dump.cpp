#include "db/postgresql/dump.hpp"

#include "db/engine/cell_values.hpp"
#include "db/postgresql/client_program.hpp"
#include "db/postgresql/postgres_connection.hpp"
#include "db/postgresql/postgresql.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace abgleich::db::postgresql {

namespace {

/// The relations of a schema, each with the table that it belongs to: a partition or an heir to the
/// first one above it, a sequence to the table whose column has it.
constexpr std::string_view kRelations = R"(
WITH RECURSIVE heirs AS (
  SELECT i.inhrelid AS relation, i.inhparent AS above FROM pg_catalog.pg_inherits i
  UNION SELECT h.relation, i.inhparent FROM heirs h JOIN pg_catalog.pg_inherits i
  ON i.inhrelid = h.above)
SELECT c.relname, coalesce(above.relname, owner.relname, '')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN heirs h ON h.relation = c.oid LEFT JOIN pg_catalog.pg_class above ON above.oid = h.above
LEFT JOIN pg_catalog.pg_depend d ON c.relkind = 'S' AND d.objid = c.oid
  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_class owner ON owner.oid = d.refobjid
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S'))";

/// The extensions that have the type of a column of a schema's tables.
constexpr std::string_view kExtensions = R"(
SELECT DISTINCT c.relname, e.extname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_depend d ON d.objid IN (t.oid, t.typelem)
  AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.deptype = 'e'
JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p'))";

constexpr std::string_view kFree =
    "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
    "c.relnamespace WHERE n.nspname <> 'information_schema' "
    "AND NOT pg_catalog.starts_with(CAST(n.nspname AS pg_catalog.text), 'pg_') "
    "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.objid = c.oid "
    "AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype = 'e')";

PGconn* raw_of(Connection& connection) {
  return dynamic_cast<PostgresConnection&>(connection).raw();
}

/// A name as a pattern of pg_dump that fits this name only.
std::string pattern(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c == '"' ? "\"\"" : std::string(1, c);
  }
  return quoted + "\"";
}

std::set<std::string> extensions_of(Session& session, const std::set<std::string>& tables) {
  const Cell schema[] = {text_cell(session.schema)};
  std::set<std::string> extensions;
  session.connection->query(kExtensions, schema, [&](std::span<const Cell> row) {
    if (tables.contains(text(row[0]))) {
      extensions.insert(text(row[1]));
    }
  });
  return extensions;
}

/// What is in the data's schema and not of these tables.
std::set<std::string> relations_beside(Session& session, const std::set<std::string>& tables) {
  const Cell schema[] = {text_cell(session.schema)};
  std::set<std::string> beside;
  std::set<std::string> ours = tables;
  session.connection->query(kRelations, schema, [&](std::span<const Cell> row) {
    beside.insert(text(row[0]));
    if (tables.contains(text(row[1]))) {
      ours.insert(text(row[0]));
    }
  });
  std::erase_if(beside, [&](const std::string& name) { return ours.contains(name); });
  return beside;
}

/// Why pg_dump has failed, in our words.
Failure not_dumped(const ClientRun& run) {
  const std::string untouched = ". The secondary is as it was";
  if (run.says("server version mismatch")) {
    return {Code::configuration, "pg_dump is older than the secondary's server",
            "install the postgresql-client of the server's version" + untouched};
  }
  if (run.says("permission denied") || run.says("row-level security")) {
    return {Code::secondary_refuses,
            "pg_dump may not read all of the secondary's tables and sequences",
            "give this role SELECT on them, and no row security: abgleich grants --secondary" +
                untouched};
  }
  if (run.says("statement timeout") || run.says("lock timeout")) {
    return {
        Code::try_again, "a table of the secondary stays locked by somebody else",
        "run it again; who holds it: SELECT * FROM pg_stat_activity on that server" + untouched};
  }
  if (run.says("No space left")) {
    return {Code::out_of_space, "the disk is full", "make room for the backup" + untouched};
  }
  return {Code::try_again, fmt::format("pg_dump failed (exit code {})", run.exit),
          "run it again; if it fails again, run pg_dump --schema-only by hand and read what it "
          "says" +
              untouched};
}

}  // namespace

void dump(Session& session, const std::set<std::string>& tables,
          const std::filesystem::path& file) {
  // It must not wait without an end: this session holds locks on the same tables, and who queues
  // between the two would wait for this session, which waits for pg_dump.
  std::string patience;
  session.connection->query(
      "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'", {},
      [&](std::span<const Cell> row) { patience = text(row[0]); });
  std::string snapshot;
  session.connection->query("SELECT pg_catalog.pg_export_snapshot()", {},
                            [&](std::span<const Cell> row) { snapshot = text(row[0]); });
  std::vector<std::string> arguments{"--format=custom",
                                     "--snapshot=" + snapshot,
                                     "--schema=" + pattern(session.schema),
                                     "--schema=" + pattern(session.books),
                                     "--lock-wait-timeout=" + patience,
                                     "--file=" + file.string()};
  for (const auto& name : extensions_of(session, tables)) {
    arguments.push_back("--extension=" + pattern(name));
  }
  for (const auto& name : relations_beside(session, tables)) {
    arguments.push_back("--exclude-table=" + pattern(session.schema) + "." + pattern(name));
  }
  auto* const raw = raw_of(*session.connection);
  const auto run = run_client({.program = "pg_dump",
                               .server_version = PQserverVersion(raw),
                               .arguments = std::move(arguments),
                               .like = raw});
  if (run.exit != 0) {
    throw not_dumped(run);
  }
}

std::string list_to_restore(std::string_view contents) {
  static constexpr std::array<std::string_view, 4> kThereAnyway{
      " SCHEMA - public ", " COMMENT - SCHEMA public ", " EXTENSION - plpgsql ",
      " COMMENT - EXTENSION plpgsql "};
  std::string list;
  while (!contents.empty()) {
    const auto end = std::min(contents.find('\n'), contents.size());
    const auto line = contents.substr(0, end);
    contents.remove_prefix(std::min(end + 1, contents.size()));
    if (std::ranges::none_of(kThereAnyway, [&](std::string_view part) {
          return line.find(part) != std::string_view::npos;
        })) {
      list += line;
      list += '\n';
    }
  }
  return list;
}

namespace {

struct FreeParts {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

/// The URL's parameters with another database, as libpq reads them too: "user='reader' …".
std::string with_database(const std::string& url, std::string_view database) {
  std::string text;
  const auto add = [&](std::string_view keyword, std::string_view value) {
    text += fmt::format("{}{}='", text.empty() ? "" : " ", keyword);
    for (const char c : value) {
      text += c == '\'' || c == '\\' ? "\\" : "";
      text += c;
    }
    text += '\'';
  };
  const std::unique_ptr<PQconninfoOption, FreeParts> options(PQconninfoParse(url.c_str(), nullptr));
  for (const auto* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    if (at->val != nullptr && std::string_view(at->keyword) != "dbname") {
      add(at->keyword, at->val);
    }
  }
  add("dbname", database);
  return text;
}

constexpr std::string_view kDrill = "abgleich_drill_";

// The session that makes a drill's database: its process and when it began, in microseconds.
// Together they are never those of another one.
constexpr std::string_view kSession =
    "a.pid || '_' || CAST(extract(epoch FROM a.backend_start) * 1000000 AS pg_catalog.int8)";

std::string name_for_drill(Connection& connection) {
  std::string name;
  connection.query(fmt::format("SELECT '{}' || {} FROM pg_catalog.pg_stat_activity a WHERE a.pid = "
                               "pg_catalog.pg_backend_pid()",
                               kDrill, kSession),
                   {}, [&](std::span<const Cell> row) { name = text(row[0]); });
  return name;
}

/// CREATE DATABASE with encoding and locale of the database that the session is in. Nobody can
/// connect to it yet.
std::string create_like(Connection& connection, const std::string& name) {
  std::string sql;
  connection.query(
      "SELECT pg_catalog.format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L "
      "LC_CTYPE %L ALLOW_CONNECTIONS false', $1::pg_catalog.text, "
      "pg_catalog.pg_encoding_to_char(d.encoding), "
      "d.datcollate, d.datctype) FROM pg_catalog.pg_database d "
      "WHERE d.datname = pg_catalog.current_database()",
      std::array{text_cell(name)}, [&](std::span<const Cell> row) { sql = text(row[0]); });
  return sql;
}

/// False: it is still there.
bool drop_database(Connection& connection, const std::string& name) noexcept {
  try {
    const auto* const server = dynamic_cast<PostgresConnection&>(connection).raw();
    constexpr int kForces = 130000;  // the first version that can end others' connections
    connection.execute(fmt::format("DROP DATABASE IF EXISTS {}{}", pattern(name),
                                   PQserverVersion(server) < kForces ? "" : " WITH (FORCE)"));
    return true;
  } catch (...) {
    return false;  // the server is gone, or somebody is connected
  }
}

/// Drops what drills of this role have left whose session has ended: they were killed.
void drop_abandoned(Connection& connection) {
  std::vector<std::string> names;
  connection.query(
      fmt::format("SELECT d.datname FROM pg_catalog.pg_database d JOIN pg_catalog.pg_roles r "
                  "ON r.oid = d.datdba WHERE r.rolname = current_user "
                  "AND CAST(d.datname AS pg_catalog.text) ~ '^{0}[0-9]{{1,10}}_[0-9]{{16}}$' "
                  "AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a "
                  // of others' sessions it is not known when they began
                  "WHERE coalesce('{0}' || {1} = CAST(d.datname AS pg_catalog.text), "
                  "pg_catalog.starts_with(CAST(d.datname AS pg_catalog.text), "
                  "'{0}' || a.pid || '_')))",
                  kDrill, kSession),
      {}, [&](std::span<const Cell> row) { names.push_back(text(row[0])); });
  for (const auto& name : names) {
    (void)drop_database(connection, name);
  }
}

/// How many statements pg_restore has passed over.
std::int64_t passed_over(const ClientRun& run) {
  constexpr std::string_view kWords = "errors ignored on restore: ";
  const auto at = run.said.rfind(kWords);
  std::int64_t count = 0;
  if (at != std::string::npos) {
    const char* const digits = run.said.data() + at + kWords.size();
    std::from_chars(digits, run.said.data() + run.said.size(), count);
  }
  return count;
}

/// Refuses a database in which something is, and one that a later drill could take for its own.
void expect_empty(Connection& connection) {
  const auto* const server = dynamic_cast<PostgresConnection&>(connection).raw();
  if (std::string_view(PQdb(server)).starts_with(kDrill)) {
    throw Failure(
        Code::usage,
        fmt::format("databases whose names begin with '{}' are dropped by drills", kDrill),
        "give it another name. Nothing was changed");
  }
  std::int64_t there = 0;
  connection.query(kFree, {}, [&](std::span<const Cell> row) { there = number(row[0]); });
  if (there > 0) {
    throw Failure(
        Code::secondary_refuses,
        "the database of --to is not empty, and nothing is restored into it",
        "make a new one for it: CREATE DATABASE … TEMPLATE template0. Nothing was changed");
  }
}

class RestoredDatabase final : public RestoredCopy {
 public:
  explicit RestoredDatabase(const CopyToRestore& copy)
      : endpoint_(copy.to ? *copy.to : copy.original) {
    if (!copy.to) {
      make(copy.original);
    }
    try {
      fill(copy.file);
    } catch (...) {
      (void)drop();
      throw;
    }
  }
  RestoredDatabase(const RestoredDatabase&) = delete;
  RestoredDatabase& operator=(const RestoredDatabase&) = delete;
  ~RestoredDatabase() override { (void)drop(); }

  [[nodiscard]] const Endpoint& endpoint() const override { return endpoint_; }
  [[nodiscard]] std::int64_t left_out() const override { return left_out_; }
  [[nodiscard]] std::string end() override { return drop() ? std::string() : name_; }

 private:
  void make(const Endpoint& original) {
    maker_ = connect(original, Access::write);
    try {
      maker_->execute("SET statement_timeout = 0");
      drop_abandoned(*maker_);
      name_ = name_for_drill(*maker_);
      maker_->execute(create_like(*maker_, name_));
      // it has the secondary's rows, and not the rights that guard them there
      maker_->execute(fmt::format("REVOKE ALL ON DATABASE {} FROM PUBLIC", pattern(name_)));
      maker_->execute(fmt::format("ALTER DATABASE {} ALLOW_CONNECTIONS true", pattern(name_)));
    } catch (const Fault& fault) {
      if (fault.cause() != Fault::Cause::rights) {
        throw;
      }
      throw Failure(
          Code::secondary_refuses, "this role may not make a database for the drill",
          "as an administrator of that server, make an empty one that belongs to this role: CREATE "
          "DATABASE abgleich_drill TEMPLATE template0 OWNER …; then: abgleich restore --drill "
          "DIRECTORY --to URL, with the url of that database; and drop it afterwards. Nothing was "
          "changed");
    }
    endpoint_.url = with_database(original.url, name_);
  }

  void fill(const std::filesystem::path& file) {
    const auto connection = connect(endpoint_, Access::write);
    if (name_.empty()) {
      expect_empty(*connection);
    }
    auto* const raw = raw_of(*connection);
    const auto contents =
        run_client({.program = "pg_restore", .arguments = {"--list", file.string()}});
    if (contents.exit != 0) {
      throw unreadable(contents);
    }
    const auto restored = run_client({.program = "pg_restore",
                                      .server_version = PQserverVersion(raw),
                                      .arguments = {"--no-owner", "--no-privileges", file.string()},
                                      .like = raw,
                                      .list = list_to_restore(contents.out)});
    left_out_ = passed_over(restored);
    if (restored.exit != 0 && left_out_ == 0) {
      throw unreadable(restored);
    }
  }

  static Failure unreadable(const ClientRun& run) {
    if (run.says("unsupported version")) {
      return {Code::configuration, "pg_restore is older than the pg_dump that made this backup",
              "install a newer postgresql-client. Nothing was changed"};
    }
    return {Code::try_again, fmt::format("pg_restore failed (exit code {})", run.exit),
            "run it again; if it fails again, run pg_restore by hand and read what it says. The "
            "secondary is as it was"};
  }

  /// False: the database is still there.
  bool drop() noexcept {
    if (!maker_ || name_.empty()) {
      return true;
    }
    const bool dropped = drop_database(*maker_, name_);
    maker_.reset();
    return dropped;
  }

  Endpoint endpoint_;
  std::string name_;  // of the database that was made; empty: it was given
  std::unique_ptr<Connection> maker_;
  std::int64_t left_out_ = 0;
};

}  // namespace

std::unique_ptr<RestoredCopy> restore_dump(const CopyToRestore& copy) {
  return std::make_unique<RestoredDatabase>(copy);
}

}  // namespace abgleich::db::postgresql
