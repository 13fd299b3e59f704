// Every value of every type in use goes primary to secondary and comes back the same.
#include "db/postgresql/postgresql.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;
using abgleich::test::TemporaryDatabase;

namespace {

Endpoint endpoint(const std::string& url) {
  Endpoint made;
  made.engine = Engine::postgresql;
  made.url = url;
  return made;
}

struct Carried {
  const char* type;
  std::vector<const char*> literals;  // as SQL text; NULL is always added
};

const std::vector<Carried> kCarried{
    {"boolean", {"'t'", "'f'"}},
    {"smallint", {"-32768", "32767", "0"}},
    {"integer", {"-2147483648", "2147483647"}},
    {"bigint", {"-9223372036854775808", "9223372036854775807"}},
    {"numeric",
     {"'NaN'", "'Infinity'", "'-Infinity'", "1.00", "1.0", "1", "-0.00", "1e-1000", "1e1000",
      "123456789012345678901234567890.000000000000000000000000000001"}},
    {"numeric(10,2)", {"'NaN'", "99999999.99", "-0.01", "0", "1.5"}},
    {"numeric(3,-2)", {"12300", "-99900"}},
    {"real",
     {"'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "1e-45", "3.4028235e38", "0.1", "1.1754944e-38",
      "16777216", "8388609", "33554432", "1e6", "123456.79", "5e-20"}},
    {"double precision",
     {"'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "5e-324", "1.7976931348623157e308", "0.1",
      "0.1::float4::float8", "1e15", "1e22", "9007199254740993", "100000", "0.00001", "1e-5", "5"}},
    {"text",
     {"''", "' '", "E'\\t\\n\\r\\\\'", "E'\\\\N'", "E'\\\\.'", "'🦠 äöüß ẞ'", "'NULL'",
      "E'\\b\\f\\v\\x01\\x7f'", "repeat('x', 100000)", "E'a\\nb\\tc'", "E'e\\u0301'"}},
    {"character varying(5)", {"'äöüß€'", "''", "'a    '"}},
    {"character(5)", {"'a'", "''", "'äöüß€'", "'     '"}},
    {"character varying", {"'no limit'"}},
    {"name", {"'relation'"}},
    {"date",
     {"'infinity'", "'-infinity'", "'4714-11-24 BC'", "'0001-01-01'", "'0001-12-31 BC'",
      "'2020-02-29'", "'5874897-12-31'", "'10000-01-01'"}},
    {"time", {"'00:00:00'", "'24:00:00'", "'23:59:59.999999'", "'12:30:00.5'"}},
    {"time(0)", {"'12:30:01'"}},
    {"time with time zone",
     {"'00:00:00+15:59:59'", "'24:00:00-15:59'", "'12:00:00.000001+05:30'", "'12:00:00Z'",
      "'12:00:00-00:30'"}},
    {"timestamp",
     {"'infinity'", "'-infinity'", "'4714-11-24 00:00:00 BC'", "'294276-12-31 23:59:59.999999'",
      "'2020-02-29 12:00:00'", "'0044-03-15 12:00:00.000001 BC'", "'1969-12-31 23:59:59.9'"}},
    {"timestamp(3)", {"'2020-02-29 12:00:00.123'"}},
    {"timestamp with time zone",
     {"'infinity'", "'-infinity'", "'4714-11-24 00:00:00+00 BC'",
      "'294276-12-31 23:59:59.999999+00'", "'2020-03-29 02:30:00 Europe/Berlin'",
      "'0044-03-15 12:00:00 BC'", "'1880-01-01 00:00:00 Europe/Amsterdam'"}},
    {"interval",
     {"'0'", "'1 year 2 mons -3 days 04:05:06.789'", "'-1 mon +24:00:00'", "'24 hours'", "'1 day'",
      "'-00:00:00.000001'", "'178000000 years'", "'1 mon -1 day'"}},
    {"interval day to second(3)", {"'3 days 04:05:06.789'"}},
    {"uuid", {"'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", "'00000000-0000-0000-0000-000000000000'"}},
    {"bytea",
     {"''", "'\\x00'", "'\\x5c78'",
      "(SELECT string_agg(decode(lpad(to_hex(g), 2, '0'), 'hex'), '' ORDER BY g)"
      " FROM generate_series(0, 255) g)"}},
    {"json",
     {"'{\"b\" : 1,\"a\":1, \"a\":2}'", "' [ ] '", "E'{\\n\\t\"x\": \"\\\\u0000\"}'", "'null'",
      "'1.00e5'", "'\"\\ud800\"'", "'\"ä\"'"}},
    {"jsonb",
     {"'{\"bb\":1,\"a\":1.00,\"a\":2e3}'", "'[]'", "'null'", "'\"\\u0041\\n\\u0001\\/\"'",
      "'[1,{\"x\":[-0.0,1e-5,true]}]'", "'{\"\":{}}'", "'\"ä🦠\"'", "'1e30'"}},
    {"integer[]", {"'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'", "'[5:6]={1,2}'"}},
    {"text[]",
     {"'{NULL,\"NULL\",\"\",\"a\\\"b\\\\c,d\",\"{\",\" x \"}'", "ARRAY[E'tab\\t', E'nl\\n']"}},
    {"double precision[]", {"'{0.1,NaN,-0,1e300}'"}},
    {"timestamptz[]", {"ARRAY['2020-03-29 02:30:00+01'::timestamptz]"}},
    {"bytea[]", {"ARRAY['\\x00ff'::bytea, '']"}},
    {"jsonb[]", {"ARRAY['{\"a\":1}'::jsonb]"}},
    {"inet", {"'192.168.0.1'", "'192.168.0.1/24'", "'::1'", "'2001:db8::/32'"}},
    {"cidr", {"'10.0.0.0/8'", "'::/0'"}},
    {"macaddr", {"'08-00-2b-01-02-03'"}},
    {"macaddr8", {"'08:00:2b:01:02:03:04:05'"}},
    {"int4range", {"'empty'", "'[1,5]'", "'(,3)'", "'(,)'"}},
    {"numrange", {"'[1.0,1.00]'"}},
    {"tstzrange", {"'[2020-01-01 00:00+01,infinity]'"}},
    {"daterange", {"'[2020-01-01,2020-12-31]'"}},
    {"bit(3)", {"B'101'", "B'000'"}},
    {"bit varying(8)", {"B''", "B'10101010'"}},
    {"money", {"'1234567.89'", "'-0.01'", "'-92233720368547758.08'"}},
    {"xml", {"'<a b=\"c\">ä &amp; <d/></a>'", "''", "'text <b>only</b>'"}},
    {"point", {"'(0.1,-0)'", "'(1e300,NaN)'"}},
    {"box", {"'(2,2),(1,1)'"}},
    {"polygon", {"'((0,0),(1,0),(1,1))'"}},
    {"circle", {"'<(0.1,0.2),3>'"}},
    {"tsvector", {"'a:1A b:2,3 ''c d'''"}},
    {"tsquery", {"'a & !(b | c:*)'"}},
    {"\"char\"", {"'x'", "'\\377'"}},
    {"oid", {"4294967295"}},
    {"pg_lsn", {"'16/B374D848'"}},
    {"public.mood", {"'sad'", "'it''s \"ok\"'", "'äußerst\tfroh'"}},
    {"public.mood[]", {"'{sad,NULL}'"}},
    {"public.positive", {"1", "2147483647"}},
    {"public.short", {"'abc'"}},
    {"public.pair", {"ROW(1, 'a,b\"c')"}},
    {"regclass", {"'public.own'"}},
};

constexpr const char* kTypes =
    "CREATE TYPE public.mood AS ENUM ('sad', 'it''s \"ok\"', E'äußerst\\tfroh');"
    "CREATE DOMAIN public.natural AS int CHECK (VALUE >= 0);"
    "CREATE DOMAIN public.positive AS public.natural CHECK (VALUE > 0);"
    "CREATE DOMAIN public.short AS varchar(3) NOT NULL;"
    "CREATE TYPE public.pair AS (a int, b text);"
    "CREATE TABLE public.own ()";

std::vector<Value> values_of(Connection& connection, const Type& type) {
  std::vector<Value> values;
  std::string scratch;
  const auto& dialect = postgresql::dialect();
  connection.read("SELECT " + dialect.select_expression("c", type) + " FROM public.t ORDER BY id",
                  [&](std::span<const Cell> cells) {
                    const auto decoded = dialect.decode(type, cells[0], scratch);
                    values.emplace_back(decoded.kind, std::string(decoded.bytes));
                  });
  return values;
}

Type type_of_c(Connection& connection) {
  return postgresql::read_catalog(connection, "public").find_table("t")->find_column("c")->type;
}

}  // namespace

