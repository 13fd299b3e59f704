#include "core/value.hpp"
#include "db/engine/dialect.hpp"
#include "db/sqlite/declared_type.hpp"
#include "db/sqlite/sqlite.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace abgleich;
using namespace std::string_literals;
using db::Cell;
using db::Session;
using db::sqlite::Affinity;
using db::sqlite::affinity_of;
using db::sqlite::Strictness;
using db::sqlite::type_of;
using Storage = db::Cell::Storage;

namespace {

constexpr std::string_view kAltered = "would be changed by the column's type";

const db::Dialect& dialect() {
  return db::sqlite::dialect();
}

const std::vector<Family>& families() {
  static const std::vector<Family> kFamilies{
      Family::boolean, Family::integer, Family::decimal, Family::real,      Family::text,
      Family::bytes,   Family::date,    Family::time,    Family::timestamp, Family::timestamptz,
      Family::uuid,    Family::json,    Family::other,   Family::dynamic};
  return kFamilies;
}

/// One declared type for each affinity and for each family that a declared type can have.
const std::vector<std::string>& declared_types() {
  static const std::vector<std::string> kTypes{
      "",     "INTEGER",          "BIGINT",      "TEXT",          "VARCHAR(10)", "BLOB",
      "REAL", "DOUBLE PRECISION", "NUMERIC",     "DECIMAL(10,2)", "BOOLEAN",     "DATE",
      "TIME", "DATETIME",         "TIMESTAMPTZ", "UUID",          "JSON",        "ANY",
      "FOO"};
  return kTypes;
}

struct Stored {
  Storage storage;
  std::string bytes;
};

const std::vector<Stored>& cells() {
  static const std::vector<Stored> kCells{
      {Storage::null, ""},
      {Storage::integer, "0"},
      {Storage::integer, "1"},
      {Storage::integer, "2"},
      {Storage::integer, "-7"},
      {Storage::integer, "9007199254740992"},
      {Storage::integer, "9007199254740993"},
      {Storage::integer, "9223372036854775807"},
      {Storage::integer, "-9223372036854775808"},
      {Storage::real, "0"},
      {Storage::real, "-0"},
      {Storage::real, "1"},
      {Storage::real, "0.1"},
      {Storage::real, "-12.5"},
      {Storage::real, "1e+22"},
      {Storage::real, "9223372036854775807"},
      {Storage::real, "-9.223372036854776e+18"},
      {Storage::real, "9.223372036854775e+18"},
      {Storage::real, "1.7976931348623157e+308"},
      {Storage::real, "5e-324"},
      {Storage::real, "Infinity"},
      {Storage::real, "-Infinity"},
      {Storage::text, ""},
      {Storage::text, "0"},
      {Storage::text, "1"},
      {Storage::text, "t"},
      {Storage::text, "true"},
      {Storage::text, "007"},
      {Storage::text, " 5 "},
      {Storage::text, "-0"},
      {Storage::text, "1.00"},
      {Storage::text, "0.00"},
      {Storage::text, "1e5"},
      {Storage::text, "0x10"},
      {Storage::text, "12345678901234567890.123456789"},
      {Storage::text, "100000000000000000000"},
      {Storage::text, "0.1"},
      {Storage::text, "NaN"},
      {Storage::text, "nan"},
      {Storage::text, "Infinity"},
      {Storage::text, "-Infinity"},
      {Storage::text, "infinity"},
      {Storage::text, "2020-02-29"},
      {Storage::text, "2021-02-29"},
      {Storage::text, "0044-03-15 BC"},
      {Storage::text, "20200229"},
      {Storage::text, "23:59:59.5"},
      {Storage::text, "23:59:59.5+02"},
      {Storage::text, "2020-02-29 23:59:59.5"},
      {Storage::text, "2020-02-29T23:59:59.5"},
      {Storage::text, "2020-02-29 23:59:59.5+00"},
      {Storage::text, "01234567-89ab-cdef-0123-456789abcdef"},
      {Storage::text, "01234567-89AB-CDEF-0123-456789ABCDEF"},
      {Storage::text, "{\"a\": [1, null]}"},
      {Storage::text, "null"},
      {Storage::text, "{1,2,NULL}"},
      {Storage::text, "a\0b"s},
      {Storage::text, "5\0"s},
      {Storage::text, "Müller"},
      {Storage::text, "\xff\xfe"},
      {Storage::blob, ""},
      {Storage::blob, "5"},
      {Storage::blob, "\0\xff"s},
  };
  return kCells;
}

/// A value for every kind as PostgreSQL gives it, with the family of its column.
const std::vector<std::pair<Family, Value>>& foreign_values() {
  static const std::vector<std::pair<Family, Value>> kValues{
      {Family::boolean, {Kind::boolean, "t"}},
      {Family::boolean, {Kind::boolean, "f"}},
      {Family::integer, {Kind::integer, "-32768"}},
      {Family::decimal, {Kind::decimal, "1.00"}},
      {Family::decimal, {Kind::decimal, "-0.5"}},
      {Family::decimal, {Kind::decimal, "0.00"}},
      {Family::decimal, {Kind::decimal, "42"}},
      {Family::decimal, {Kind::decimal, "12.50"}},
      {Family::decimal, {Kind::decimal, "9223372036854775807"}},
      {Family::decimal, {Kind::decimal, "9223372036854775808"}},
      {Family::decimal, {Kind::decimal, "9300000000000000000.00"}},
      {Family::decimal, {Kind::decimal, "100000000000000000000"}},
      {Family::decimal, {Kind::decimal, "12345678901234.5"}},
      {Family::decimal, {Kind::decimal, "1234567890123456.5"}},
      {Family::decimal, {Kind::decimal, "0.0000000000000000000001"}},
      {Family::decimal, {Kind::decimal, "1" + std::string(400, '0')}},
      {Family::decimal, {Kind::decimal, "0." + std::string(400, '0') + "1"}},
      {Family::decimal, {Kind::decimal, "NaN"}},
      {Family::decimal, {Kind::decimal, "-Infinity"}},
      {Family::real, {Kind::real, "NaN"}},
      {Family::real, {Kind::real, "-0"}},
      {Family::real, {Kind::real, "5"}},
      {Family::real, {Kind::real, "Infinity"}},
      {Family::text, {Kind::text, "p1_abcdefghijklmnopqrstuvwxyz"}},
      {Family::text, {Kind::text, "1e5"}},
      {Family::bytes, {Kind::bytes, "\0"s}},
      {Family::date, {Kind::date, "infinity"}},
      {Family::date, {Kind::date, "0044-03-15 BC"}},
      {Family::time, {Kind::time, "24:00:00"}},
      {Family::timestamp, {Kind::timestamp, "294276-12-31 23:59:59.999999"}},
      {Family::timestamptz, {Kind::timestamptz, "0044-03-15 00:00:00+00 BC"}},
      {Family::uuid, {Kind::uuid, "00000000-0000-0000-0000-000000000000"}},
      {Family::json, {Kind::json, "5"}},
      {Family::json, {Kind::json, "\"x\""}},
      {Family::other, {Kind::other, "10"}},
      {Family::other, {Kind::other, "{1,2}"}},
      {Family::other, {Kind::other, "1 day -00:00:01"}},
  };
  return kValues;
}

Value decoded(const Type& type, const Cell& cell) {
  std::string scratch;
  const auto value = dialect().decode(type, cell, scratch);
  return {value.kind, std::string(value.bytes)};
}

/// A file with one table a declared type, whose one row's cell is overwritten again and again.
class Columns {
 public:
  Columns() {
    std::string sql;
    for (std::size_t i = 0; i < declared_types().size(); ++i) {
      sql += fmt::format("CREATE TABLE t{} (a {});", i, declared_types()[i]);
    }
    test::run_sqlite(directory_ / "x.db", sql);
    session_ = test::open_for_writing(directory_ / "x.db");
    begin_write(session_);
  }

