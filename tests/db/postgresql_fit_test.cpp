#include "db/postgresql/column_types.hpp"
#include "db/postgresql/fit.hpp"
#include "db/postgresql/json_text.hpp"
#include "db/postgresql/postgresql.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace abgleich;
using abgleich::db::postgresql::json_form;
using abgleich::db::postgresql::JsonForm;

namespace {

Type column(std::string name, std::string native, std::int32_t modifier = -1) {
  return db::postgresql::type_from(
      {.name = std::move(name), .native = std::move(native), .modifier = modifier});
}

Type numeric(int precision, int scale) {
  auto type = column("numeric", "numeric");
  type.precision = precision;
  type.scale = scale;
  return type;
}

const Type kSmallint = column("int2", "smallint");
const Type kInteger = column("int4", "integer");
const Type kBigint = column("int8", "bigint");
const Type kNumeric = column("numeric", "numeric");
const Type kReal = column("float4", "real");
const Type kDouble = column("float8", "double precision");
const Type kText = column("text", "text");
const Type kVarchar3 = column("varchar", "character varying(3)", 7);
const Type kChar3 = column("bpchar", "character(3)", 7);
const Type kDate = column("date", "date");
const Type kTime = column("time", "time without time zone");
const Type kTimetz = column("timetz", "time with time zone");
const Type kTimestamp = column("timestamp", "timestamp without time zone");
const Type kTimestamp0 = column("timestamp", "timestamp(0) without time zone", 0);
const Type kTimestamptz = column("timestamptz", "timestamp with time zone");
const Type kJson = column("json", "json");
const Type kJsonb = column("jsonb", "jsonb");

/// The value after fit as "kind:bytes", or the reason why it cannot be held.
std::string fitted(const Type& type, Kind kind, std::string bytes) {
  Value value(kind, std::move(bytes));
  const auto refusal = db::postgresql::dialect().fit(type, value);
  return refusal ? std::string(*refusal) : to_text(value);
}

}  // namespace

TEST_CASE("NULL fits everywhere") {
  for (const auto& type : {kInteger, kChar3, kDate, kJsonb}) {
    CHECK(fitted(type, Kind::null, "") == "null:");
  }
}

TEST_CASE("integers are held to the column's width") {
  CHECK(fitted(kSmallint, Kind::integer, "-32768") == "integer:-32768");
  CHECK(fitted(kSmallint, Kind::integer, "32768") == "out of range");
  CHECK(fitted(kInteger, Kind::integer, "-2147483648") == "integer:-2147483648");
  CHECK(fitted(kInteger, Kind::integer, "2147483648") == "out of range");
  CHECK(fitted(kBigint, Kind::integer, "9223372036854775807") == "integer:9223372036854775807");
  CHECK(fitted(kBigint, Kind::integer, "9223372036854775808") == "out of range");
}

TEST_CASE("other numbers become integers only where nothing is lost") {
  CHECK(fitted(kInteger, Kind::decimal, "5.00") == "integer:5");
  CHECK(fitted(kInteger, Kind::decimal, "5.01") == "not an integer");
  CHECK(fitted(kInteger, Kind::decimal, "-0.0") == "integer:0");
  CHECK(fitted(kInteger, Kind::real, "1e+05") == "integer:100000");
  CHECK(fitted(kInteger, Kind::real, "0.5") == "not an integer");
  CHECK(fitted(kInteger, Kind::real, "NaN") == "not an integer");
  CHECK(fitted(kInteger, Kind::text, "42") == "integer:42");
  CHECK(fitted(kInteger, Kind::text, "007") == "not an integer");
  CHECK(fitted(kInteger, Kind::text, " 7") == "not an integer");
  CHECK(fitted(kInteger, Kind::text, "+7") == "not an integer");
  CHECK(fitted(kInteger, Kind::text, "") == "not an integer");
  CHECK(fitted(kInteger, Kind::boolean, "t") == "not an integer");
}

