// Every type and storage class, with NULL and its extremes, from primary to secondary and back into
// the comparison: what arrives is exactly what was there, and stays unchanged on the second run.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(Json::parse(line));
  }
  return lines;
}

/// What SQLite stores, told exactly: its printf rounds the last digit of large doubles and loses
/// the sign of zero.
struct Exact {
  std::string storage;
  std::string value;  // reals as %.17g, blobs as hexadecimal digits

  bool operator==(const Exact&) const = default;
};

std::vector<std::vector<Exact>> exact_rows(const std::filesystem::path& file,
                                           const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
  std::vector<std::vector<Exact>> rows;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto bytes = [&] {
        const auto* const start = static_cast<const char*>(sqlite3_column_blob(statement, i));
        return std::string(start == nullptr ? "" : start,
                           static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
      };
      switch (sqlite3_column_type(statement, i)) {
        case SQLITE_INTEGER:
          row.push_back({"integer", std::to_string(sqlite3_column_int64(statement, i))});
          break;
        case SQLITE_FLOAT: {
          std::array<char, 40> text{};
          std::snprintf(text.data(), text.size(), "%.17g", sqlite3_column_double(statement, i));
          row.push_back({"real", text.data()});
          break;
        }
        case SQLITE_TEXT:
          row.push_back({"text", bytes()});
          break;
        case SQLITE_BLOB: {
          std::string hex;
          for (const unsigned char byte : bytes()) {
            hex += "0123456789abcdef"[byte >> 4U];
            hex += "0123456789abcdef"[byte & 0x0fU];
          }
          row.push_back({"blob", hex});
          break;
        }
        default:
          row.push_back({"null", ""});
      }
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return rows;
}

// PostgreSQL's types -----------------------------------------------------------------------------

/// How SQLite holds a PostgreSQL type (README, "Between the engines").
enum class Form { integer, boolean, real, bytes, text };

struct PostgresType {
  std::string name;  // of the column
  std::string sql;
  Form form;
  std::vector<std::string> values;  // as the server's input, the first two different
};

const std::vector<PostgresType>& postgres_types() {
  static const std::string kLong(100'000, 'x');
  static const std::vector<PostgresType> kTypes{
      {"c_int2", "smallint", Form::integer, {"-32768", "32767", "0"}},
      {"c_int4", "integer", Form::integer, {"-2147483648", "2147483647", "0"}},
      {"c_int8", "bigint", Form::integer, {"-9223372036854775808", "9223372036854775807", "0"}},
      {"c_numeric",
       "numeric",
       Form::text,
       {"1.0", "1.00", "NaN", "Infinity", "-Infinity", "0", "0.000", "1e-1000",
        "-123456789012345678901234567890.1234567890123456789", "1e1000"}},
      {"c_numeric_10_2", "numeric(10,2)", Form::text, {"12345678.90", "-0.01", "NaN", "0"}},
      {"c_numeric_5_m2", "numeric(5,-2)", Form::text, {"1234500", "-100", "0"}},
      {"c_numeric_3_5", "numeric(3,5)", Form::text, {"0.00999", "-0.00001", "0"}},
      {"c_float4",
       "real",
       Form::real,
       {"0.1", "-0", "NaN", "Infinity", "-Infinity", "1e-45", "3.4028235e38", "1.17549435e-38", "0",
        "16777216", "1e22"}},
      {"c_float8",
       "double precision",
       Form::real,
       {"0.1", "-0", "NaN", "Infinity", "-Infinity", "5e-324", "1.7976931348623157e308",
        "2.2250738585072014e-308", "0", "9007199254740993", "1e22", "0.30000000000000004"}},
      {"c_text",
       "text",
       Form::text,
       {"", " ", "a\tb\nc\\N\\.\r", "ü€😀", "\x01\x7f", "NULL", "e\u0301", kLong, "0", "007"}},
      {"c_varchar", "varchar(5)", Form::text, {"ab   ", "äöüß€", ""}},
      {"c_char", "char(5)", Form::text, {"ab", "äöüß€", ""}},
      {"c_char1", "\"char\"", Form::text, {"a", "", "\\"}},
      {"c_name", "name", Form::text, {"n", std::string(63, 'n')}},
      {"c_bool", "boolean", Form::boolean, {"t", "f"}},
      {"c_date",
       "date",
       Form::text,
       {"2020-02-29", "0044-03-15 BC", "infinity", "-infinity", "5874897-12-31", "4713-01-01 BC",
        "0001-01-01"}},
      {"c_time", "time", Form::text, {"00:00:00", "24:00:00", "23:59:59.999999", "12:30:00.5"}},
      {"c_time3", "time(3)", Form::text, {"00:00:00.001", "23:59:59.9"}},
      {"c_timetz",
       "timetz",
       Form::text,
       {"23:59:59.999999+15:59", "00:00:00-15:59", "24:00:00+00", "12:00:00+02:30:15"}},
      {"c_timestamp",
       "timestamp",
       Form::text,
       {"2020-02-29 23:59:59.999999", "infinity", "-infinity", "294276-12-31 23:59:59.999999",
        "4713-01-01 00:00:00 BC", "2021-03-28 02:30:00"}},
      {"c_timestamp0", "timestamp(0)", Form::text, {"2020-02-29 23:59:59", "infinity"}},
      {"c_timestamptz",
       "timestamptz",
       Form::text,
       {"2020-02-29 23:59:59.999999+05:45", "infinity", "-infinity",
        "294276-12-31 23:59:59.999999+00", "4713-01-02 00:00:00+00 BC", "1900-01-01 00:00:00+01"}},
      {"c_interval",
       "interval",
       Form::text,
       {"1 day", "24:00:00", "178000000 years", "-1 mons +1 day -00:00:00.000001", "0"}},
      {"c_interval3", "interval day to second(3)", Form::text, {"1 day 00:00:00.001", "-3 days"}},
      {"c_uuid",
       "uuid",
       Form::text,
       {"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"}},
      {"c_bytea", "bytea", Form::bytes, {"\\x", "\\x00ff5c0a", "\\x61"}},
      {"c_json",
       "json",
       Form::text,
       {"{\"a\":1,  \"b\": [ ], \"a\":2}", "null", "1.0", "1.00", "\"\\u00e4\""}},
      {"c_jsonb",
       "jsonb",
       Form::text,
       {"{\"b\":1.00,  \"a\": [1, null, {\"\": \"ü\"}]}", "null", "1.0", "1.00", "\"\""}},
      {"c_enum", "mood", Form::text, {"sad", "o'k \"x\"", "happy"}},
      {"c_domain", "plz", Form::text, {"01234", "99999"}},
      {"c_composite", "pair", Form::text, {"(1,\"a,b\")", "(,)", "(0,\"\")"}},
      {"c_int_array",
       "integer[]",
       Form::text,
       {"{}", "{1,NULL,3}", "[0:1]={1,2}", "{{1,2},{3,4}}"}},
      {"c_text_array",
       "text[]",
       Form::text,
       {"{\"\",NULL,\"NULL\"}", "{\"a,b\",\"q\\\"x\\\\y\",ü}", "{}"}},
      {"c_float_array", "float8[]", Form::text, {"{-0,NaN,0.1}", "{0,Infinity,5e-324}"}},
      {"c_date_array", "date[]", Form::text, {"{2020-02-29,infinity}", "{\"0044-03-15 BC\"}"}},
      {"c_enum_array", "mood[]", Form::text, {"{sad,happy}", "{}"}},
      {"c_inet", "inet", Form::text, {"192.168.0.1", "192.168.0.1/24", "::1", "fe80::1/64"}},
      {"c_cidr", "cidr", Form::text, {"10.0.0.0/8", "::/0"}},
      {"c_macaddr", "macaddr", Form::text, {"08:00:2b:01:02:03", "00:00:00:00:00:00"}},
      {"c_macaddr8",
       "macaddr8",
       Form::text,
       {"08:00:2b:01:02:03:04:05", "00:00:00:00:00:00:00:00"}},
      {"c_int4range", "int4range", Form::text, {"[1,5)", "empty", "(,)"}},
      {"c_numrange", "numrange", Form::text, {"[1.0,1.00]", "(,1.50)"}},
      {"c_tsrange", "tsrange", Form::text, {"[2020-01-01 00:00:00,infinity)", "empty"}},
      {"c_tstzrange", "tstzrange", Form::text, {"[2020-01-01 00:00:00+02,)", "empty"}},
      {"c_daterange", "daterange", Form::text, {"[2020-01-01,2020-02-01)", "(,)"}},
      {"c_multirange", "int4multirange", Form::text, {"{[1,3),[5,7)}", "{}"}},
      {"c_bit", "bit(5)", Form::text, {"10101", "00000"}},
      {"c_varbit", "varbit", Form::text, {"1", "", "0000000000000000000000000000000001"}},
      {"c_money", "money", Form::text, {"-92233720368547758.08", "1.50"}},
      {"c_oid", "oid", Form::text, {"0", "4294967295"}},
      {"c_xml", "xml", Form::text, {"<a b=\"c\">ü</a>", "text<b/>"}},
      {"c_point", "point", Form::text, {"(0.1,-0)", "(NaN,Infinity)"}},
      {"c_box", "box", Form::text, {"(1,1),(0,0)", "(2,2),(0.1,0.1)"}},
      {"c_path", "path", Form::text, {"[(0,0),(1,1)]", "((0,0),(1,1))"}},
      {"c_polygon", "polygon", Form::text, {"((0,0),(1,1),(2,0))", "((0,0))"}},
      {"c_circle", "circle", Form::text, {"<(0,0),1>", "<(0.5,0),0>"}},
      {"c_line", "line", Form::text, {"{1,2,3}", "{0,1,-0.5}"}},
      {"c_lseg", "lseg", Form::text, {"[(0,0),(1,1)]", "[(0,0),(0,1)]"}},
      {"c_tsvector", "tsvector", Form::text, {"'a':1A 'b':2", ""}},
      {"c_tsquery", "tsquery", Form::text, {"'a' & !'b'", "'c':*"}},
      {"c_pg_lsn", "pg_lsn", Form::text, {"0/0", "FFFFFFFF/FFFFFFFF"}},
      {"c_xid8", "xid8", Form::text, {"0", "18446744073709551615"}},
  };
  return kTypes;
}

std::string literal(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c == '\'' ? "''" : std::string(1, c);
  }
  return quoted + "'";
}

constexpr int kUpdated = 1000;  // ids of the rows in which the primary changes one column each
constexpr int kEdited = 2000;   // the secondary
constexpr int kBoth = 3000;     // both

std::string contract_of_types(const std::string& table = "t") {
  std::string text = "[tables." + table + "]\nkey = [\"id\"]\n[tables." + table +
                     ".columns]\nid = \"plain\"\ntick = \"plain\"\n";
  for (const auto& type : postgres_types()) {
    text += type.name + " = \"plain\"\n";
  }
  return text;
}

void make_primary(Database& primary) {
  primary.run(
      "SET TimeZone = 'UTC';"
      "CREATE TYPE mood AS ENUM ('sad', 'o''k \"x\"', 'happy');"
      "CREATE DOMAIN plz AS text CHECK (VALUE ~ '^[0-9]{5}$');"
      "CREATE TYPE pair AS (a integer, b text);");
  std::string columns = "id integer PRIMARY KEY, tick integer";
  std::size_t rows = 0;
  for (const auto& type : postgres_types()) {
    columns += ", " + type.name + " " + type.sql;
    rows = std::max(rows, type.values.size());
  }
  primary.run("CREATE TABLE t (" + columns + ")");
  for (std::size_t row = 0; row <= rows; ++row) {  // the last one is NULL throughout
    std::string values = std::to_string(row) + ", 0";
    for (const auto& type : postgres_types()) {
      values += ", " + (row < type.values.size() ? literal(type.values[row]) : std::string("NULL"));
    }
    primary.run("INSERT INTO t VALUES (" + values + ")");
  }
  std::size_t column = 0;
  for (const auto& type : postgres_types()) {
    for (const auto first : {kUpdated, kEdited, kBoth}) {
      primary.run("INSERT INTO t (id, tick, " + type.name + ") VALUES (" +
                  std::to_string(static_cast<std::size_t>(first) + column) + ", 0, " +
                  literal(type.values[0]) + ")");
    }
    ++column;
  }
}

/// Every column of every row, `row/column` -> text; PostgreSQL.
std::map<std::string, std::string> texts_of(Database& database, const std::string& table = "t") {
  std::map<std::string, std::string> texts;
  for (const auto& type : postgres_types()) {
    std::istringstream rows(database.rows("SELECT id, encode(convert_to(format('%s', " + type.name +
                                          "), 'UTF8'), 'hex') FROM " + table + " WHERE " +
                                          type.name + " IS DISTINCT FROM NULL ORDER BY id"));
    for (std::string row; std::getline(rows, row);) {
      const auto bar = row.find('|');
      texts[row.substr(0, bar) + "/" + type.name] = row.substr(bar + 1);
    }
  }
  return texts;
}

/// How SQLite is to hold what PostgreSQL prints.
Exact in_sqlite(Form form, const std::string& text) {
  switch (form) {
    case Form::integer:
      return {"integer", text};
    case Form::boolean:
      return {"integer", text == "t" ? "1" : "0"};
    case Form::real: {
      if (text == "NaN") {
        return {"text", "NaN"};
      }
      std::array<char, 40> digits{};
      std::snprintf(digits.data(), digits.size(), "%.17g", std::strtod(text.c_str(), nullptr));
      return {"real", digits.data()};
    }
    case Form::bytes:
      return {"blob", text.substr(2)};
    case Form::text:
      break;
  }
  return {"text", text};
}

void check_in_sqlite(Pairing& pairing) {
  for (const auto& type : postgres_types()) {
    CAPTURE(type.name);
    const auto held =
        exact_rows(pairing.directory / "secondary.db",
                   "SELECT id, " + type.name + " FROM t WHERE " + type.name + " IS NOT NULL");
    std::size_t rows = 0;
    for (const auto& row : held) {
      const auto text = pairing.primary.rows("SELECT format('%s', " + type.name +
                                             ") FROM t WHERE id = " + row[0].value);
      const auto expected = in_sqlite(type.form, text);
      CAPTURE(text);
      CHECK(row[1].storage == expected.storage);
      CHECK(row[1].value == expected.value);
      ++rows;
    }
    CHECK(pairing.primary.rows("SELECT count(" + type.name + ") FROM t") == std::to_string(rows));
  }
}

void check_same(Pairing& pairing) {
  if (pairing.secondary.engine() == On::sqlite) {
    check_in_sqlite(pairing);
    return;
  }
  pairing.secondary.run("SET TimeZone = 'UTC'");
  const auto theirs = texts_of(pairing.primary);
  const auto ours = texts_of(pairing.secondary);
  CHECK(ours.size() == theirs.size());
  for (const auto& [place, text] : theirs) {
    CAPTURE(place);
    REQUIRE(ours.contains(place));
    CHECK(ours.at(place) == text);
  }
}

/// An edit that a person makes in the secondary: another value of the column's own list.
std::string edit_of(const PostgresType& type, On engine) {
  const auto& value = type.values[1];
  if (engine == On::postgresql) {
    return literal(value);
  }
  switch (type.form) {
    case Form::integer:
      return value;
    case Form::boolean:
      return value == "t" ? "1" : "0";
    case Form::real:
      return value == "-0" ? "-0.0" : value;
    case Form::bytes:
      return "x'" + value.substr(2) + "'";
    case Form::text:
      return literal(value);
  }
  return "NULL";
}

void all_types(On secondary) {
  Pairing pairing(On::postgresql, secondary, contract_of_types(), kLimits);
  make_primary(pairing.primary);
  const auto columns = postgres_types().size();

  const auto first = pairing.sync();
  REQUIRE_MESSAGE(first["exit"] == 0, first.dump());
  check_same(pairing);
  const auto second = pairing.sync();
  CHECK(second["outcome"] == "unchanged");
  CHECK(second["exit"] == 0);
  CHECK(pairing.run({"diff", "--exit-code"}).exit == 0);

  // An update of each column arrives, and nothing but it.
  for (std::size_t i = 0; i < columns; ++i) {
    const auto& type = postgres_types()[i];
    pairing.primary.run("UPDATE t SET " + type.name + " = " + literal(type.values[1]) +
                        " WHERE id = " + std::to_string(kUpdated + i));
  }
  const auto told = lines_of(pairing.run({"diff", "--json"}).out);
  CHECK(told.size() == columns);
  for (const auto& line : told) {
    const auto at = line["key"]["id"].get<std::size_t>() - kUpdated;
    REQUIRE(at < columns);
    CAPTURE(postgres_types()[at].name);
    CHECK(line["fate"] == "update");
    CHECK(line["columns"].size() == 1);
    CHECK(line["columns"].contains(postgres_types()[at].name));
  }
  CHECK(pairing.sync()["tables"]["t"]["updated"] == columns);
  check_same(pairing);

  // An edit of each column in the secondary is one: it stands, and it conflicts with another.
  for (std::size_t i = 0; i < columns; ++i) {
    const auto& type = postgres_types()[i];
    for (const auto from : {kEdited, kBoth}) {
      pairing.secondary.run("UPDATE t SET " + type.name + " = " + edit_of(type, secondary) +
                            " WHERE id = " + std::to_string(static_cast<std::size_t>(from) + i));
    }
    pairing.primary.run("UPDATE t SET tick = 1 WHERE id = " + std::to_string(kEdited + i));
    pairing.primary.run("UPDATE t SET " + type.name +
                        " = NULL WHERE id = " + std::to_string(kBoth + i));
  }
  const auto third = pairing.sync();
  CHECK(third["exit"] == 10);
  CHECK(third["tables"]["t"]["updated"] == columns);
  CHECK(third["tables"]["t"]["conflicts"] == columns);
  for (std::size_t i = 0; i < columns; ++i) {
    const auto& type = postgres_types()[i];
    CAPTURE(type.name);
    for (const auto from : {kEdited, kBoth}) {
      CHECK(pairing.secondary.rows(
                "SELECT tick, (SELECT count(*) FROM t AS other WHERE other.id = t.id AND " +
                type.name + " IS NOT NULL) FROM t WHERE id = " +
                std::to_string(static_cast<std::size_t>(from) + i)) ==
            (from == kEdited ? "1|1" : "0|1"));
    }
  }
  const auto conflicts = lines_of(pairing.run({"conflicts", "--json"}).out);
  CHECK(conflicts.size() == columns);
  for (const auto& line : conflicts) {
    const auto at = line["key"]["id"].get<std::size_t>() - kBoth;
    REQUIRE(at < columns);
    CHECK(line["columns"].size() == 1);
    CHECK(line["columns"].contains(postgres_types()[at].name));
  }
  CHECK(pairing.run({"resolve", "--all", "--take", "primary"}).exit == 0);
  CHECK(pairing.sync()["outcome"] == "unchanged");
}

}  // namespace