  /// Writes a cell into the column of the i-th type and reads it back as a value of `type`.
  Value through(std::size_t i, const Type& type, const Cell& cell) {
    auto& connection = *session_.connection;
    connection.execute(fmt::format("DELETE FROM t{}", i));
    const Cell bound[] = {cell};
    connection.execute(fmt::format("INSERT INTO t{} VALUES ($1)", i), bound);
    Value value;
    connection.query(
        fmt::format("SELECT {} FROM t{}", dialect().select_expression("\"a\"", type), i), {},
        [&](auto row) { value = decoded(type, row[0]); });
    return value;
  }

 private:
  test::TemporaryDirectory directory_;
  Session session_;
};

Type logical(Family family) {
  return {.family = family, .engine = Engine::postgresql};
}

std::optional<std::string_view> fit(const std::string& declared, Value& value) {
  return dialect().fit(type_of(declared, Strictness::ordinary), value);
}

std::string describe(const Value& value) {
  return to_text(value);
}

}  // namespace

TEST_CASE("affinities are SQLite's own") {
  sqlite3* database = nullptr;
  sqlite3_open(":memory:", &database);
  auto types = declared_types();
  for (const auto* more : {"CHARINT",
                           "FLOATING POINT",
                           "POINT",
                           "BLOB REAL",
                           "REAL BLOB",
                           "TEXT BLOB",
                           "BLOB TEXT",
                           "clob",
                           "double",
                           "Character Varying(20)",
                           "INTERVAL",
                           "TIMESTAMP WITH TIME ZONE",
                           "STRING",
                           "\"odd \"\"type\"",
                           "unsigned big int",
                           "REALFLOAT",
                           "\"5\"",
                           "FLOA",
                           "DOUB",
                           "\"RE AL\""}) {
    types.emplace_back(more);
  }
  for (const auto& type : types) {
    CAPTURE(type);
    const auto sql = fmt::format(
        "DROP TABLE IF EXISTS t; CREATE TABLE t(a {}); INSERT INTO t VALUES ('5.0'), (5), (5.5)",
        type);
    REQUIRE(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    std::string seen;
    sqlite3_exec(
        database, "SELECT typeof(a) FROM t ORDER BY rowid",
        [](void* to, int, char** cells, char**) {
          *static_cast<std::string*>(to) += cells[0] + " "s;
          return 0;
        },
        &seen, nullptr);
    std::string expected;
    switch (affinity_of(type)) {
      case Affinity::blob:
        expected = "text integer real ";
        break;
      case Affinity::text:
        expected = "text text text ";
        break;
      case Affinity::real:
        expected = "real real real ";
        break;
      case Affinity::numeric:
      case Affinity::integer:
        expected = "integer integer real ";
        break;
    }
    CHECK(seen == expected);
  }
  sqlite3_close(database);
}

TEST_CASE("what fit lets pass comes back from the column as the same value") {
  Columns columns;
  std::size_t passed = 0;
  std::size_t refused = 0;
  const auto check = [&](std::size_t i, const Type& type, Value value) {
    CAPTURE(declared_types()[i]);
    CAPTURE(name_of(type.family));
    CAPTURE(describe(value));
    if (const auto reason = fit(declared_types()[i], value)) {
      CHECK_FALSE(reason->empty());
      ++refused;
      return;
    }
    CAPTURE(describe(value));
    std::string scratch;
    const auto cell = dialect().encode(type, value, scratch);
    CHECK(describe(columns.through(i, type, cell)) == describe(value));
    ++passed;
  };
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    for (const auto family : families()) {
      for (const auto& [storage, bytes] : cells()) {
        check(i, logical(family), decoded(logical(family), {storage, bytes}));
      }
    }
    for (const auto& [family, value] : foreign_values()) {
      check(i, logical(family), value);
    }
  }
  CHECK(passed > 10000);
  CHECK(refused > 1000);
}