TEST_CASE("decimals take the column's scale and are never rounded") {
  CHECK(fitted(kNumeric, Kind::decimal, "1.00") == "decimal:1.00");
  CHECK(fitted(kNumeric, Kind::integer, "5") == "decimal:5");
  CHECK(fitted(kNumeric, Kind::real, "1.5e-07") == "decimal:0.00000015");
  CHECK(fitted(kNumeric, Kind::decimal, "-0.00") == "decimal:0.00");
  CHECK(fitted(kNumeric, Kind::decimal, "NaN") == "decimal:NaN");
  CHECK(fitted(kNumeric, Kind::real, "-Infinity") == "decimal:-Infinity");
  CHECK(fitted(numeric(5, 2), Kind::decimal, "1.5") == "decimal:1.50");
  CHECK(fitted(numeric(5, 2), Kind::integer, "999") == "decimal:999.00");
  CHECK(fitted(numeric(5, 2), Kind::integer, "1000") == "out of range");
  CHECK(fitted(numeric(5, 2), Kind::decimal, "1.505") == "would be rounded");
  CHECK(fitted(numeric(5, 2), Kind::decimal, "1.500") == "decimal:1.50");
  CHECK(fitted(numeric(5, 2), Kind::decimal, "NaN") == "decimal:NaN");
  CHECK(fitted(numeric(5, 2), Kind::decimal, "Infinity") == "out of range");
  CHECK(fitted(numeric(3, -2), Kind::integer, "12300") == "decimal:12300");
  CHECK(fitted(numeric(3, -2), Kind::integer, "12345") == "would be rounded");
  CHECK(fitted(numeric(3, -2), Kind::integer, "100000") == "out of range");
  CHECK(fitted(numeric(2, 4), Kind::decimal, "0.0012") == "decimal:0.0012");
  CHECK(fitted(numeric(2, 4), Kind::decimal, "0.0123") == "out of range");
  CHECK(fitted(kNumeric, Kind::text, "1.50") == "decimal:1.50");
  CHECK(fitted(kNumeric, Kind::text, "NaN") == "not a number");
  CHECK(fitted(kNumeric, Kind::text, "1,50") == "not a number");
  CHECK(fitted(kNumeric, Kind::text, "1e200000") == "not a number");
}

TEST_CASE("floats take only what they give back") {
  CHECK(fitted(kDouble, Kind::real, "0.1") == "real:0.1");
  CHECK(fitted(kDouble, Kind::integer, "9007199254740992") == "real:9007199254740992");
  CHECK(fitted(kDouble, Kind::integer, "9007199254740993") == "would be rounded");
  CHECK(fitted(kDouble, Kind::decimal, "0.10") == "real:0.1");
  CHECK(fitted(kDouble, Kind::decimal, "0.10000000000000000001") == "would be rounded");
  CHECK(fitted(kDouble, Kind::decimal, "NaN") == "real:NaN");
  CHECK(fitted(kDouble, Kind::text, "1.50") == "real:1.5");
  CHECK(fitted(kDouble, Kind::text, "abc") == "not a number");
  CHECK(fitted(kReal, Kind::real, "0.1") == "real:0.1");
  CHECK(fitted(kReal, Kind::real, "0.10000000001") == "would be rounded");
  CHECK(fitted(kReal, Kind::real, "3.4028235e+38") == "real:3.4028235e+38");
  CHECK(fitted(kReal, Kind::real, "1e+39") == "would be rounded");
  CHECK(fitted(kReal, Kind::real, "1e-45") == "real:1e-45");
  CHECK(fitted(kReal, Kind::real, "1e-50") == "would be rounded");
  CHECK(fitted(kReal, Kind::real, "-0") == "real:-0");
  CHECK(fitted(kReal, Kind::real, "Infinity") == "real:Infinity");
  CHECK(fitted(kReal, Kind::integer, "16777217") == "would be rounded");
}