TEST_CASE("types: every type of PostgreSQL arrives in PostgreSQL as it is") {
  all_types(On::postgresql);
}

TEST_CASE("types: every type of PostgreSQL arrives in SQLite in its documented form") {
  all_types(On::sqlite);
}

// SQLite's storage classes -----------------------------------------------------------------------

namespace {

const std::vector<std::string>& declared_types() {
  static const std::vector<std::string> kTypes{
      "",        "INTEGER", "REAL",        "TEXT", "BLOB",       "NUMERIC",
      "BOOLEAN", "DATE",    "DATETIME",    "TIME", "VARCHAR(5)", "DECIMAL(10,2)",
      "JSON",    "UUID",    "TIMESTAMPTZ", "ANY"};
  return kTypes;
}

struct Stored {
  std::string sql;
  bool is_utf8 = true;
};

const std::vector<Stored>& stored_values() {
  static const std::vector<Stored> kValues{
      {"NULL"},
      {"0"},
      {"1"},
      {"-1"},
      {"42"},
      {"-9223372036854775808"},
      {"9223372036854775807"},
      {"9007199254740993"},
      {"1.5"},
      {"0.0"},
      {"-0.0"},
      {"5.0"},
      {"1e308"},
      {"-1.7976931348623157e308"},
      {"5e-324"},
      {"0.1"},
      {"0.30000000000000004"},
      {"9e999"},
      {"-9e999"},
      {"9223372036854775808.0"},
      {"''"},
      {"' '"},
      {"'abc'"},
      {"'abcdefgh'"},
      {"'ü€😀'"},
      {"'1'"},
      {"'1.0'"},
      {"'1.00'"},
      {"'007'"},
      {"'1e3'"},
      {"' 1'"},
      {"'NaN'"},
      {"'Infinity'"},
      {"'12345678901234567890'"},
      {"'0.1000000000000000055511151231257827'"},
      {"'t'"},
      {"'2020-02-29'"},
      {"'2020-02-30'"},
      {"'2020-02-29 12:00:00.5'"},
      {"'2020-02-29T12:00:00Z'"},
      {"'2020-02-29 12:00:00+02'"},
      {"'12:30:00'"},
      {"'{\"a\":  1}'"},
      {"'{\"a\":'"},
      {"'01234567-89AB-cdef-0123-456789abcdef'"},
      {"'a' || char(0) || 'b'"},
      {"char(0)"},
      {"'a' || char(9, 10, 13) || '\\N\\.'"},
      {"x''"},
      {"x'00ff'"},
      {"x'616263'"},
      {"CAST(x'ff41' AS TEXT)", false},
      {"CAST(x'eda080' AS TEXT)", false},
      {"CAST(x'c080' AS TEXT)", false},
  };
  return kValues;
}

std::string table_of(std::size_t type) {
  return "t" + std::to_string(type);
}

std::string contract_of_storage() {
  std::string text;
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    text += "[tables." + table_of(i) + "]\nkey = [\"id\"]\n[tables." + table_of(i) +
            ".columns]\nid = \"plain\"\nv = \"plain\"\ntick = \"plain\"\n";
  }
  return text;
}