TEST_CASE("fit refuses only what the column would really alter") {
  Columns columns;
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    for (const auto family : families()) {
      for (const auto& [storage, bytes] : cells()) {
        const auto type = logical(family);
        auto value = decoded(type, {storage, bytes});
        const auto before = value;
        const auto reason = fit(declared_types()[i], value);
        if (!reason) {
          continue;
        }
        CAPTURE(declared_types()[i]);
        CAPTURE(name_of(family));
        CAPTURE(describe(before));
        std::string scratch;
        const auto cell = dialect().encode(type, before, scratch);
        // Seen as what is stored: a column of family real takes integers for reals again.
        const auto stored = columns.through(i, logical(Family::dynamic), cell);
        const bool altered = stored != decoded(logical(Family::dynamic), cell);
        CHECK(altered);
      }
    }
  }
}

TEST_CASE("a column keeps every cell that it can hold when it is copied to one of the same type") {
  // SQLite to SQLite: what a column of a declared type holds is decoded, fitted, encoded, and the
  // same cell again.
  Columns columns;
  for (std::size_t i = 0; i < declared_types().size(); ++i) {
    const auto type = type_of(declared_types()[i], Strictness::ordinary);
    for (const auto& [storage, bytes] : cells()) {
      CAPTURE(declared_types()[i]);
      const auto held = columns.through(i, type, {storage, bytes});
      CAPTURE(describe(held));
      auto fitted = held;
      CHECK_FALSE(fit(declared_types()[i], fitted));
      CHECK(describe(fitted) == describe(held));
      std::string scratch;
      CHECK(describe(columns.through(i, type, dialect().encode(type, fitted, scratch))) ==
            describe(held));
    }
  }
}