TEST_CASE("text keeps every character or is refused") {
  CHECK(fitted(kText, Kind::text, "") == "text:");
  CHECK(fitted(kText, Kind::text, std::string("a\0b", 3)) == "contains NUL");
  CHECK(fitted(kText, Kind::text, "\xff") == "not valid UTF-8");
  CHECK(fitted(kText, Kind::bytes, "abc") == "not a text");
  CHECK(fitted(kText, Kind::integer, "5") == "text:5");
  CHECK(fitted(kText, Kind::date, "2020-02-29") == "text:2020-02-29");
  CHECK(fitted(kText, Kind::other, "{1,2}") == "text:{1,2}");
  CHECK(fitted(kVarchar3, Kind::text, "äöü") == "text:äöü");
  CHECK(fitted(kVarchar3, Kind::text, "äöüß") == "text too long");
  CHECK(fitted(kVarchar3, Kind::text, "abc ") == "text too long");
  CHECK(fitted(kChar3, Kind::text, "ä") == "text:ä  ");
  CHECK(fitted(kChar3, Kind::text, "") == "text:   ");
  CHECK(fitted(kChar3, Kind::text, "ab      ") == "text:ab ");
  CHECK(fitted(kChar3, Kind::text, "abcd") == "text too long");
  CHECK(fitted(column("name", "name"), Kind::text, std::string(64, 'x')) == "text too long");
}

TEST_CASE("an enumeration takes its labels only") {
  Type type = column("text", "public.mood");
  type.labels = {"sad", "ok"};
  CHECK(fitted(type, Kind::text, "ok") == "text:ok");
  CHECK(fitted(type, Kind::text, "happy") == "not a label of the enumeration");
}

TEST_CASE("booleans come from 0, 1 and the usual words") {
  const auto type = column("bool", "boolean");
  CHECK(fitted(type, Kind::boolean, "t") == "boolean:t");
  CHECK(fitted(type, Kind::integer, "0") == "boolean:f");
  CHECK(fitted(type, Kind::integer, "2") == "not a boolean");
  CHECK(fitted(type, Kind::text, "TRUE") == "boolean:t");
  CHECK(fitted(type, Kind::text, "f") == "boolean:f");
  CHECK(fitted(type, Kind::text, "ja") == "not a boolean");
}

TEST_CASE("dates are checked against the calendar and the server's range") {
  CHECK(fitted(kDate, Kind::text, "2020-02-29") == "date:2020-02-29");
  CHECK(fitted(kDate, Kind::text, "2021-02-29") == "not a date");
  CHECK(fitted(kDate, Kind::text, "1900-02-29") == "not a date");
  CHECK(fitted(kDate, Kind::text, "0001-02-29 BC") == "date:0001-02-29 BC");
  CHECK(fitted(kDate, Kind::text, "0002-02-29 BC") == "not a date");
  CHECK(fitted(kDate, Kind::text, "0000-01-01") == "not a date");
  CHECK(fitted(kDate, Kind::text, "2020-13-01") == "not a date");
  CHECK(fitted(kDate, Kind::text, "2020-1-1") == "not a date");
  CHECK(fitted(kDate, Kind::text, "2020-01-01 ") == "not a date");
  CHECK(fitted(kDate, Kind::text, "2020-01-01 00:00:00") == "not a date");
  CHECK(fitted(kDate, Kind::text, "01.01.2020") == "not a date");
  CHECK(fitted(kDate, Kind::text, "NA") == "not a date");
  CHECK(fitted(kDate, Kind::date, "infinity") == "date:infinity");
  CHECK(fitted(kDate, Kind::date, "5874897-12-31") == "date:5874897-12-31");
  CHECK(fitted(kDate, Kind::text, "5874898-01-01") == "out of range");
  CHECK(fitted(kDate, Kind::date, "4714-11-24 BC") == "date:4714-11-24 BC");
  CHECK(fitted(kDate, Kind::text, "4714-11-23 BC") == "out of range");
  CHECK(fitted(kDate, Kind::integer, "20200101") == "not a date");
}

TEST_CASE("times take their canonical form") {
  CHECK(fitted(kTime, Kind::text, "23:59") == "time:23:59:00");
  CHECK(fitted(kTime, Kind::text, "23:59:59.500") == "time:23:59:59.5");
  CHECK(fitted(kTime, Kind::text, "24:00:00") == "time:24:00:00");
  CHECK(fitted(kTime, Kind::text, "24:00:01") == "not a time");
  CHECK(fitted(kTime, Kind::text, "23:59:60") == "not a time");
  CHECK(fitted(kTime, Kind::text, "12:00:00.1234567") == "would be rounded");
  CHECK(fitted(kTime, Kind::text, "12:00:00+02") == "has a time zone");
  CHECK(fitted(kTimetz, Kind::text, "12:00:00") == "has no time zone");
  CHECK(fitted(kTimetz, Kind::text, "12:00:00Z") == "time:12:00:00+00");
  CHECK(fitted(kTimetz, Kind::text, "12:00:00-00") == "time:12:00:00+00");
  CHECK(fitted(kTimetz, Kind::text, "12:00:00+0530") == "time:12:00:00+05:30");
  CHECK(fitted(kTimetz, Kind::time, "12:00:00-00:30") == "time:12:00:00-00:30");
  CHECK(fitted(kTimetz, Kind::time, "12:00:00+15:59:59") == "time:12:00:00+15:59:59");
  CHECK(fitted(kTimetz, Kind::text, "12:00:00+16") == "not a time");
}

