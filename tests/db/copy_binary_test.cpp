#include "db/postgresql/copy_binary.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace abgleich::db;
using namespace abgleich::db::postgresql;
using namespace std::string_literals;

namespace {

std::string one(std::string_view text, BinaryForm form) {
  const Cell cell = text_cell(text);
  std::string out = "before";
  const bool appended = append_binary_row({&cell, 1}, {&form, 1}, out);
  return appended ? out.substr(6) : out == "before" ? "refused" : "left something behind";
}

}  // namespace

// PostgreSQL manual, COPY, "Binary Format"; the forms are those of each type's send function.
TEST_CASE("binary COPY: header, rows and trailer are those of the manual") {
  std::string out;
  append_binary_header(out);
  CHECK(out == "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"s);
  out.clear();
  append_binary_trailer(out);
  CHECK(out == "\377\377");
  out.clear();
  const std::vector<Cell> row{text_cell("ab"), {}, text_cell("")};
  const std::vector<BinaryForm> forms(3, BinaryForm::text);
  CHECK(append_binary_row(row, forms, out));
  CHECK(out == "\0\3\0\0\0\2ab\377\377\377\377\0\0\0\0"s);
}

TEST_CASE("binary COPY: each form") {
  CHECK(one("t", BinaryForm::boolean) == "\0\1\0\0\0\1\1"s);
  CHECK(one("f", BinaryForm::boolean) == "\0\1\0\0\0\1\0"s);
  CHECK(one("-2", BinaryForm::int2) == "\0\1\0\0\0\2\377\376"s);
  CHECK(one("258", BinaryForm::int4) == "\0\1\0\0\0\4\0\0\1\2"s);
  CHECK(one("-9223372036854775808", BinaryForm::int8) == "\0\1\0\0\0\10\200\0\0\0\0\0\0\0"s);
  CHECK(one("00010203-0405-0607-0809-0a0b0c0dFEff", BinaryForm::uuid) ==
        "\0\1\0\0\0\20\0\1\2\3\4\5\6\7\10\11\12\13\14\15\376\377"s);
}

TEST_CASE("binary COPY: what is not of its form is refused whole") {
  for (const std::string text : {"", "yes", "T"}) {
    CHECK(one(text, BinaryForm::boolean) == "refused");
  }
  for (const std::string text : {"", "1x", "+1", " 1", "32768", "1.0"}) {
    CHECK(one(text, BinaryForm::int2) == "refused");
  }
  CHECK(one("2147483648", BinaryForm::int4) == "refused");
  CHECK(one("9223372036854775808", BinaryForm::int8) == "refused");
  for (const std::string text :
       {"", "0001", "00010203-0405-0607-0809-0a0b0c0d0e0", "00010203-0405-0607-0809-0a0b0c0d0e0f0",
        "g0010203-0405-0607-0809-0a0b0c0d0e0f"}) {
    CHECK(one(text, BinaryForm::uuid) == "refused");
  }
  for (const std::string text : {"", "-", ".5", "5.", "1e5", "NaN", "Infinity", "--1", "1.2.3"}) {
    CHECK(one(text, BinaryForm::numeric) == "refused");
  }
  for (const std::string text : {"", "-", "NaN", "Infinity", "-inf", "+1", "1e999", "1x"}) {
    CHECK(one(text, BinaryForm::float8) == "refused");
  }
  for (const std::string text : {"", "2020-02-30", "2021-02-29", "0000-01-01", "20200229",
                                 "10000-01-01", "0044-03-15 BC", "infinity", "2020-1-1"}) {
    CHECK(one(text, BinaryForm::date) == "refused");
    CHECK(one(text + " 00:00:00", BinaryForm::timestamp) == "refused");
  }
  for (const std::string text :
       {"2020-02-29", "2020-02-29 24:00:00", "2020-02-29 23:60:00", "2020-02-29 23:59:60",
        "2020-02-29 23:59:59.", "2020-02-29 23:59:59.1234567", "2020-02-29 23:59:59+01",
        "2020-02-29T23:59:59", "0044-03-15 00:00:00 BC"}) {
    CHECK(one(text, BinaryForm::timestamp) == "refused");
  }
  CHECK(!binary_form(869));  // inet
}

TEST_CASE("binary COPY: a blob goes where blobs go, and text where text goes") {
  const Cell blob{Cell::Storage::blob, "ab"};
  for (const auto form : {BinaryForm::text, BinaryForm::jsonb, BinaryForm::int4}) {
    std::string out;
    CHECK(!append_binary_row({&blob, 1}, {&form, 1}, out));
    CHECK(out.empty());
  }
  CHECK(one("ab", BinaryForm::bytes) == "refused");
  const auto form = BinaryForm::bytes;
  std::string out;
  CHECK(append_binary_row({&blob, 1}, {&form, 1}, out));
  CHECK(out == "\0\1\0\0\0\2ab"s);
}

TEST_CASE(
    "binary COPY: what is read is what was written, but for the forms that are only written") {
  std::vector<BinaryForm> forms{BinaryForm::text, BinaryForm::bytes, BinaryForm::boolean,
                                BinaryForm::int2, BinaryForm::int4,  BinaryForm::int8,
                                BinaryForm::uuid};
  const std::vector<std::vector<std::string>> rows{
      {"tab\t\\", "\0\377"s, "t", "-32768", "2147483647", "-9223372036854775808",
       "00010203-0405-0607-0809-0a0b0c0d0eff"},
      {"", "", "f", "0", "0", "0", "ffffffff-ffff-ffff-ffff-ffffffffffff"}};
  BinaryRows read(forms);
  std::vector<Cell> found;
  std::string message;
  append_binary_header(message);
  for (const auto& row : rows) {
    std::vector<Cell> cells;
    for (const auto& text : row) {
      const bool blob = forms[cells.size()] == BinaryForm::bytes;
      cells.push_back({blob ? Cell::Storage::blob : Cell::Storage::text, text});
    }
    REQUIRE(append_binary_row(cells, forms, message));
    REQUIRE(read.split(message, found) == BinaryRows::Found::row);
    REQUIRE(found.size() == row.size());
    for (std::size_t i = 0; i < row.size(); ++i) {
      CHECK(found[i].bytes == row[i]);
      CHECK((found[i].storage == Cell::Storage::blob) == (forms[i] == BinaryForm::bytes));
    }
    message.clear();
  }
  REQUIRE(append_binary_row(std::vector<Cell>(forms.size()), forms, message));
  REQUIRE(read.split(message, found) == BinaryRows::Found::row);
  for (const auto& cell : found) {
    CHECK(cell.storage == Cell::Storage::null);
  }
  for (std::size_t size = 0; size < message.size(); ++size) {
    CHECK(read.split(message.substr(0, size), found) == BinaryRows::Found::malformed);
  }
  CHECK(read.split(message + "x", found) == BinaryRows::Found::malformed);
  message.clear();
  append_binary_trailer(message);
  CHECK(read.split(message, found) == BinaryRows::Found::end);
  CHECK(BinaryRows(forms).split(message, found) == BinaryRows::Found::malformed);
  for (const auto form : forms) {
    CHECK(is_readable(form));
  }
  for (const auto form : {BinaryForm::date, BinaryForm::timestamp, BinaryForm::numeric,
                          BinaryForm::float4, BinaryForm::float8, BinaryForm::jsonb}) {
    CHECK(!is_readable(form));
  }
}