TEST_CASE("every value of a PostgreSQL column fits the column that is declared for it") {
  for (const auto& [family, value] : foreign_values()) {
    const auto type = logical(family);
    CAPTURE(describe(value));
    auto fitted = value;
    CHECK_FALSE(dialect().fit(type_of(dialect().column_type(type), Strictness::ordinary), fitted));
    CHECK(describe(fitted) == describe(value));
    // also where the column's type is still PostgreSQL's
    CHECK_FALSE(dialect().fit(type, fitted));
    CHECK(describe(fitted) == describe(value));
  }
}

TEST_CASE("fit names what is wrong") {
  const auto reason = [](const std::string& declared, Value value) {
    return fit(declared, value).value_or("fits");
  };
  CHECK(reason("INTEGER", {Kind::text, "007"}) == kAltered);
  CHECK(reason("NUMERIC", {Kind::text, "007"}) == kAltered);
  CHECK(reason("TEXT", {Kind::text, "007"}) == "fits");
  CHECK(reason("", {Kind::text, "007"}) == "fits");
  CHECK(reason("REAL", {Kind::real, "-0"}) == kAltered);
  CHECK(reason("", {Kind::real, "-0"}) == "fits");
  CHECK(reason("REAL", {Kind::real, "1"}) == "fits");
  CHECK(reason("INTEGER", {Kind::real, "1"}) == kAltered);
  CHECK(reason("INTEGER", {Kind::real, "1.5"}) == "fits");
  CHECK(reason("INTEGER", {Kind::integer, "9223372036854775808"}) == "out of range");
  CHECK(reason("INTEGER", {Kind::integer, "1.5"}) == "not an integer");
  CHECK(reason("", {Kind::integer, "007"}) == "not an integer");
  CHECK(reason("", {Kind::real, "five"}) == "not a number");
  CHECK(reason("TEXT", {Kind::boolean, "t"}) == kAltered);
  CHECK(reason("NUMERIC", {Kind::decimal, "1234567890123456.5"}) == "would be rounded");
  CHECK(reason("TEXT", {Kind::decimal, "1234567890123456.5"}) == "fits");
}

TEST_CASE("a decimal becomes the same number in a column that makes numbers of texts") {
  const auto fitted = [](const std::string& declared, const std::string& bytes) {
    Value value(Kind::decimal, bytes);
    CHECK_FALSE(fit(declared, value));
    return describe(value);
  };
  CHECK(fitted("DECIMAL(10,2)", "1.00") == "integer:1");
  CHECK(fitted("DECIMAL(10,2)", "12.50") == "real:12.5");
  CHECK(fitted("NUMERIC", "100000000000000000000") == "real:1e+20");
  CHECK(fitted("NUMERIC", "NaN") == "decimal:NaN");
  CHECK(fitted("REAL", "1.00") == "real:1");
  CHECK(fitted("TEXT", "1.00") == "decimal:1.00");
  CHECK(fitted("", "1.00") == "decimal:1.00");
}