void make_storage(Database& primary) {
  primary.run("BEGIN");
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    primary.run("CREATE TABLE " + table_of(i) + " (id INTEGER PRIMARY KEY, v " +
                declared_types()[i] + ", tick INTEGER)");
    for (std::size_t row = 0; row < stored_values().size(); ++row) {
      primary.run("INSERT INTO " + table_of(i) + " VALUES (" + std::to_string(row) + ", " +
                  stored_values()[row].sql + ", 0)");
    }
  }
  primary.run("COMMIT");
}

std::vector<std::vector<Exact>> storage_rows(const Pairing& pairing, const std::string& file,
                                             const std::string& table, const std::string& where) {
  return exact_rows(pairing.directory / file,
                    "SELECT id, v, tick FROM " + table + " WHERE " + where + " ORDER BY id");
}

std::string invalid_ids() {
  std::string ids;
  for (std::size_t row = 0; row < stored_values().size(); ++row) {
    if (!stored_values()[row].is_utf8) {
      ids += (ids.empty() ? "" : ", ") + std::to_string(row);
    }
  }
  return ids;
}

/// `table/id` of every row that is held back.
std::set<std::string> held_back(const Pairing& pairing) {
  std::set<std::string> held;
  for (const auto& line : lines_of(pairing.run({"quarantine", "--json"}).out)) {
    REQUIRE(line["key"].contains("id"));
    CHECK(!line["reason"].get<std::string>().empty());
    held.insert(line["table"].get<std::string>() + "/" + line["key"]["id"].dump());
  }
  return held;
}

}  // namespace

