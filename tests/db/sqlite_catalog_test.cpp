#include "core/catalog.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace abgleich;
using Names = std::vector<std::string>;

namespace {

Catalog catalog_of(const std::string& sql) {
  const test::TemporaryDirectory directory;
  test::run_sqlite(directory / "x.db", sql);
  auto session = test::open_for_reading(directory / "x.db");
  begin_snapshot(session);
  return read_catalog(session);
}

CatalogTable table_of(const std::string& sql, const std::string& name = "t") {
  const auto catalog = catalog_of(sql);
  const auto* table = catalog.find_table(name);
  REQUIRE(table != nullptr);
  return *table;
}

CatalogColumn column_of(const CatalogTable& table, const std::string& name) {
  const auto* column = table.find_column(name);
  REQUIRE(column != nullptr);
  return *column;
}

/// Whether SQLite really takes NULL in the column of a table that is otherwise given 1.
bool takes_null(const std::string& sql, const std::string& insert) {
  const test::TemporaryDirectory directory;
  test::run_sqlite(directory / "x.db", sql);
  auto session = test::open_for_writing(directory / "x.db");
  try {
    session.connection->execute(insert);
  } catch (const db::Fault&) {
    return false;
  }
  bool null = false;
  session.connection->query("SELECT a IS NULL FROM t", {},
                            [&](auto cells) { null = cells[0].bytes == "1"; });
  return null;
}

}  // namespace

TEST_CASE("declared types have the families that are promised") {
  struct Case {
    std::string declared;
    Family family;
    std::string native;
  };
  const std::vector<Case> cases{
      {"", Family::dynamic, ""},
      {"INTEGER", Family::integer, "INTEGER"},
      {"unsigned big int", Family::integer, "unsigned big int"},
      {"BOOLEAN", Family::boolean, "BOOLEAN"},
      {"bool", Family::boolean, "bool"},
      {"VARCHAR(64)", Family::text, "VARCHAR(64)"},
      {"CLOB", Family::text, "CLOB"},
      {"TEXT", Family::text, "TEXT"},
      {"BLOB", Family::bytes, "BLOB"},
      {"REAL", Family::real, "REAL"},
      {"double precision", Family::real, "double precision"},
      {"FLOAT", Family::real, "FLOAT"},
      {"DATETIME", Family::timestamp, "DATETIME"},
      {"TIMESTAMP", Family::timestamp, "TIMESTAMP"},
      {"TIMESTAMP WITHOUT TIME ZONE", Family::timestamp, "TIMESTAMP WITHOUT TIME ZONE"},
      {"TIMESTAMP WITH TIME ZONE", Family::timestamptz, "TIMESTAMP WITH TIME ZONE"},
      {"timestamptz", Family::timestamptz, "timestamptz"},
      {"DATE", Family::date, "DATE"},
      {"TIME", Family::time, "TIME"},
      {"DECIMAL(10,2)", Family::decimal, "DECIMAL(10,2)"},
      {"NUMERIC", Family::decimal, "NUMERIC"},
      {"UUID", Family::uuid, "UUID"},
      {"JSON", Family::json, "JSON"},
      {"GEOMETRY", Family::dynamic, "GEOMETRY"},
      {"ANY", Family::dynamic, "ANY"},
      {"\"odd \"\"type, x\"", Family::dynamic, "\"odd \"\"type, x\""},
      {"\"CHECK\"", Family::dynamic, "\"CHECK\""},
      {"[with]", Family::dynamic, "\"with\""},
      {"'x); DROP TABLE t; --'", Family::dynamic, "\"x); DROP TABLE t; --\""},
  };
  for (const auto& [declared, family, native] : cases) {
    CAPTURE(declared);
    const auto type = column_of(table_of("CREATE TABLE t(a " + declared + ")"), "a").type;
    CHECK(type.family == family);
    CHECK(type.engine == Engine::sqlite);
    CHECK(type.native == native);
    // and the native type declares the same again
    CHECK(column_of(table_of("CREATE TABLE t(a " + native + ")"), "a").type == type);
  }
}

