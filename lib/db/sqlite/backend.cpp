#include "db/engine/engine.hpp"
#include "db/sqlite/declared.hpp"
#include "db/sqlite/file_copy.hpp"
#include "db/sqlite/lay_down.hpp"
#include "db/sqlite/sqlite.hpp"
#include "db/sqlite/sqlite_connection.hpp"
#include "db/sqlite/table_keys.hpp"
#include "db/sqlite/watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sys/stat.h>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

// The grammar has the word nowhere else. A table that has it only in a comment is taken for one
// with AUTOINCREMENT, so that `check` gives no advice on it.
constexpr std::string_view kAutoincrement =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND upper(sql) LIKE '%AUTOINCREMENT%'";

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kBroken{{
    {"SQLITE_CONSTRAINT_UNIQUE", "unique"},
    {"SQLITE_CONSTRAINT_PRIMARYKEY", "unique"},
    {"SQLITE_CONSTRAINT_ROWID", "unique"},
    {"SQLITE_CONSTRAINT_NOTNULL", "not_null"},
    {"SQLITE_CONSTRAINT_CHECK", "check"},
    {"SQLITE_CONSTRAINT_FOREIGNKEY", "foreign_key"},
    {"SQLITE_CONSTRAINT_TRIGGER", "trigger"},
}};

class SqliteBackend final : public Backend {
 public:
  [[nodiscard]] const Dialect& dialect() const override { return sqlite::dialect(); }

  [[nodiscard]] std::unique_ptr<Connection> connect(const Endpoint& endpoint,
                                                    Access access) const override {
    return sqlite::connect(endpoint, access);
  }
  /// The snapshot covers schema and data. BEGIN alone takes none; the first read does.
  void begin_snapshot(Session& session) const override {
    session.connection->execute("BEGIN");
    session.connection->execute("SELECT count(*) FROM sqlite_schema");
  }
  void begin_write(Session& session) const override {
    session.connection->execute("BEGIN IMMEDIATE");
  }
  void begin_rehearsal(Session& session) const override { session.connection->execute("BEGIN"); }
  /// SQLite commits by deleting the journal; the disk may have failed just then. A lock that SQLite
  /// did not get is no such fault: the transaction is still open.
  [[nodiscard]] bool hides_outcome(const Fault& fault) const override {
    return fault.state().starts_with("SQLITE_IOERR");
  }
  [[nodiscard]] bool may_pass(std::string_view /*state*/) const override { return false; }

  [[nodiscard]] Catalog read_catalog(Session& session) const override {
    return sqlite::read_catalog(*session.connection);
  }
  [[nodiscard]] std::string identity_of(Session& session) const override {
    std::string file;
    session.connection->query("SELECT file FROM pragma_database_list WHERE name = 'main'", {},
                              [&](std::span<const Cell> row) { file = row[0].bytes; });
    // without the device's number, which many systems change with every start
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 ? "sqlite:" + std::to_string(status.st_ino)
                                              : std::string();
  }
  [[nodiscard]] std::unique_ptr<Watch> watch() const override {
    return std::make_unique<FileWatch>();
  }
  /// Those whose key is the rowid, except with AUTOINCREMENT.
  [[nodiscard]] std::set<std::string> reused_keys(Session& session,
                                                  const Catalog& catalog) const override {
    std::set<std::string> tables;
    for (const auto& table : catalog.tables) {
      if (std::ranges::any_of(table.columns, &CatalogColumn::auto_identity)) {
        tables.insert(table.name);
      }
    }
    session.connection->query(kAutoincrement, {}, [&](std::span<const Cell> cells) {
      tables.erase(std::string(cells[0].bytes));
    });
    return tables;
  }