TEST_CASE("types: every storage class in every declared type goes from SQLite to SQLite") {
  Pairing pairing(On::sqlite, On::sqlite, contract_of_storage(), kLimits);
  make_storage(pairing.primary);
  const auto first = pairing.sync();
  REQUIRE_MESSAGE(first["exit"] == 11, first.dump());
  const auto held = held_back(pairing);
  const auto valid = "id NOT IN (" + invalid_ids() + ")";
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    CAPTURE(declared_types()[i]);
    CHECK((storage_rows(pairing, "secondary.db", table_of(i), "1") ==
           storage_rows(pairing, "primary.db", table_of(i), valid)));
    for (std::size_t row = 0; row < stored_values().size(); ++row) {
      CAPTURE(stored_values()[row].sql);
      CHECK(held.contains(table_of(i) + "/" + std::to_string(row)) ==
            !stored_values()[row].is_utf8);
    }
  }
  CHECK(pairing.sync()["outcome"] == "unchanged");

  // A change of storage class alone is a change; each value takes its neighbour's place and back.
  const auto count = std::to_string(stored_values().size());
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    pairing.primary.run("CREATE TEMP TABLE was AS SELECT * FROM " + table_of(i) + "; UPDATE " +
                        table_of(i) + " SET v = (SELECT w.v FROM was w WHERE w.id = (" +
                        table_of(i) + ".id + 1) % " + count + ") WHERE " + valid +
                        " AND (id + 1) % " + count + " NOT IN (" + invalid_ids() +
                        "); DROP TABLE was");
  }
  CHECK(pairing.sync()["exit"] == 11);
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    CAPTURE(declared_types()[i]);
    CHECK((storage_rows(pairing, "secondary.db", table_of(i), "1") ==
           storage_rows(pairing, "primary.db", table_of(i), valid)));
  }
  CHECK(pairing.sync()["outcome"] == "unchanged");
}