TEST_CASE("every value of every type arrives and is read back as it was written") {
  const TemporaryDatabase primary;
  const TemporaryDatabase secondary;
  primary.run(kTypes);
  const auto& dialect = postgresql::dialect();
  const auto source = postgresql::connect(endpoint(primary.url()), Access::read);
  const auto target = postgresql::connect(endpoint(secondary.url()), Access::write);
  test::PlainConnection scene(primary.url());

  for (const auto& [type_name, literals] : kCarried) {
    CAPTURE(type_name);
    scene.run("DROP TABLE IF EXISTS public.t; CREATE TABLE public.t (id int, c " +
              std::string(type_name) + ")");
    int id = 0;
    for (const auto* literal : literals) {
      CAPTURE(literal);
      scene.run("INSERT INTO public.t VALUES (" + std::to_string(++id) + ", " + literal + ")");
    }
    if (std::string_view(type_name) != "public.short") {
      scene.run("INSERT INTO public.t VALUES (" + std::to_string(++id) + ", NULL)");
    }

    const auto type = type_of_c(*source);
    target->execute_script("DROP TABLE IF EXISTS public.t; CREATE TABLE public.t (id int, c " +
                           dialect.column_type(type) + ")");
    const auto column = type_of_c(*target);
    auto values = values_of(*source, type);
    REQUIRE(values.size() == static_cast<std::size_t>(id));
    {
      const auto loader = target->load("public.t", {"id", "c"});
      std::string scratch;
      for (std::size_t i = 0; i < values.size(); ++i) {
        CAPTURE(i);
        const auto refusal = dialect.fit(column, values[i]);
        CHECK_MESSAGE(!refusal, std::string(refusal.value_or("")));
        const auto number = std::to_string(i);
        const std::vector<Cell> row{text_cell(number), dialect.encode(column, values[i], scratch)};
        loader->add(row);
      }
      loader->flush();
    }
    auto back = values_of(*target, column);
    REQUIRE(back.size() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(i);
      CHECK(to_text(back[i]) == to_text(values[i]));
      // What the secondary gives fits it as it is.
      CHECK_FALSE(dialect.fit(column, back[i]));
      CHECK(to_text(back[i]) == to_text(values[i]));
    }
    // The server itself sees the same text on both sides.
    const auto all =
        "SELECT string_agg(coalesce(c::text, 'NULL'), chr(10) ORDER BY id) FROM public.t";
    test::PlainConnection look(secondary.url());
    for (auto* side : {&scene, &look}) {
      side->run("SET extra_float_digits = 3; SET TimeZone = 'UTC'; SET search_path = ''");
    }
    CHECK(look.run(all) == scene.run(all));
    scene.run("RESET search_path");
  }
}