TEST_CASE("cells are decoded by the column's family, and by what they are where that differs") {
  const auto text_of = [](Family family, Storage storage, const std::string& bytes) {
    return describe(decoded(logical(family), {storage, bytes}));
  };
  CHECK(text_of(Family::boolean, Storage::integer, "1") == "boolean:t");
  CHECK(text_of(Family::boolean, Storage::integer, "0") == "boolean:f");
  CHECK(text_of(Family::boolean, Storage::integer, "2") == "integer:2");
  CHECK(text_of(Family::boolean, Storage::text, "t") == "text:t");
  CHECK(text_of(Family::integer, Storage::integer, "5") == "integer:5");
  CHECK(text_of(Family::integer, Storage::real, "5.5") == "real:5.5");
  CHECK(text_of(Family::integer, Storage::text, "5") == "text:5");
  CHECK(text_of(Family::real, Storage::integer, "100000") == "real:1e+05");
  CHECK(text_of(Family::real, Storage::integer, "9007199254740993") == "integer:9007199254740993");
  CHECK(text_of(Family::real, Storage::text, "NaN") == "real:NaN");
  CHECK(text_of(Family::real, Storage::text, "five") == "text:five");
  CHECK(text_of(Family::decimal, Storage::text, "1.00") == "decimal:1.00");
  CHECK(text_of(Family::decimal, Storage::text, "1,00") == "text:1,00");
  CHECK(text_of(Family::decimal, Storage::integer, "1") == "integer:1");
  CHECK(text_of(Family::decimal, Storage::real, "1.5") == "real:1.5");
  CHECK(text_of(Family::date, Storage::text, "2020-02-29") == "date:2020-02-29");
  CHECK(text_of(Family::date, Storage::text, "29.2.2020") == "text:29.2.2020");
  CHECK(text_of(Family::time, Storage::text, "12:00:00") == "time:12:00:00");
  CHECK(text_of(Family::timestamp, Storage::text, "2020-02-29 12:00:00") ==
        "timestamp:2020-02-29 12:00:00");
  CHECK(text_of(Family::timestamptz, Storage::text, "2020-02-29 12:00:00+00") ==
        "timestamptz:2020-02-29 12:00:00+00");
  CHECK(text_of(Family::timestamptz, Storage::text, "2020-02-29 12:00:00") ==
        "text:2020-02-29 12:00:00");
  CHECK(text_of(Family::timestamp, Storage::integer, "1582934400") == "integer:1582934400");
  CHECK(text_of(Family::uuid, Storage::text, "01234567-89ab-cdef-0123-456789abcdef") ==
        "uuid:01234567-89ab-cdef-0123-456789abcdef");
  CHECK(text_of(Family::json, Storage::text, "{}") == "json:{}");
  CHECK(text_of(Family::other, Storage::text, "{1}") == "other:{1}");
  CHECK(text_of(Family::bytes, Storage::blob, "x") == "bytes:78");
  CHECK(text_of(Family::bytes, Storage::text, "x") == "text:x");
  CHECK(text_of(Family::text, Storage::blob, "x") == "bytes:78");
  CHECK(text_of(Family::dynamic, Storage::text, "2020-02-29") == "text:2020-02-29");
  CHECK(text_of(Family::text, Storage::null, "") == "null:");
}

TEST_CASE("columns are declared so that no value is altered") {
  const auto declared = [](Family family) { return dialect().column_type(logical(family)); };
  CHECK(declared(Family::integer) == "INTEGER");
  CHECK(declared(Family::boolean) == "BOOLEAN");
  CHECK(declared(Family::bytes) == "BLOB");
  CHECK(declared(Family::real).empty());
  CHECK(declared(Family::dynamic).empty());
  for (const auto family :
       {Family::decimal, Family::text, Family::date, Family::time, Family::timestamp,
        Family::timestamptz, Family::uuid, Family::json, Family::other}) {
    CHECK(declared(family) == "TEXT");
  }
  CHECK(dialect().column_type(text_type()) == "TEXT");
  CHECK(dialect().column_type({.family = Family::text, .native = "mood", .labels = {"a"}}) ==
        "TEXT");
  for (const auto& native : declared_types()) {
    CHECK(dialect().column_type(type_of(native, Strictness::ordinary)) == native);
  }
}

TEST_CASE("tables have no schema, and those of the bookkeeping a prefix") {
  CHECK(dialect().engine() == Engine::sqlite);
  CHECK(dialect().table("public", "a\"b") == "\"a\"\"b\"");
  CHECK(dialect().own_table("abgleich_07", "run") == "\"abgleich_07_run\"");
  CHECK(dialect().select_expression("t.\"a\"", text_type()) == "t.\"a\"");
}
