#include "db/sqlite/text_forms.hpp"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace abgleich::db::sqlite;

namespace {

/// What SQLite makes of a text in a column of numeric affinity.
class Numeric {
 public:
  Numeric() {
    sqlite3_open(":memory:", &database_);
    sqlite3_exec(database_, "CREATE TABLE t(a NUMERIC)", nullptr, nullptr, nullptr);
    sqlite3_prepare_v2(database_, "INSERT INTO t VALUES ($1) RETURNING typeof(a)", -1, &statement_,
                       nullptr);
  }
  Numeric(const Numeric&) = delete;
  Numeric& operator=(const Numeric&) = delete;
  ~Numeric() {
    sqlite3_finalize(statement_);
    sqlite3_close(database_);
  }

  bool makes_number_of(std::string_view text) {
    sqlite3_bind_text(statement_, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
    REQUIRE(sqlite3_step(statement_) == SQLITE_ROW);
    const std::string type = reinterpret_cast<const char*>(sqlite3_column_text(statement_, 0));
    sqlite3_reset(statement_);
    return type != "text";
  }

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace

TEST_CASE("whether a text reads as a number is answered as SQLite answers it") {
  Numeric numeric;
  std::vector<std::string> texts{"007",
                                 "1e5",
                                 "1e400",
                                 "0x10",
                                 "NaN",
                                 "inf",
                                 "1_000",
                                 "2020-01-01",
                                 "\xc2\xa0"
                                 "5",
                                 "Infinity",
                                 "1e-400"};
  texts.push_back(std::string("5\0", 2));
  texts.push_back(std::string(400, '9'));
  // every text of up to five of these
  constexpr std::string_view kAlphabet = "05+-.eE \n\vx";
  std::vector<std::string> level{""};
  for (int length = 0; length < 5; ++length) {
    std::vector<std::string> next;
    for (const auto& text : level) {
      for (const char c : kAlphabet) {
        next.push_back(text + c);
      }
    }
    texts.insert(texts.end(), level.begin(), level.end());
    level = std::move(next);
  }
  texts.insert(texts.end(), level.begin(), level.end());
  std::int64_t wrong = 0;
  std::string example;
  for (const auto& text : texts) {
    if (reads_as_number(text) != numeric.makes_number_of(text)) {
      ++wrong;
      example = text;
    }
  }
  CAPTURE(example);
  CHECK(wrong == 0);
  CHECK(texts.size() > 150000);
}

TEST_CASE("canonical decimals have no needless zeros in front and no sign on zero") {
  for (const std::string text : {"0", "1", "-1", "1.00", "0.10", "-0.5", "0.00",
                                 "123456789012345678901.5", "NaN", "Infinity", "-Infinity"}) {
    CAPTURE(text);
    CHECK(is_decimal(text));
  }
  for (const std::string text : {"", "-", "+1", "01", "00", "-0", "-0.0", ".5", "5.", "1e5", " 1",
                                 "1 ", "nan", "+Infinity", "--1", "1.2.3", "1,5"}) {
    CAPTURE(text);
    CHECK_FALSE(is_decimal(text));
  }
}

TEST_CASE("canonical dates are days that exist, as PostgreSQL prints them") {
  for (const std::string text :
       {"2020-02-29", "0001-01-01", "2000-02-29", "1999-12-31", "0044-03-15 BC", "0001-02-29 BC",
        "infinity", "-infinity", "10000-01-01", "5874897-12-31", "4713-01-01 BC"}) {
    CAPTURE(text);
    CHECK(is_date(text));
  }
  for (const std::string text : {"",
                                 "2021-02-29",
                                 "1900-02-29",
                                 "0000-01-01",
                                 "2020-13-01",
                                 "2020-00-01",
                                 "2020-01-00",
                                 "2020-01-32",
                                 "2020-04-31",
                                 "20-01-01",
                                 "020000-01-01",
                                 "2020-1-1",
                                 "2020-01-01 ",
                                 "2020-01-01 AD",
                                 "2020/01/01",
                                 "01.02.2020",
                                 "2020-01-01 00:00:00",
                                 "0002-02-29 BC",
                                 "+2020-01-01",
                                 "12345678-01-01",
                                 "Infinity",
                                 "2020-01-0x"}) {
    CAPTURE(text);
    CHECK_FALSE(is_date(text));
  }
}

TEST_CASE("canonical times and timestamps have no zeros at the end of their fraction") {
  for (const std::string text : {"00:00:00", "23:59:59.999999", "24:00:00", "12:30:00.5",
                                 "01:02:03+02", "01:02:03-03:30", "01:02:03.25+00:00:01"}) {
    CAPTURE(text);
    CHECK(is_time(text));
  }
  for (const std::string text :
       {"", "1:02:03", "01:02", "24:00:01", "25:00:00", "01:60:00", "01:00:60", "01:02:03.",
        "01:02:03.50", "01:02:03.1234567", "01:02:03+2", "01:02:03+02:00", "01:02:03Z",
        "24:00:00.1", "01:02:03+16"}) {
    CAPTURE(text);
    CHECK_FALSE(is_time(text));
  }
  for (const std::string text : {"2020-02-29 23:59:59.5", "0044-03-15 00:00:00 BC", "infinity",
                                 "294276-12-31 23:59:59.999999"}) {
    CAPTURE(text);
    CHECK(is_timestamp(text));
  }
  for (const std::string text :
       {"2020-02-29", "2020-02-29T00:00:00", "2020-02-30 00:00:00", "2020-02-29 24:00:00",
        "2020-02-29 00:00:00+00", "2020-02-29 00:00:00.10", "2020-02-29 00:00",
        "2020-02-29  00:00:00"}) {
    CAPTURE(text);
    CHECK_FALSE(is_timestamp(text));
  }
  for (const std::string text :
       {"2020-02-29 23:59:59.5+00", "0044-03-15 00:00:00+00 BC", "-infinity"}) {
    CAPTURE(text);
    CHECK(is_timestamptz(text));
  }
  for (const std::string text : {"2020-02-29 23:59:59.5", "2020-02-29 23:59:59+01",
                                 "2020-02-29 23:59:59Z", "2020-02-29 23:59:59+00:00"}) {
    CAPTURE(text);
    CHECK_FALSE(is_timestamptz(text));
  }
}

TEST_CASE("canonical uuids are lower case with hyphens") {
  CHECK(is_uuid("01234567-89ab-cdef-0123-456789abcdef"));
  for (const std::string text :
       {"", "01234567-89AB-cdef-0123-456789abcdef", "0123456789abcdef0123456789abcdef",
        "{01234567-89ab-cdef-0123-456789abcdef}", "01234567-89ab-cdef-0123-456789abcdeg",
        "01234567+89ab-cdef-0123-456789abcdef", "01234567-89ab-cdef-0123-456789abcde-"}) {
    CAPTURE(text);
    CHECK_FALSE(is_uuid(text));
  }
}
