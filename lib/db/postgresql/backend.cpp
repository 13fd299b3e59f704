#include "db/engine/cell_values.hpp"
#include "db/engine/engine.hpp"
#include "db/postgresql/bare_load.hpp"
#include "db/postgresql/declared.hpp"
#include "db/postgresql/dump.hpp"
#include "db/postgresql/faults.hpp"
#include "db/postgresql/grants.hpp"
#include "db/postgresql/lay_down.hpp"
#include "db/postgresql/postgresql.hpp"
#include "db/postgresql/readers.hpp"
#include "db/postgresql/rights.hpp"
#include "db/postgresql/row_versions.hpp"
#include "db/postgresql/schema_lock.hpp"
#include "db/postgresql/watch.hpp"
#include "db/postgresql/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

/// SQLSTATEs (PostgreSQL manual, appendix A) after which a second attempt may succeed; so it may
/// after class 40.
constexpr std::array<std::string_view, 9> kPassing{
    "08003", "08006",           // the connection was lost
    "53300",                    // too many connections
    "55P03", "57014",           // lock_timeout; statement_timeout, or cancelled
    "57P01", "57P02", "57P03",  // shut down, crashed, starting up
    "25P03"};                   // our transaction was idle for too long

/// SQLSTATEs of refused DDL: types that do not match, a missing key to refer to.
constexpr std::array<std::string_view, 2> kRefusedDefinition{"42804", "42830"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kBroken{{
    {"23502", "not_null"},
    {"23503", "foreign_key"},
    {"23001", "foreign_key"},
    {"23505", "unique"},
    {"23514", "check"},
    {"23P01", "exclusion"},
    {"P0001", "trigger"},
}};

/// Only keys are analysed here, and a small sample of them tells as much as a large one. With this
/// work_mem, a set of changes is joined in memory.
constexpr std::string_view kForLargeSets =
    "SET LOCAL default_statistics_target = 10;"
    "SELECT set_config('work_mem', '64MB', true)"
    " WHERE pg_size_bytes(current_setting('work_mem')) < 67108864";

/// Tables of the right form that belong to this role, to one whose rights it has, or to one that
/// may do everything here anyway: a superuser, the owner of the database or of our own books. So do
/// their schemas. Nobody else's are believed; and what row security would hide is an error to read.
constexpr std::string_view kOtherBooks = R"(
WITH me AS (SELECT r.oid, r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
     trusted AS (
  SELECT o.oid FROM pg_catalog.pg_roles o CROSS JOIN me
  WHERE o.rolsuper OR o.oid = me.oid OR (NOT me.rolsuper AND pg_catalog.pg_has_role(o.oid, 'USAGE'))
  UNION SELECT d.datdba FROM pg_catalog.pg_database d
  WHERE d.datname = pg_catalog.current_database()
  UNION SELECT c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
  ON n.oid = c.relnamespace WHERE n.nspname = '{0}' AND c.relname = 'head')
SELECT n.nspname, CAST(count(*) = 3 AS pg_catalog.int4)
FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
WHERE pg_catalog.starts_with(CAST(n.nspname AS pg_catalog.text), 'abgleich')
  AND n.nspname <> '{0}' AND c.relname IN ('head', 'tracked', 'fact') AND c.relkind = 'r'
  AND c.relowner IN (SELECT oid FROM trusted) AND n.nspowner IN (SELECT oid FROM trusted)
  AND NOT pg_catalog.row_security_active(c.oid)
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
  AND (SELECT count(*) FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = c.oid AND NOT a.attisdropped
         AND (a.atttypid = 'pg_catalog.text'::pg_catalog.regtype
              AND a.attname = ANY (CASE c.relname WHEN 'fact' THEN ARRAY['kind', 'value']
                                                  WHEN 'head' THEN ARRAY['lineage', 'hash']
                                                  ELSE ARRAY['target', 'key_columns', 'columns'] END)
              OR a.atttypid = 'pg_catalog.int8'::pg_catalog.regtype
              AND a.attname = CASE c.relname WHEN 'tracked' THEN 'id' END))
      = CASE c.relname WHEN 'tracked' THEN 4 ELSE 2 END
GROUP BY 1 ORDER BY 1)";

class PostgresBackend final : public Backend {
 public:
  [[nodiscard]] const Dialect& dialect() const override { return postgresql::dialect(); }

  [[nodiscard]] const Dialect& dialect_to_read(Connection& connection) const override {
    return postgresql::dialect_to_read(server_encoding(connection));
  }

  [[nodiscard]] std::unique_ptr<Connection> connect(const Endpoint& endpoint,
                                                    Access access) const override {
    return postgresql::connect(endpoint, access);
  }
  [[nodiscard]] std::string wire_weakness(const Endpoint& endpoint) const override {
    return weakness_of(endpoint.url);
  }
  void begin_snapshot(Session& session) const override {
    session.connection->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }
  void begin_write(Session& session) const override {
    session.connection->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE");
  }
  void begin_rehearsal(Session& session) const override {
    session.connection->execute("BEGIN ISOLATION LEVEL REPEATABLE READ");
  }
  /// The connection was lost.
  [[nodiscard]] bool hides_outcome(const Fault& fault) const override {
    return fault.cause() == Fault::Cause::unreachable;
  }
  [[nodiscard]] bool may_pass(std::string_view state) const override {
    return state.starts_with("40") || std::ranges::find(kPassing, state) != kPassing.end();
  }

  [[nodiscard]] Catalog read_catalog(Session& session) const override {
    return postgresql::read_catalog(*session.connection, session.schema);
  }
  [[nodiscard]] std::string identity_of(Session& session) const override {
    const auto identity = read_identity(*session.connection);
    return identity.system.empty() ? std::string()
                                   : "postgresql:" + identity.system + ":" + identity.database;
  }
  [[nodiscard]] std::unique_ptr<Watch> watch() const override {
    return std::make_unique<ServerWatch>();
  }
  [[nodiscard]] SchemaLock hold(Session& session, const Catalog& catalog,
                                const std::vector<Reading>& readings, Gone gone) const override {
    return postgresql::hold(*session.connection, catalog, readings, gone);
  }
  [[nodiscard]] Fault locked(Session& session, const std::string& table) const override {
    return postgresql::locked(*session.connection, table);
  }
  [[nodiscard]] std::string labels_mark(Session& session) const override {
    return postgresql::labels_mark(*session.connection);
  }
  [[nodiscard]] std::vector<std::string> lying_elsewhere(
      Session& session, const std::vector<std::int64_t>& tables) const override {
    std::vector<std::string> found;
    session.connection->query(select_lying_elsewhere(tables), {}, [&](std::span<const Cell> cells) {
      found.emplace_back(cells[0].bytes);
    });
    return found;
  }
  /// From an index alone, the rows would come in the index's order.
  void read_in_table_order(Session& session) const override {
    session.connection->execute("SET enable_indexonlyscan = off");
  }
  [[nodiscard]] std::optional<Grants> grants_to_read(Session& session, const Catalog& catalog,
                                                     const ReadColumns& columns) const override {
    return postgresql::grants_to_read(session, catalog, columns);
  }
  [[nodiscard]] std::vector<RowVersions> row_versions(
      Session& session, const std::vector<VersionedTable>& tables) const override {
    return postgresql::row_versions(session, tables);
  }
  [[nodiscard]] std::string place() const override { return postgresql::place(); }
  [[nodiscard]] std::string recent_place(std::uint64_t horizon) const override {
    return postgresql::recent_place(horizon);
  }
  [[nodiscard]] std::string recent_or_at(std::uint64_t horizon,
                                         const std::vector<std::string>& places) const override {
    return postgresql::recent_or_at(horizon, places);
  }
  [[nodiscard]] std::unique_ptr<db::Readers> readers(const Endpoint& endpoint,
                                                     Session& session) const override {
    return std::make_unique<Readers>(endpoint,
                                     dynamic_cast<PostgresConnection&>(*session.connection));
  }

  void prepare_for_sets(Session& session) const override {
    session.connection->execute_script(kForLargeSets);
  }
  [[nodiscard]] std::string peoples_path(Session& session) const override {
    return postgresql::peoples_path(session);
  }
  void look_up_by(Session& session, const std::string& path) const override {
    postgresql::look_up_by(session, path);
  }
  [[nodiscard]] std::optional<Grants> grants_beyond(Session& session,
                                                    const KeptTables& kept) const override {
    return postgresql::grants_beyond(session, kept);
  }
  [[nodiscard]] std::vector<std::string> strangers_in_books(Session& session) const override {
    return postgresql::strangers_in_books(session);
  }
  [[nodiscard]] std::vector<std::string> missing_rights(
      Session& session, const std::vector<Relation>& relations,
      const std::vector<std::string>& ddl) const override {
    return postgresql::missing_rights(session, relations, ddl);
  }
  [[nodiscard]] std::vector<std::string> strangers(Session& session,
                                                   const std::vector<Relation>& relations,
                                                   const std::string& path) const override {
    return postgresql::strangers(session, relations, path);
  }

  [[nodiscard]] std::string_view books_ddl() const override { return postgresql::books_ddl(); }
  [[nodiscard]] std::string select_books_layout(const Session& session) const override {
    return fmt::format(
        "SELECT c.relname, a.attname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid "
        "WHERE n.nspname = '{}' AND c.relkind IN ('r', 'p') "
        "AND a.attnum > 0 AND NOT a.attisdropped",
        session.books);
  }
  [[nodiscard]] std::string select_other_books(const Session& session) const override {
    return fmt::format(kOtherBooks, session.books);
  }
  [[nodiscard]] std::string has_base(std::string_view books,
                                     std::string_view number) const override {
    return fmt::format(
        "(SELECT CAST(count(*) AS pg_catalog.int4) FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '{}' "
        "AND c.relkind IN ('r', 'p') AND c.relname = 'base_' OPERATOR(pg_catalog.||) {})",
        books, number);
  }
  [[nodiscard]] std::string own_column_type(const Session& session, std::string_view table,
                                            std::string_view column) const override {
    const Cell cells[] = {text_cell(table), text_cell(column), text_cell(session.books)};
    std::string type;
    session.connection->query(
        "SELECT pg_catalog.format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a "
        "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n "
        "ON n.oid = c.relnamespace WHERE n.nspname = $3 AND c.relname = $1 "
        "AND a.attname = $2",
        cells, [&](std::span<const Cell> row) { type = row[0].bytes; });
    return type;
  }

  [[nodiscard]] Equalities read_equalities(Session& session,
                                           const Catalog& /*catalog*/) const override {
    return postgresql::read_equalities(session);
  }
  [[nodiscard]] Dependants read_dependants(Session& session,
                                           const Catalog& /*catalog*/) const override {
    return postgresql::read_dependants(session);
  }
  void query_uniques(Session& session, const std::string& table,
                     const Connection::OnRow& row) const override {
    postgresql::query_uniques(session, table, row);
  }
  [[nodiscard]] bool has_heirs(Session& session, const CatalogTable& table) const override {
    return postgresql::has_heirs(session, table);
  }
  [[nodiscard]] std::string_view broken_by(std::string_view state) const override {
    const auto* const found =
        std::ranges::find(kBroken, state, &std::pair<std::string_view, std::string_view>::first);
    return found == kBroken.end() ? std::string_view() : found->second;
  }
  [[nodiscard]] bool refuses_definition(const Fault& fault) const override {
    return std::ranges::find(kRefusedDefinition, fault.state()) != kRefusedDefinition.end();
  }
  /// All of ours are deferrable; people rarely declare theirs so.
  [[nodiscard]] bool is_ours(const Session& /*session*/, const std::string& /*table*/,
                             const CatalogForeignKey& key) const override {
    return key.deferrable;
  }

  [[nodiscard]] bool temporary_tables_cost() const override { return true; }
  [[nodiscard]] bool loads_bare() const override { return true; }
  [[nodiscard]] Bared bare(Session& session,
                           const std::vector<std::string>& tables) const override {
    return postgresql::bare(session, tables);
  }
  void end_bare(Session& session, const Bared& bared) const override {
    postgresql::end_bare(session, bared);
  }
  [[nodiscard]] bool without_key(Session& session, const std::string& table,
                                 const std::function<void()>& work) const override {
    return postgresql::without_key(session, table, work);
  }
  [[nodiscard]] std::string lay_down(Session& session, const RowsToLayDown& rows) const override {
    return postgresql::lay_down(session, rows);
  }

  void copy_out(Session& session, const std::set<std::string>& tables,
                const std::filesystem::path& file) const override {
    dump(session, tables, file);
  }
  [[nodiscard]] std::unique_ptr<RestoredCopy> restore_copy(
      const CopyToRestore& copy) const override {
    return restore_dump(copy);
  }
};

}  // namespace

const Backend& backend() {
  static const PostgresBackend kBackend;
  return kBackend;
}

}  // namespace abgleich::db::postgresql