TEST_CASE("timestamps take their canonical form, in UTC where they have a zone") {
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-29T23:59:59.120") ==
        "timestamp:2020-02-29 23:59:59.12");
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-29 23:59") == "timestamp:2020-02-29 23:59:00");
  CHECK(fitted(kTimestamp, Kind::date, "2020-02-29") == "timestamp:2020-02-29 00:00:00");
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-28 24:00:00") == "timestamp:2020-02-29 00:00:00");
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-29T12:00:00Z") == "timestamp:2020-02-29 12:00:00");
  CHECK(fitted(kTimestamp, Kind::text, "2020-01-01 00:30:00.25+02:00") ==
        "timestamp:2019-12-31 22:30:00.25");
  CHECK(fitted(kTimestamp, Kind::text, "0001-01-01 00:30:00+01") ==
        "timestamp:0001-12-31 23:30:00 BC");
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-29T12:00:00+99") == "not a timestamp");
  CHECK(fitted(kTimestamp, Kind::timestamptz, "2020-02-29 12:00:00+00") == "has a time zone");
  CHECK(fitted(kTimestamp0, Kind::text, "2020-02-29T12:00:00.5Z") == "has a time zone");
  CHECK(fitted(kTimestamp, Kind::text, "0044-03-15 12:00:00 BC") ==
        "timestamp:0044-03-15 12:00:00 BC");
  CHECK(fitted(kTimestamp, Kind::date, "0044-03-15 BC") == "timestamp:0044-03-15 00:00:00 BC");
  CHECK(fitted(kTimestamp, Kind::timestamp, "-infinity") == "timestamp:-infinity");
  CHECK(fitted(kTimestamp, Kind::text, "2021-02-29 00:00:00") == "not a timestamp");
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-29 ") == "not a timestamp");
  CHECK(fitted(kTimestamp, Kind::text, "2020-02-29T") == "not a timestamp");
  CHECK(fitted(kTimestamp, Kind::text, "294277-01-01 00:00:00") == "out of range");
  CHECK(fitted(kTimestamp0, Kind::timestamp, "2020-02-29 12:00:00") ==
        "timestamp:2020-02-29 12:00:00");
  CHECK(fitted(kTimestamp0, Kind::timestamp, "2020-02-29 12:00:00.5") == "would be rounded");
  CHECK(fitted(kTimestamptz, Kind::text, "2020-03-01T01:30:00+02:00") ==
        "timestamptz:2020-02-29 23:30:00+00");
  CHECK(fitted(kTimestamptz, Kind::text, "2019-12-31T23:30:00.5-0100") ==
        "timestamptz:2020-01-01 00:30:00.5+00");
  CHECK(fitted(kTimestamptz, Kind::text, "0001-01-01T00:00:00+01") ==
        "timestamptz:0001-12-31 23:00:00+00 BC");
  CHECK(fitted(kTimestamptz, Kind::text, "2020-02-29T12:00:00") == "has no time zone");
  CHECK(fitted(kTimestamptz, Kind::timestamp, "2020-02-29 12:00:00") == "has no time zone");
  CHECK(fitted(kTimestamptz, Kind::timestamptz, "294276-12-31 23:59:59.999999+00") ==
        "timestamptz:294276-12-31 23:59:59.999999+00");
  CHECK(fitted(kTimestamptz, Kind::text, "294276-12-31 23:59:59-01") == "out of range");
  CHECK(fitted(kTimestamptz, Kind::timestamptz, "4714-11-24 00:00:00+00 BC") ==
        "timestamptz:4714-11-24 00:00:00+00 BC");
  CHECK(fitted(kTimestamptz, Kind::text, "4714-11-24 00:00:00+01 BC") == "out of range");
}