TEST_CASE("a declared type's numbers are its length, or its precision and scale") {
  const auto table = table_of(
      "CREATE TABLE t(a VARCHAR(64), b DECIMAL( 10 , 2 ), c NUMERIC(5), d TEXT, e CHAR(-1), f "
      "INT(11), "
      "g DATETIME(6), h REAL)");
  CHECK(column_of(table, "a").type.length == 64);
  CHECK(column_of(table, "b").type.precision == 10);
  CHECK(column_of(table, "b").type.scale == 2);
  CHECK(column_of(table, "c").type.precision == 5);
  CHECK_FALSE(column_of(table, "c").type.scale);
  CHECK_FALSE(column_of(table, "d").type.length);
  CHECK_FALSE(column_of(table, "e").type.length);
  CHECK(column_of(table, "f").type.bits == 64);
  CHECK_FALSE(column_of(table, "f").type.length);
  CHECK_FALSE(column_of(table, "g").type.scale);
  CHECK(column_of(table, "h").type.bits == 64);
}

TEST_CASE("ANY keeps what it gets in a STRICT table only") {
  CHECK(column_of(table_of("CREATE TABLE t(a ANY) STRICT"), "a").type.native.empty());
  CHECK(column_of(table_of("CREATE TABLE t(a ANY)"), "a").type.native == "ANY");
}

TEST_CASE("columns come in order with position, default, generation and collation") {
  const auto table = table_of(
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT DEFAULT 'x''y' NOT NULL COLLATE NOCASE, "
      "b INT DEFAULT (1 + 2), c AS (b + 1), d INT AS (b * 2) STORED, e TEXT COLLATE BINARY)");
  REQUIRE(table.columns.size() == 6);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    CHECK(table.columns[i].identity == static_cast<std::int64_t>(i) + 1);
    CHECK(table.columns[i].readable);
  }
  CHECK(column_of(table, "id").auto_identity);
  CHECK_FALSE(column_of(table, "id").nullable);
  CHECK(column_of(table, "a").default_value == "'x''y'");
  CHECK(column_of(table, "a").collation == "NOCASE");
  CHECK_FALSE(column_of(table, "a").nullable);
  CHECK(column_of(table, "b").default_value == "1 + 2");
  CHECK(column_of(table, "b").nullable);
  CHECK_FALSE(column_of(table, "b").generated);
  CHECK(column_of(table, "c").generated);
  CHECK(column_of(table, "d").generated);
  CHECK(column_of(table, "d").type.native == "INT");
  CHECK(column_of(table, "e").collation.empty());
}

TEST_CASE("a primary key's columns are nullable exactly where SQLite takes NULL in them") {
  for (const std::string sql :
       {"CREATE TABLE t(a INTEGER PRIMARY KEY, b)", "CREATE TABLE t(a INT PRIMARY KEY, b)",
        "CREATE TABLE t(a TEXT PRIMARY KEY, b)", "CREATE TABLE t(a TEXT PRIMARY KEY NOT NULL, b)",
        "CREATE TABLE t(a INTEGER PRIMARY KEY DESC, b)",
        "CREATE TABLE t(a INTEGER, b, PRIMARY KEY(a DESC))",
        "CREATE TABLE t(a INTEGER, b, PRIMARY KEY(a))",
        "CREATE TABLE t(a INTEGER, b, PRIMARY KEY(a, b))",
        "CREATE TABLE t(a \"INTEGER\" PRIMARY KEY, b)",
        "CREATE TABLE t(a TEXT PRIMARY KEY, b) WITHOUT ROWID",
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b) WITHOUT ROWID",
        "CREATE TABLE t(a TEXT PRIMARY KEY, b ANY) STRICT",
        "CREATE TABLE t(a INT PRIMARY KEY, b ANY) STRICT",
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b ANY) STRICT"}) {
    CAPTURE(sql);
    const auto table = table_of(sql);
    CHECK(column_of(table, "a").nullable ==
          takes_null(sql, "INSERT INTO t(a, b) VALUES (NULL, 1)"));
    // The rowid's alias is what SQLite fills in by itself.
    const bool numbered = [&] {
      const test::TemporaryDirectory directory;
      test::run_sqlite(directory / "x.db", sql);
      auto session = test::open_for_writing(directory / "x.db");
      std::string id;
      try {
        session.connection->execute("INSERT INTO t(b) VALUES (1)");
        session.connection->query("SELECT a FROM t", {}, [&](auto row) { id = row[0].bytes; });
      } catch (const db::Fault&) {
        return false;
      }
      return id == "1";
    }();
    CHECK(column_of(table, "a").auto_identity == numbered);
    REQUIRE(table.primary_key);
    CHECK(table.primary_key->columns.front() == "a");
  }
}