namespace {

/// A decimal number without the zeros behind its point.
std::string without_zeros(std::string digits) {
  if (digits.find('.') != std::string::npos) {
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') {
      digits.pop_back();
    }
  }
  return digits;
}

/// Whether PostgreSQL's text of a value stands for exactly what SQLite stores.
bool is_same_value(const Exact& stored, const std::string& type, const std::string& text) {
  const auto& value = stored.value;
  const bool decimal = type.starts_with("numeric") || type == "bigint";
  const auto number = [](const std::string& digits) {
    return std::strtod(digits.c_str(), nullptr);
  };
  if (stored.storage == "null") {
    return text == "NULL";
  }
  if (stored.storage == "blob") {
    return type == "bytea" && text == "\\x" + value;
  }
  if (type == "boolean") {
    return text == (value == "1" || value == "t" ? "true" : value == "0" ? "false" : "?");
  }
  if (stored.storage == "integer") {
    if (type != "double precision") {
      return without_zeros(text) == value;
    }
    const auto held = number(text);
    return std::abs(held) <= 9007199254740992.0 &&  // beyond it, several integers are one double
           std::to_string(static_cast<long long>(held)) == value;
  }
  if (stored.storage == "real") {
    // numeric and bigint have no negative zero
    return number(value) == number(text) &&
           (decimal || std::signbit(number(value)) == std::signbit(number(text)));
  }
  if (decimal) {
    return without_zeros(text) == without_zeros(value);
  }
  if (type == "double precision") {
    // only a decimal that is the double's own shortest form, scale aside
    return without_zeros(text) == without_zeros(value) || text == value;
  }
  if (type == "uuid") {
    auto lower = value;
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text == lower;
  }
  if (type.starts_with("timestamp")) {
    return text.starts_with("2020-02-29 ");  // the forms differ; checked one by one below
  }
  return text == value;
}

}  // namespace

