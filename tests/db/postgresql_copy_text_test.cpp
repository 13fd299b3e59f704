#include "db/postgresql/copy_text.hpp"
#include "db/postgresql/postgresql.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace abgleich;
using namespace abgleich::db;

namespace {

std::string line_of(const std::vector<Cell>& cells) {
  std::string line;
  postgresql::append_copy_line(cells, line);
  return line;
}

Type postgresql_type(Family family, std::string native) {
  Type type;
  type.family = family;
  type.native = std::move(native);
  return type;
}

Type sqlite_type(Family family, std::string native) {
  auto type = postgresql_type(family, std::move(native));
  type.engine = Engine::sqlite;
  return type;
}

}  // namespace

TEST_CASE("a line of COPY escapes what has a meaning in it") {
  CHECK(line_of({text_cell("a"), Cell{}, text_cell("")}) == "a\t\\N\t\n");
  CHECK(line_of({text_cell("\\N\t\n\r\\.")}) == "\\\\N\\t\\n\\r\\\\.\n");
  CHECK(line_of({{Cell::Storage::blob, std::string_view("\0\xab", 2)}}) == "\\\\x00ab\n");
}

TEST_CASE("splitting a line of COPY undoes its escapes") {
  std::string line = "a\t\\N\t\tx\\ty\\\\N\t\\b\\f\\n\\r\\t\\v\\\\\n";
  std::vector<Cell> cells;
  postgresql::split_copy_line(line, cells);
  REQUIRE(cells.size() == 5);
  CHECK(cells[0].bytes == "a");
  CHECK(cells[1].storage == Cell::Storage::null);
  CHECK(cells[2].storage == Cell::Storage::text);
  CHECK(cells[2].bytes.empty());
  CHECK(cells[3].bytes == "x\ty\\N");
  CHECK(cells[4].bytes == "\b\f\n\r\t\v\\");
  std::string empty = "\n";
  postgresql::split_copy_line(empty, cells);
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].bytes.empty());
}

TEST_CASE("identifiers are quoted whatever they hold") {
  const auto& dialect = postgresql::dialect();
  CHECK(dialect.quote("select") == "\"select\"");
  CHECK(dialect.quote("a\"b") == "\"a\"\"b\"");
  CHECK(dialect.table("öff entlich", "\"") == "\"öff entlich\".\"\"\"\"");
  CHECK(dialect.own_table("abgleich_07", "run") == "abgleich_07.\"run\"");
}

TEST_CASE("a column of the secondary is declared so that it holds the primary's values") {
  const auto& dialect = postgresql::dialect();
  const auto keep = [&](Family family, const char* native) {
    return dialect.column_type(postgresql_type(family, native));
  };
  CHECK(keep(Family::text, "character varying(64)") == "character varying(64)");
  CHECK(keep(Family::decimal, "numeric(10,2)") == "numeric(10,2)");
  CHECK(keep(Family::other, "integer[]") == "integer[]");
  CHECK(keep(Family::real, "real") == "real");
  // Types that the secondary need not have.
  CHECK(keep(Family::other, "public.mood[]") == "text");
  CHECK(keep(Family::other, "public.geometry(Point,4326)") == "text");
  CHECK(keep(Family::other, "regclass") == "text");
  auto mood = postgresql_type(Family::text, "public.mood");
  mood.labels = {"ok"};
  CHECK(dialect.column_type(mood) == "text");

  CHECK(dialect.column_type(sqlite_type(Family::integer, "INT")) == "bigint");
  CHECK(dialect.column_type(sqlite_type(Family::text, "VARCHAR(3)")) == "text");
  CHECK(dialect.column_type(sqlite_type(Family::dynamic, "")) == "text");
  CHECK(dialect.column_type(sqlite_type(Family::json, "JSON")) == "json");
  CHECK(dialect.column_type(sqlite_type(Family::decimal, "DECIMAL(10,2)")) == "numeric");
  CHECK(dialect.column_type(text_type()) == "text");
}