TEST_CASE("a primary key has its columns in the key's order") {
  const auto table = table_of("CREATE TABLE t(a, b, c, PRIMARY KEY (c, a))");
  REQUIRE(table.primary_key);
  CHECK(table.primary_key->columns == Names{"c", "a"});
  CHECK(table.uniques.empty());
  CHECK_FALSE(table_of("CREATE TABLE t(a)").primary_key);
}

TEST_CASE("unique keys are those over plain columns without a condition") {
  const auto table = table_of(
      "CREATE TABLE t(a UNIQUE, b, c, UNIQUE (c, b)); CREATE UNIQUE INDEX plain ON t(b, a);"
      "CREATE UNIQUE INDEX part ON t(b) WHERE a > 0; CREATE UNIQUE INDEX expression ON t(lower(b));"
      "CREATE INDEX not_unique ON t(c); CREATE UNIQUE INDEX rows ON t(a, b || c)");
  std::vector<Names> columns;
  for (const auto& key : table.uniques) {
    columns.push_back(key.columns);
    CHECK_FALSE(key.name.empty());
  }
  std::ranges::sort(columns);
  CHECK(columns == std::vector<Names>{{"a"}, {"b", "a"}, {"c", "b"}});
}

TEST_CASE("foreign keys name their parents as these are written, with implicit columns filled in") {
  const auto table = table_of(
      "CREATE TABLE Person(Id INTEGER PRIMARY KEY, X, Y, UNIQUE (X, Y));"
      "CREATE TABLE t(a REFERENCES person, b, c, d REFERENCES person(id) DEFERRABLE INITIALLY "
      "DEFERRED,"
      "e REFERENCES nowhere, f REFERENCES nowhere(g), self REFERENCES T(A),"
      "FOREIGN KEY (C, B) REFERENCES PERSON (y, x))",
      "t");
  REQUIRE(table.foreign_keys.size() == 5);
  const auto& keys = table.foreign_keys;
  const auto is = [](const CatalogForeignKey& key, const Names& columns, const std::string& parent,
                     const Names& referenced) {
    CHECK(key.columns == columns);
    CHECK(key.table == parent);
    CHECK(key.referenced == referenced);
  };
  is(keys[0], {"a"}, "Person", {"Id"});
  is(keys[1], {"d"}, "Person", {"Id"});
  is(keys[2], {"f"}, "nowhere", {"g"});  // the one before it cannot be resolved
  is(keys[3], {"self"}, "t", {"a"});
  is(keys[4], {"c", "b"}, "Person", {"Y", "X"});
}

TEST_CASE("views, virtual tables and triggers are seen, and nobody's internals") {
  const auto catalog = catalog_of(
      "CREATE TABLE t(a INTEGER, b TEXT); CREATE TABLE plain(a INTEGER PRIMARY KEY AUTOINCREMENT);"
      "CREATE VIEW v AS SELECT a, a + 1 AS next FROM t; CREATE VIEW broken AS SELECT * FROM "
      "nowhere;"
      "CREATE VIEW broken2 AS SELECT nosuchfunction(a) FROM t;"
      "CREATE VIRTUAL TABLE f USING fts5(body); CREATE TABLE abgleich_head(a); "
      "CREATE TABLE Abgleich_Run(a); CREATE TABLE abgleichs(a); ANALYZE;"
      "CREATE TRIGGER tr AFTER INSERT ON T BEGIN SELECT 1; END;");
  Names names;
  for (const auto& table : catalog.tables) {
    names.push_back(table.name);
  }
  CHECK(names == Names{"abgleichs", "f", "plain", "t", "v"});
  CHECK(catalog.find_table("t")->kind == TableKind::table);
  CHECK(catalog.find_table("t")->triggers);
  CHECK_FALSE(catalog.find_table("plain")->triggers);
  const auto* view = catalog.find_table("v");
  CHECK(view->kind == TableKind::view);
  CHECK(column_of(*view, "a").type.family == Family::integer);
  CHECK(column_of(*view, "next").type.family == Family::dynamic);
  CHECK(catalog.find_table("f")->kind == TableKind::foreign);
  CHECK(catalog.find_table("f")->columns.size() == 1);
  CHECK(catalog.identity.engine == Engine::sqlite);
  CHECK(catalog.identity.version == sqlite3_libversion());
  CHECK(catalog.identity.database.empty());
  CHECK(catalog.schema.empty());
}