TEST_CASE("types: what SQLite stores arrives in PostgreSQL unaltered or is held back") {
  Pairing pairing(On::sqlite, On::postgresql, contract_of_storage(), kLimits);
  make_storage(pairing.primary);
  const auto first = pairing.sync();
  REQUIRE_MESSAGE(first["exit"] == 11, first.dump());
  pairing.secondary.run("SET TimeZone = 'UTC'");
  const auto held = held_back(pairing);
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    CAPTURE(declared_types()[i]);
    const auto table = table_of(i);
    const auto type = pairing.secondary.rows(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'v' AND "
        "attrelid = '" +
        table + "'::regclass");
    CAPTURE(type);
    std::size_t carried = 0;
    for (std::size_t row = 0; row < stored_values().size(); ++row) {
      CAPTURE(stored_values()[row].sql);
      const auto id = std::to_string(row);
      const bool is_held = held.contains(table + "/" + id);
      const auto there =
          pairing.secondary.rows("SELECT count(*) FROM " + table + " WHERE id = " + id) == "1";
      CHECK(there != is_held);
      if (!there) {
        continue;
      }
      ++carried;
      CHECK(stored_values()[row].is_utf8);
      const auto stored = exact_rows(pairing.directory / "primary.db",
                                     "SELECT v FROM " + table + " WHERE id = " + id)[0][0];
      const auto text =
          pairing.secondary.rows("SELECT v::text FROM " + table + " WHERE id = " + id);
      CHECK_MESSAGE(is_same_value(stored, type, text), stored.storage, " ", stored.value, " as ",
                    text);
    }
    CHECK(carried >= 2);  // NULL and a value of the type's own at least
  }
  const auto moment = [&](const std::string& declared, const std::string& value) {
    const auto at = static_cast<std::size_t>(std::ranges::find(declared_types(), declared) -
                                             declared_types().begin());
    const auto row = static_cast<std::size_t>(
        std::ranges::find(stored_values(), "'" + value + "'", &Stored::sql) -
        stored_values().begin());
    return pairing.secondary.rows("SELECT v::text FROM " + table_of(at) +
                                  " WHERE id = " + std::to_string(row));
  };
  CHECK(moment("DATETIME", "2020-02-29 12:00:00.5") == "2020-02-29 12:00:00.5");
  CHECK(moment("TIMESTAMPTZ", "2020-02-29 12:00:00+02") == "2020-02-29 10:00:00+00");
  CHECK(moment("DATETIME", "2020-02-30").empty());
  CHECK(moment("DATE", "2020-02-30").empty());
  const auto second = pairing.sync();
  CHECK(second["outcome"] == "unchanged");
  CHECK(second["exit"] == 11);

  // What was mended goes on its way.
  pairing.primary.run("UPDATE t1 SET v = 7, tick = 1");
  CHECK(pairing.sync()["tables"]["t1"]["quarantined"] == 0);
  CHECK(pairing.secondary.rows("SELECT count(*) FROM t1 WHERE v = 7 AND tick = 1") ==
        std::to_string(stored_values().size()));
}