  [[nodiscard]] std::string_view books_ddl() const override { return sqlite::books_ddl(); }
  [[nodiscard]] std::string select_books_layout(const Session& session) const override {
    const auto prefix = session.own_name({});
    return fmt::format(
        "SELECT substr(t.name, {0} + 1), c.name FROM sqlite_schema t "
        "JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND substr(t.name, 1, {0}) = "
        "'{1}'",
        prefix.size(), prefix);
  }
  [[nodiscard]] std::string select_other_books(const Session& session) const override {
    return fmt::format(
        // no view and no virtual table: these would run somebody's code, or for ever
        "WITH part AS (SELECT name, CASE WHEN name GLOB '*_tracked' THEN 'tracked' "
        "WHEN name GLOB '*_fact' THEN 'fact' ELSE 'head' END AS what FROM sqlite_schema "
        "WHERE type = 'table' AND rootpage > 0 AND name GLOB 'abgleich*_*' AND (name GLOB "
        "'*_tracked' OR name GLOB '*_fact' OR name GLOB '*_head')), "
        "whole AS (SELECT substr(name, 1, length(name) - length(what)) AS own FROM part WHERE "
        "(SELECT count(*) FROM pragma_table_info(part.name) c WHERE CASE what "
        "WHEN 'head' THEN c.name = 'lineage' WHEN 'fact' THEN c.name IN ('kind', 'value') "
        "ELSE c.name IN ('id', 'target', 'key_columns', 'columns') END) = CASE what "
        "WHEN 'head' THEN 1 WHEN 'fact' THEN 2 ELSE 4 END) "
        "SELECT substr(p.own, 1, length(p.own) - 1), "
        "(SELECT count(*) FROM whole w WHERE w.own = p.own) = 3 FROM (SELECT DISTINCT "
        "substr(name, 1, length(name) - length(what)) AS own FROM part) p "
        "WHERE p.own <> '{}' ORDER BY 1",
        session.own_name({}));
  }
  [[nodiscard]] std::string has_base(std::string_view books,
                                     std::string_view number) const override {
    return fmt::format(
        "(SELECT count(*) FROM sqlite_schema s WHERE s.type = 'table' AND s.rootpage > 0 "
        "AND s.name = '{}_base_' || {})",
        books, number);
  }

  [[nodiscard]] Equalities read_equalities(Session& /*session*/,
                                           const Catalog& catalog) const override {
    return sqlite::read_equalities(catalog);
  }
  [[nodiscard]] Dependants read_dependants(Session& session,
                                           const Catalog& catalog) const override {
    return sqlite::read_dependants(session, catalog);
  }
  void query_uniques(Session& session, const std::string& table,
                     const Connection::OnRow& row) const override {
    sqlite::query_uniques(session, table, row);
  }
  [[nodiscard]] std::string_view broken_by(std::string_view state) const override {
    const auto* const found =
        std::ranges::find(kBroken, state, &std::pair<std::string_view, std::string_view>::first);
    return found == kBroken.end() ? std::string_view() : found->second;
  }

  [[nodiscard]] bool is_ours(const Session& session, const std::string& table,
                             const CatalogForeignKey& key) const override {
    return sqlite::is_ours(session, table, key);
  }
  [[nodiscard]] std::vector<std::string> add_key(const Session& session, const Relation& relation,
                                                 const RelationForeignKey& key) const override {
    return sqlite::add_key(session, relation, key);
  }
  [[nodiscard]] std::vector<std::string> drop_keys(const Session& session,
                                                   const TableKeys& keys) const override {
    return sqlite::drop_keys(session, keys);
  }
  /// None: `drop_keys` drops it as well.
  [[nodiscard]] std::vector<std::string> drop_outgrown_key(
      const Session& /*session*/, const TableKeys& /*keys*/) const override {
    return {};
  }
  [[nodiscard]] std::vector<std::string> put_back_keys(const Session& session,
                                                       const TableKeys& keys) const override {
    return sqlite::put_back_keys(session, keys);
  }

  [[nodiscard]] std::string lay_down(Session& session, const RowsToLayDown& rows) const override {
    return sqlite::lay_down(session, rows);
  }

  void copy_out(Session& session, const std::set<std::string>& /*tables*/,
                const std::filesystem::path& file) const override {
    dynamic_cast<SqliteConnection&>(*session.connection).copy_to(file);
  }
  [[nodiscard]] std::unique_ptr<RestoredCopy> restore_copy(
      const CopyToRestore& copy) const override {
    return restore_file(copy);
  }
};

}  // namespace

const Backend& backend() {
  static const SqliteBackend kBackend;
  return kBackend;
}

}  // namespace abgleich::db::sqlite
