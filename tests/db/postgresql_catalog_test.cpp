#include "core/catalog.hpp"
#include "db/postgresql/postgresql.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::TemporaryDatabase;
using Names = std::vector<std::string>;

namespace {

Catalog catalog_as(const std::string& url, const std::string& schema = "public") {
  Endpoint made;
  made.engine = Engine::postgresql;
  made.url = url;
  const auto connection = postgresql::connect(made, Access::read);
  return postgresql::read_catalog(*connection, schema);
}

const CatalogTable& table(const Catalog& catalog, const std::string& name) {
  const auto* found = catalog.find_table(name);
  REQUIRE_MESSAGE(found != nullptr, name);
  return *found;
}

const CatalogColumn& column(const Catalog& catalog, const std::string& in,
                            const std::string& name) {
  const auto* found = table(catalog, in).find_column(name);
  REQUIRE_MESSAGE(found != nullptr, name);
  return *found;
}

}  // namespace

TEST_CASE("the catalogue has every kind of table, in byte order, and nothing of other schemas") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE b (id int); CREATE TABLE \"Z\" (id int); CREATE TABLE \"ä\" (id int);"
      "CREATE TABLE p (id int, at date) PARTITION BY RANGE (at);"
      "CREATE TABLE p_2020 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
      "CREATE VIEW v AS SELECT id FROM b; CREATE MATERIALIZED VIEW m AS SELECT id FROM b;"
      "CREATE SCHEMA abgleich; CREATE TABLE abgleich.run (id int);"
      "CREATE SEQUENCE s; CREATE TYPE composite AS (a int); CREATE INDEX i ON b (id)");
  const auto catalog = catalog_as(database.url());
  Names found;
  for (const auto& one : catalog.tables) {
    found.push_back(one.name + ":" + std::string(name_of(one.kind)));
  }
  CHECK(found == Names{"Z:table", "b:table", "m:materialised view", "p:partitioned",
                       "p_2020:partition", "v:view", "ä:table"});
  CHECK(table(catalog, "p_2020").parent == "p");
  CHECK(table(catalog, "p").parent.empty());
  CHECK(std::to_string(table(catalog, "b").identity) ==
        database.run("SELECT 'public.b'::regclass::oid"));
  CHECK(catalog.schema == "public");
}

TEST_CASE("types are known by family, native name and measure") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TYPE mood ADD VALUE 'grim' BEFORE 'sad';"
      "CREATE DOMAIN amount AS numeric(10,2); CREATE DOMAIN price AS amount NOT NULL;"
      "CREATE TABLE t (i2 smallint, i4 integer, i8 bigserial, n numeric, n10 numeric(10,2),"
      " f4 real, f8 double precision, t text, v varchar(64), c char(3), b boolean, y bytea,"
      " d date, ti time(3), tz timetz, ts timestamp, tstz timestamptz(0), u uuid, j json,"
      " jb jsonb, e mood, es mood[], p price, ia int[], iv interval, a inet, neg numeric(3,-2))");
  const auto catalog = catalog_as(database.url());
  const auto type = [&](const char* name) { return column(catalog, "t", name).type; };
  CHECK(type("i2").bits == 16);
  CHECK(type("i4").family == Family::integer);
  CHECK(type("i8").native == "bigint");
  CHECK(column(catalog, "t", "i8").default_value == "nextval('public.t_i8_seq'::regclass)");
  CHECK_FALSE(type("n").precision);
  CHECK(type("n10").precision == 10);
  CHECK(type("n10").scale == 2);
  CHECK(type("n10").native == "numeric(10,2)");
  CHECK(type("neg").scale == -2);
  CHECK(type("f4").bits == 32);
  CHECK(type("f8").family == Family::real);
  CHECK_FALSE(type("t").length);
  CHECK(type("v").length == 64);
  CHECK(type("v").native == "character varying(64)");
  CHECK_FALSE(type("v").padded);
  CHECK(type("c").length == 3);
  CHECK(type("c").padded);
  CHECK(type("b").family == Family::boolean);
  CHECK(type("y").family == Family::bytes);
  CHECK(type("ti").scale == 3);
  CHECK(type("tz").family == Family::time);
  CHECK(type("tz").native == "time with time zone");
  CHECK(type("ts").family == Family::timestamp);
  CHECK(type("tstz").family == Family::timestamptz);
  CHECK(type("tstz").scale == 0);
  CHECK(type("u").family == Family::uuid);
  CHECK(type("jb").family == Family::json);
  CHECK(type("jb").native == "jsonb");
  CHECK(type("e").family == Family::text);
  CHECK(type("e").native == "public.mood");
  CHECK(type("e").labels == Names{"grim", "sad", "ok"});
  CHECK(type("es").family == Family::other);
  CHECK(type("es").native == "public.mood[]");
  CHECK(type("p").family == Family::decimal);
  CHECK(type("p").native == "numeric(10,2)");
  CHECK_FALSE(column(catalog, "t", "p").nullable);
  CHECK(type("ia").family == Family::other);
  CHECK(type("iv").family == Family::other);
  CHECK(type("a").native == "inet");
}