TEST_CASE("types: key columns of every usable type pair their rows") {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    std::string text;
    std::vector<const PostgresType*> keys;
    for (const auto& type : postgres_types()) {
      // types without an order in the server cannot be anybody's key
      static const std::set<std::string> kOrdered{
          "c_int2", "c_int8",  "c_numeric",   "c_float8",     "c_text",      "c_varchar",
          "c_char", "c_date",  "c_time",      "c_timetz",     "c_timestamp", "c_timestamptz",
          "c_uuid", "c_bytea", "c_int_array", "c_text_array", "c_inet",      "c_int4range",
          "c_bit",  "c_enum",  "c_domain",    "c_bool",       "c_interval",  "c_macaddr"};
      if (kOrdered.contains(type.name)) {
        keys.push_back(&type);
        text += "[tables.k_" + type.name + "]\nkey = [\"k\"]\n[tables.k_" + type.name +
                ".columns]\nk = \"plain\"\nv = \"plain\"\n";
      }
    }
    Pairing pairing(On::postgresql, secondary, text, kLimits);
    pairing.primary.run(
        "CREATE TYPE mood AS ENUM ('sad', 'o''k \"x\"', 'happy');"
        "CREATE DOMAIN plz AS text CHECK (VALUE ~ '^[0-9]{5}$');");
    std::map<std::string, std::size_t> rows;
    for (const auto* type : keys) {
      const auto table = "k_" + type->name;
      pairing.primary.run("CREATE TABLE " + table + " (k " + type->sql +
                          " PRIMARY KEY, v integer)");
      for (const auto& value : type->values) {
        if (value.size() < 2000) {  // what an index entry takes
          pairing.primary.run("INSERT INTO " + table + " VALUES (" + literal(value) +
                              ", 1) ON CONFLICT DO NOTHING");
        }
      }
      rows[table] = std::stoul(pairing.primary.rows("SELECT count(*) FROM " + table));
    }
    const auto first = pairing.sync();
    CHECK_MESSAGE(first["exit"] == 0, first.dump(), pairing.run({"quarantine"}).out);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    for (const auto* type : keys) {
      pairing.primary.run("UPDATE k_" + type->name + " SET v = 2");
    }
    const auto updated = pairing.sync();
    for (const auto& [table, count] : rows) {
      CAPTURE(table);
      CHECK(first["tables"][table]["inserted"] == count);
      CHECK(updated["tables"][table]["updated"] == count);
      CHECK(pairing.secondary.rows("SELECT count(*) FROM " + table + " WHERE v = 2") ==
            std::to_string(count));
    }
    for (const auto* type : keys) {
      pairing.primary.run("DELETE FROM k_" + type->name + " WHERE k = " + literal(type->values[0]));
    }
    const auto deleted = pairing.sync();
    for (const auto& [table, count] : rows) {
      CAPTURE(table);
      CHECK(deleted["tables"][table]["deleted"] == 1);
    }
  }
}