TEST_CASE("names of any form are kept as written, and work in statements") {
  const Names tables{
      "a\"b", "select", "Tabelle für Größen", "x'); DROP TABLE y; --", "with space", "", "[x]", "%",
      "a.b",  "SQL\tT"};
  const Names columns{"\"", "order", "Straße", "", "a b", "--", "rowid", "$1", "?", "c]", "x,y"};
  const test::TemporaryDirectory directory;
  test::run_sqlite(directory / "x.db", "");
  std::ofstream(directory / "x.db").flush();
  auto session = test::open_for_writing(directory / "x.db");
  auto& connection = *session.connection;
  const auto& dialect = *session.dialect;
  std::vector<std::string> quoted;
  std::string declared;
  for (const auto& column : columns) {
    quoted.push_back(dialect.quote(column));
    declared += (declared.empty() ? "" : ", ") + quoted.back() + " TEXT";
  }
  for (const auto& table : tables) {
    connection.execute("CREATE TABLE " + dialect.table("", table) + " (" + declared +
                       ", PRIMARY KEY (" + quoted[0] + ", " + quoted[3] + "), UNIQUE (" +
                       quoted[6] + "))");
    const auto loader = connection.load(dialect.table("", table), quoted);
    std::vector<db::Cell> cells(columns.size(), db::text_cell("x"));
    loader->add(cells);
  }
  const auto catalog = read_catalog(session);
  CHECK(catalog.tables.size() == tables.size());
  for (const auto& name : tables) {
    CAPTURE(name);
    const auto* table = catalog.find_table(name);
    REQUIRE(table != nullptr);
    REQUIRE(table->columns.size() == columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      CHECK(table->columns[i].name == columns[i]);
    }
    CHECK(table->primary_key->columns == Names{columns[0], columns[3]});
    REQUIRE(table->uniques.size() == 1);
    CHECK(table->uniques[0].columns == Names{columns[6]});
    int rows = 0;
    connection.read("SELECT " + quoted[3] + ", " + quoted[6] + " FROM " + dialect.table("", name),
                    [&](auto cells) { rows += cells[0].bytes == "x" && cells[1].bytes == "x"; });
    CHECK(rows == 1);
  }
}

TEST_CASE("the catalogue is in byte order and the same whenever it is read") {
  const std::string sql =
      "CREATE TABLE b(a UNIQUE, c UNIQUE); CREATE TABLE B2(a); CREATE TABLE a(a REFERENCES b(c));"
      "CREATE TABLE ä(a)";
  const auto catalog = catalog_of(sql);
  CHECK(std::ranges::is_sorted(catalog.tables, {}, &CatalogTable::name));
  CHECK(catalog == catalog_of(sql));
}

TEST_CASE("what only the owner's program knows does not hide the rest of the catalogue") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "x.db";
  test::run_sqlite(
      file,
      "CREATE TABLE t(a TEXT COLLATE NOCASE, b); CREATE INDEX i ON t(a); PRAGMA writable_schema = "
      "1;"
      "UPDATE sqlite_schema SET sql = replace(sql, 'NOCASE', 'GERMAN') WHERE name = 't';"
      "INSERT INTO sqlite_schema VALUES ('table', 'spatial', 'spatial', 0, "
      "'CREATE VIRTUAL TABLE spatial USING nosuchmodule(a)');");
  auto session = test::open_for_reading(file);
  const auto catalog = read_catalog(session);
  REQUIRE(catalog.find_table("t") != nullptr);
  CHECK(column_of(*catalog.find_table("t"), "a").collation == "GERMAN");
  CHECK(catalog.find_table("spatial") == nullptr);
  session.connection->read("SELECT a, b FROM t", [](auto) {});
}