TEST_CASE("uuids come in lower case with hyphens") {
  const auto type = column("uuid", "uuid");
  const std::string canonical = "uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
  CHECK(fitted(type, Kind::uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") == canonical);
  CHECK(fitted(type, Kind::text, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11") == canonical);
  CHECK(fitted(type, Kind::text, "a0eebc999c0b4ef8bb6d6bb9bd380a11") == canonical);
  CHECK(fitted(type, Kind::text, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1") == "not a uuid");
  CHECK(fitted(type, Kind::text, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380g11") == "not a uuid");
}

TEST_CASE("bytes and the server's own types take only their own kind") {
  CHECK(fitted(column("bytea", "bytea"), Kind::bytes, "\xff") == "bytes:ff");
  CHECK(fitted(column("bytea", "bytea"), Kind::text, "abc") == "not bytes");
  CHECK(fitted(column("_int4", "integer[]"), Kind::other, "{1,NULL}") == "other:{1,NULL}");
  CHECK(fitted(column("_int4", "integer[]"), Kind::text, "{1, NULL}") ==
        "not a value of the column's type");
}

TEST_CASE("json keeps its text, jsonb takes only text that it would print itself") {
  CHECK(fitted(kJson, Kind::json, R"({"b" : 1,"a":1, "a":2})") == R"(json:{"b" : 1,"a":1, "a":2})");
  CHECK(fitted(kJson, Kind::text, "[1,]") == "not valid JSON");
  CHECK(fitted(kJson, Kind::text, R"("\u0000")") == R"(json:"\u0000")");
  CHECK(fitted(kJsonb, Kind::json, R"({"a": 1})") == R"(json:{"a": 1})");
  CHECK(fitted(kJsonb, Kind::json, R"({"a":1})") == "would be reformatted");
  CHECK(fitted(kJsonb, Kind::json, R"("\u0000")") == "contains NUL");
  CHECK(fitted(kJsonb, Kind::json, "{") == "not valid JSON");
}

TEST_CASE("JSON is what RFC 8259 says") {
  for (const auto* text :
       {"null", "true", "0", "-0", "1.5e+10", "1E5", "\"\"", R"("\ud800")", R"("\/\b\f\n\r\t\"\\")",
        "[]", "{}", " [ 1 , { \"a\" : [ ] } ] ", "\"ä🦠\""}) {
    CAPTURE(text);
    CHECK(json_form(text) != JsonForm::invalid);
  }
  for (const auto* text :
       {"",          " ",           "nul",    "True",       "01",  "-",    "1.",
        ".5",        "+1",          "1e",     "'a'",        "\"",  "\"\\", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "[",          "[1",  "[1,",  "[,]",
        "{\"a\"}",   "{\"a\":}",    "{a:1}",  "{\"a\":1,}", "1 2", "[]]",  "NaN"}) {
    CAPTURE(text);
    CHECK(json_form(text) == JsonForm::invalid);
  }
  CHECK(json_form(std::string(1000, '[') + std::string(1000, ']')) == JsonForm::canonical);
  CHECK(json_form(std::string(1000000, '[')) == JsonForm::invalid);
}

TEST_CASE("the form that jsonb prints is known without the server") {
  for (const auto* text :
       {"{}", "[]", "[1, 2]", R"({"b": 1, "aa": [], "ab": {"x": null}})", "1.50", "-0.5", "0",
        R"("\b\f\n\r\t\"\\\u0001\u001f")", "\"/\x7fä\"", "\"\"", R"({"": 1})"}) {
    CAPTURE(text);
    CHECK(json_form(text) == JsonForm::canonical);
  }
  for (const auto* text : {"{ }", "[1,2]", "[1 , 2]", "[1,  2]", R"({"aa": 1, "b": 1})",
                           R"({"a": 1, "a": 1})", R"({"a" : 1})", "1e5", "-0", "-0.0", " 1", "1 ",
                           R"("\u0041")", R"("\u000a")", R"("\u001F")", R"("\/")"}) {
    CAPTURE(text);
    CHECK(json_form(text) == JsonForm::free);
  }
}