TEST_CASE("columns tell what they are and keep their identity when others go") {
  const TemporaryDatabase database;
  database.run(
      "CREATE COLLATION german (provider = libc, locale = 'C');"
      "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, gone int, n text NOT NULL,"
      " twice int GENERATED ALWAYS AS (id * 2) STORED, d date DEFAULT '2020-01-01',"
      " c text COLLATE \"C\", own text COLLATE german);"
      "ALTER TABLE t DROP COLUMN gone; CREATE VIEW v AS SELECT id, n FROM t");
  const auto catalog = catalog_as(database.url());
  Names names;
  for (const auto& one : table(catalog, "t").columns) {
    names.push_back(one.name);
  }
  CHECK(names == Names{"id", "n", "twice", "d", "c", "own"});
  CHECK(column(catalog, "t", "id").auto_identity);
  CHECK(column(catalog, "t", "id").identity == 1);
  CHECK(column(catalog, "t", "n").identity == 3);
  CHECK_FALSE(column(catalog, "t", "n").nullable);
  CHECK(column(catalog, "t", "twice").generated);
  CHECK(column(catalog, "t", "twice").default_value == "(id * 2)");
  CHECK(column(catalog, "t", "d").default_value == "'2020-01-01'::date");
  CHECK(column(catalog, "t", "c").collation == "\"C\"");
  CHECK(column(catalog, "t", "own").collation == "public.german");
  CHECK(column(catalog, "t", "n").collation.empty());
  CHECK(column(catalog, "v", "n").nullable);
}

TEST_CASE("keys are primary keys, unique constraints and plain unique indexes") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE t (a int, b int, c text, d int, PRIMARY KEY (b, a), UNIQUE (d, c));"
      "CREATE UNIQUE INDEX plain ON t (c) INCLUDE (d);"
      "CREATE UNIQUE INDEX partial ON t (c) WHERE d > 0;"
      "CREATE UNIQUE INDEX folded ON t (lower(c));"
      "CREATE UNIQUE INDEX mixed ON t (a, lower(c));"
      "CREATE INDEX no ON t (d)");
  const auto catalog = catalog_as(database.url());
  const auto t = table(catalog, "t");
  REQUIRE(t.primary_key);
  CHECK(t.primary_key->name == "t_pkey");
  CHECK(t.primary_key->columns == Names{"b", "a"});
  REQUIRE(t.uniques.size() == 2);
  CHECK(t.uniques[0].name == "plain");
  CHECK(t.uniques[0].columns == Names{"c"});
  CHECK(t.uniques[1].columns == Names{"d", "c"});
}

TEST_CASE("foreign keys keep the order of their columns") {
  const TemporaryDatabase database;
  database.run(
      "CREATE TABLE parent (a int, b int, PRIMARY KEY (a, b));"
      "CREATE TABLE up (id int PRIMARY KEY, p int REFERENCES up DEFERRABLE, x int, y int,"
      " FOREIGN KEY (y, x) REFERENCES parent (b, a));"
      "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY LIST (id);"
      "CREATE TABLE part_1 PARTITION OF parts FOR VALUES IN (1);"
      "CREATE TABLE to_parts (id int REFERENCES parts);"
      "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.far (id int PRIMARY KEY);"
      "CREATE TABLE abroad (id int REFERENCES elsewhere.far)");
  const auto catalog = catalog_as(database.url());
  const auto& keys = table(catalog, "up").foreign_keys;
  REQUIRE(keys.size() == 2);
  CHECK(keys[0].columns == Names{"p"});
  CHECK(keys[0].table == "up");
  CHECK(keys[0].deferrable);
  CHECK(keys[1].columns == Names{"y", "x"});
  CHECK(keys[1].referenced == Names{"b", "a"});
  CHECK_FALSE(keys[1].deferrable);
  REQUIRE(table(catalog, "to_parts").foreign_keys.size() == 1);
  CHECK(table(catalog, "to_parts").foreign_keys[0].table == "parts");
  CHECK(table(catalog, "abroad").foreign_keys.empty());
}

TEST_CASE("triggers and rules count where they fire on writes") {
  const TemporaryDatabase database;
  database.run(
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
      "CREATE TABLE with_trigger (id int); CREATE TABLE off (id int); CREATE TABLE ruled (id int);"
      "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int REFERENCES parent);"
      "CREATE TRIGGER g BEFORE INSERT ON with_trigger FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER g BEFORE INSERT ON off FOR EACH ROW EXECUTE FUNCTION f();"
      "ALTER TABLE off DISABLE TRIGGER g;"
      "CREATE RULE r AS ON DELETE TO ruled DO INSTEAD NOTHING;"
      "CREATE VIEW v AS SELECT id FROM off");
  const auto catalog = catalog_as(database.url());
  CHECK(table(catalog, "with_trigger").triggers);
  CHECK_FALSE(table(catalog, "off").triggers);
  CHECK(table(catalog, "ruled").triggers);
  CHECK_FALSE(table(catalog, "child").triggers);
  CHECK_FALSE(table(catalog, "v").triggers);
}