TEST_CASE("a value as parameter is the same as a value by COPY") {
  const TemporaryDatabase database;
  database.run("CREATE TABLE t (id int, b bytea, d date, f float8, j json, x text, a int[])");
  const auto connection = postgresql::connect(endpoint(database.url()), Access::write);
  const std::string bytes("\0\\x\xff", 4);
  const std::vector<Cell> row{
      text_cell("1"),          {Cell::Storage::blob, bytes}, text_cell("infinity"), text_cell("-0"),
      text_cell("{\"a\" :1}"), text_cell("a\tb\\"),          text_cell("{1,NULL}")};
  connection->execute("INSERT INTO public.t VALUES ($1, $2, $3, $4, $5, $6, $7)", row);
  const auto loader = connection->load("public.t", {"id", "b", "d", "f", "j", "x", "a"});
  loader->add(row);
  loader->flush();
  CHECK(database.run("SELECT count(DISTINCT t::text) FROM t") == "1");
  CHECK(database.run("SELECT count(*) FROM t WHERE b = '\\x005c78ff' AND f::text = '-0'") == "2");
}

TEST_CASE("a server in another encoding gives and takes the same text, or refuses the row") {
  const TemporaryDatabase latin("ABGLEICH_TEST_PG",
                                "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  latin.run("CREATE TABLE t (x text)");
  const auto connection = postgresql::connect(endpoint(latin.url()), Access::write);
  std::vector<std::string> refused;
  connection->execute("BEGIN");
  const auto loader =
      connection->load("public.t", {"x"}, [&](std::int64_t row, const std::string& state) {
        refused.push_back(std::to_string(row) + ":" + state);
      });
  for (const auto* text : {"Köln", "🦠", "Faßberg"}) {
    const Cell cell = text_cell(text);
    loader->add({&cell, 1});
  }
  loader->flush();
  connection->execute("COMMIT");
  CHECK(refused == std::vector<std::string>{"1:22P05"});
  std::string all;
  connection->read("SELECT x FROM public.t",
                   [&](std::span<const Cell> cells) { all += std::string(cells[0].bytes) + ";"; });
  CHECK(all == "Köln;Faßberg;");
}