TEST_CASE("types: a table that is already there takes every value that its own types can hold") {
  struct Mismatch {
    const char* primary;
    const char* sqlite;
    const char* postgresql;
    std::vector<std::string> values;  // two different ones
  };
  const std::vector<Mismatch> mismatches{
      {"integer", "NUMERIC", "text", {"1", "-5"}},
      {"integer", "", "numeric(12,2)", {"1", "-5"}},
      {"integer", "INTEGER", "bigint", {"1", "-5"}},
      {"text", "BLOB", "varchar(10)", {"a", "ü"}},
      {"text", "VARCHAR(10)", "char(10)", {"a", "b c"}},
      {"date", "TEXT", "text", {"2020-02-29", "1999-01-01"}},
      {"date", "", "timestamp", {"2020-02-29", "1999-01-01"}},
      {"boolean", "INTEGER", "text", {"true", "false"}},
      {"uuid",
       "TEXT",
       "text",
       {"01234567-89ab-cdef-0123-456789abcdef", "00000000-0000-0000-0000-000000000000"}},
      {"numeric(6,2)", "NUMERIC", "numeric(8,4)", {"1.50", "12.00"}},
      {"numeric(6,2)", "", "text", {"1.50", "12.00"}},
      {"double precision", "REAL", "numeric", {"1.5", "0.25"}},
      {"json", "TEXT", "text", {"{\"a\": 1}", "[]"}},
      {"integer[]", "TEXT", "text", {"{1,2}", "{}"}},
  };
  on_every_pairing([&](On primary, On secondary) {
    std::string text = "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n";
    std::string theirs = "id integer PRIMARY KEY";
    std::string ours = "id bigint PRIMARY KEY";
    for (std::size_t i = 0; i < mismatches.size(); ++i) {
      const auto name = "c" + std::to_string(i);
      text += name + " = \"plain\"\n";
      theirs += ", " + name + " " + mismatches[i].primary;
      ours += ", " + name + " " +
              (secondary == On::sqlite ? mismatches[i].sqlite : mismatches[i].postgresql);
    }
    Pairing pairing(primary, secondary, text, kLimits);
    if (primary == On::sqlite) {
      theirs = theirs.replace(theirs.find("integer[]"), 9, "text");
    }
    pairing.primary.run("CREATE TABLE t (" + theirs + ")");
    pairing.secondary.run("CREATE TABLE t (" + ours + ")");
    // row 0 has the first values; the others have the second ones, a row for each column
    const auto rows = mismatches.size() + 1;
    for (std::size_t row = 0; row < rows; ++row) {
      std::string values = std::to_string(row);
      for (const auto& mismatch : mismatches) {
        const auto& value = mismatch.values[row == 0 ? 0 : 1];
        values += ", " + (value == "true" || value == "false" ? value : literal(value));
      }
      pairing.primary.run("INSERT INTO t VALUES (" + values + ")");
    }
    const auto first = pairing.sync();
    CHECK_MESSAGE(first["tables"]["t"]["inserted"] == rows, first.dump(),
                  pairing.run({"quarantine"}).out);
    CHECK(pairing.sync()["outcome"] == "unchanged");
    for (std::size_t i = 0; i < mismatches.size(); ++i) {
      const auto name = "c" + std::to_string(i);
      pairing.primary.run("UPDATE t SET " + name + " = (SELECT o." + name +
                          " FROM t o WHERE o.id = 0) WHERE id = " + std::to_string(i + 1));
    }
    const auto line = pairing.sync();
    CHECK_MESSAGE(line["tables"]["t"]["updated"] == mismatches.size(), line.dump());
    for (std::size_t i = 0; i < mismatches.size(); ++i) {
      CAPTURE(std::string(mismatches[i].primary));
      CHECK(pairing.secondary.rows("SELECT count(DISTINCT CAST(c" + std::to_string(i) +
                                   " AS text)) FROM t WHERE id IN (0, " + std::to_string(i + 1) +
                                   ")") == "1");
    }
    CHECK(pairing.sync()["outcome"] == "unchanged");
  });
}

}  // namespace abgleich::test