TEST_CASE("a role with few rights sees the whole structure and what it may read") {
  const TemporaryDatabase database;
  const auto role = database.name() + "_role";
  database.run("CREATE ROLE " + role +
               " LOGIN; CREATE SCHEMA closed; CREATE TABLE closed.t (id int);"
               "CREATE TABLE t (id int PRIMARY KEY, name text DEFAULT 'x', note text);"
               "CREATE TABLE untouchable (id int);"
               "CREATE TABLE policed (id int); ALTER TABLE policed ENABLE ROW LEVEL SECURITY;"
               "CREATE TABLE mine (id int); ALTER TABLE mine ENABLE ROW LEVEL SECURITY;"
               "CREATE TABLE forced (id int); ALTER TABLE forced ENABLE ROW LEVEL SECURITY;"
               "ALTER TABLE forced FORCE ROW LEVEL SECURITY;"
               "ALTER TABLE mine OWNER TO " +
               role + "; ALTER TABLE forced OWNER TO " + role +
               "; GRANT SELECT (id, note) ON t TO " + role + "; GRANT SELECT ON closed.t TO " +
               role);
  {
    const auto catalog = catalog_as(database.url_as(role));
    CHECK(column(catalog, "t", "id").readable);
    CHECK_FALSE(column(catalog, "t", "name").readable);
    CHECK(column(catalog, "t", "name").default_value == "'x'::text");
    CHECK(column(catalog, "t", "note").readable);
    CHECK_FALSE(column(catalog, "untouchable", "id").readable);
    CHECK(table(catalog, "t").primary_key);
    CHECK(table(catalog, "policed").row_security);
    CHECK_FALSE(table(catalog, "mine").row_security);
    CHECK(table(catalog, "forced").row_security);
    CHECK_FALSE(table(catalog, "t").row_security);
    // A granted table in a schema that may not be used cannot be read.
    CHECK_FALSE(column(catalog_as(database.url_as(role), "closed"), "t", "id").readable);
    CHECK_FALSE(table(catalog_as(database.url()), "policed").row_security);
  }
  database.run("DROP OWNED BY " + role + "; DROP ROLE " + role);
}

TEST_CASE("hostile names come through whole") {
  const TemporaryDatabase database;
  const std::string longest(63, 'x');
  const Names names{"select", "a\"b", "it's", "Größe \\ €", "$1", "a.b", " ", longest};
  const auto& dialect = postgresql::dialect();
  std::string columns;
  for (const auto& name : names) {
    columns += (columns.empty() ? "" : ", ") + dialect.quote(name) + " text";
  }
  const std::string schema = "sch\"ema 'ü";
  const std::string name = "ta\"ble; DROP";
  database.run("CREATE SCHEMA " + dialect.quote(schema) + "; CREATE TABLE " +
               dialect.table(schema, name) + " (" + columns + ", UNIQUE (" + dialect.quote("a\"b") +
               "))");
  const auto catalog = catalog_as(database.url(), schema);
  Names found;
  for (const auto& one : table(catalog, name).columns) {
    found.push_back(one.name);
  }
  CHECK(found == names);
  CHECK(table(catalog, name).uniques.at(0).columns == Names{"a\"b"});

  Endpoint made;
  made.engine = Engine::postgresql;
  made.url = database.url();
  const auto connection = postgresql::connect(made, Access::write);
  Names quoted;
  std::vector<Cell> row;
  for (const auto& one : names) {
    quoted.push_back(dialect.quote(one));
    row.push_back(text_cell(one));
  }
  const auto loader = connection->load(dialect.table(schema, name), quoted);
  loader->add(row);
  loader->flush();
  Names back;
  connection->read("SELECT * FROM " + dialect.table(schema, name),
                   [&](std::span<const Cell> cells) {
                     for (const auto& cell : cells) {
                       back.emplace_back(cell.bytes);
                     }
                   });
  CHECK(back == names);
}

TEST_CASE("the identity tells databases apart") {
  const TemporaryDatabase one;
  const TemporaryDatabase two;
  const auto first = catalog_as(one.url()).identity;
  CHECK(first.system.size() > 10);
  CHECK(first.version.find('.') != std::string::npos);
  CHECK(first.same_database(catalog_as(one.url()).identity));
  CHECK_FALSE(first.same_database(catalog_as(two.url()).identity));
}

TEST_CASE("a schema that does not exist is a configuration error") {
  const TemporaryDatabase database;
  try {
    catalog_as(database.url(), "nowhere");
    FAIL("no failure");
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::configuration);
    CHECK(failure.error().message == "schema 'nowhere' does not exist in the database");
  }
}
