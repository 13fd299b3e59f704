#include "core/value.hpp"
#include "db/engine/real.hpp"
#include "db/postgresql/column_types.hpp"
#include "db/postgresql/copy_text.hpp"
#include "db/postgresql/datetime.hpp"
#include "db/postgresql/decimal.hpp"
#include "db/postgresql/fit.hpp"
#include "db/postgresql/hex.hpp"
#include "db/postgresql/json_text.hpp"
#include "db/sqlite/declared_type.hpp"
#include "db/sqlite/text_forms.hpp"
#include "db/sqlite/utf16.hpp"
#include "fuzz/parser.hpp"
#include "mask/calendar.hpp"
#include "mask/generalise.hpp"
#include "mask/normalise.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>

namespace abgleich::fuzz {

namespace {

namespace pg = db::postgresql;
namespace lite = db::sqlite;

Outcome outcome(bool understood) {
  return understood ? Outcome::understood : Outcome::refused;
}

/// A canonical form is its own canonical form.
template <class Canonical>
Outcome take_canonical(std::string_view bytes, const Canonical& canonical) {
  std::string text(bytes);
  if (canonical(text)) {
    return Outcome::refused;
  }
  auto again = text;
  promise(!canonical(again), "a canonical form is refused");
  promise(again == text, "a canonical form is changed");
  return Outcome::understood;
}

Outcome take_date(std::string_view bytes) {
  const auto said =
      take_canonical(bytes, [](std::string& text) { return pg::canonical_date(text); });
  std::string text(bytes);
  if (lite::is_date(bytes)) {
    promise(said == Outcome::refused || (!pg::canonical_date(text) && text == bytes),
            "SQLite's canonical date is none for PostgreSQL");
  }
  return said;
}

Outcome take_time(std::string_view bytes) {
  auto said = Outcome::refused;
  for (const auto zone : {pg::Zone::none, pg::Zone::kept}) {
    for (const int digits : {0, 3, 6}) {
      if (take_canonical(bytes, [&](std::string& text) {
            return pg::canonical_time(text, digits, zone);
          }) == Outcome::understood) {
        said = Outcome::understood;
      }
    }
  }
  static_cast<void>(lite::is_time(bytes));
  return said;
}

Outcome take_timestamp(std::string_view bytes) {
  auto said = Outcome::refused;
  for (const auto zone : {pg::Zone::none, pg::Zone::utc}) {
    for (const int digits : {0, 3, 6}) {
      if (take_canonical(bytes, [&](std::string& text) {
            return pg::canonical_timestamp(text, digits, zone);
          }) == Outcome::understood) {
        said = Outcome::understood;
      }
    }
  }
  static_cast<void>(lite::is_timestamp(bytes));
  static_cast<void>(lite::is_timestamptz(bytes));
  return said;
}

Outcome take_decimal(std::string_view bytes) {
  const auto number = pg::decimal_from(bytes);
  promise(number || !lite::is_integer(bytes), "an integer is no decimal");
  if (!number) {
    return Outcome::refused;
  }
  const auto text = number->text();
  const auto again = pg::decimal_from(text);
  promise(again && again->same_number(*number) && again->text() == text,
          "a decimal is another number after it was printed");
  promise(!lite::is_integer(bytes) || text == bytes, "an integer is printed otherwise");
  promise(lite::is_decimal(text), "PostgreSQL's decimal is none for SQLite");
  return Outcome::understood;
}

Outcome take_real(std::string_view bytes) {
  std::string scratch;
  const auto view = db::canonical_real(bytes, scratch);
  const auto number = db::real_from(bytes);
  promise(view.empty() == !number.has_value(), "canonical_real and real_from disagree");
  if (view.empty()) {
    return Outcome::refused;
  }
  const std::string text(view);
  const auto again = db::real_from(text);
  promise(again && (*again == *number || (std::isnan(*again) && std::isnan(*number))) &&
              std::signbit(*again) == std::signbit(*number),
          "a real is another number after it was printed");
  promise(db::canonical_real(text, scratch) == text, "a canonical real is changed");
  return Outcome::understood;
}

Outcome take_json(std::string_view bytes) {
  if (!is_utf8(bytes)) {
    return Outcome::refused;
  }
  const auto form = pg::json_form(bytes);
  // ours is the more lenient: what RFC 8259 allows is no error; to theirs, NUL is the end
  const bool nul = bytes.find('\0') != std::string_view::npos;
  promise(form == pg::JsonForm::invalid || !nul, "NUL in JSON is taken");
  promise(form != pg::JsonForm::invalid || nul || bytes.size() > pg::kMostJsonDepth ||
              !nlohmann::json::accept(bytes),
          "valid JSON is refused");
  return outcome(form != pg::JsonForm::invalid);
}

Outcome take_copy_line(std::string_view bytes) {
  std::string line(bytes);
  std::vector<db::Cell> cells;
  pg::split_copy_line(line, cells);
  promise(!cells.empty(), "a line without a field");
  for (const auto& cell : cells) {
    promise(
        cell.bytes.empty() || (cell.bytes.data() >= line.data() &&
                               cell.bytes.data() + cell.bytes.size() <= line.data() + line.size()),
        "a field outside its line");
  }
  std::string written;
  pg::append_copy_line(cells, written);
  std::string copy = written;
  std::vector<db::Cell> again;
  pg::split_copy_line(copy, again);
  promise(again.size() == cells.size(), "another number of fields after they were written");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    promise(again[i].storage == cells[i].storage && again[i].bytes == cells[i].bytes,
            "a field is another one after it was written");
  }
  return Outcome::understood;
}

Outcome take_hex(std::string_view bytes) {
  std::string raw;
  std::string text;
  pg::append_hex(bytes, text);
  promise(pg::bytes_from_hex(text, raw) && raw == bytes,
          "bytes are others after they were written");
  if (!pg::bytes_from_hex(bytes, raw)) {
    return Outcome::refused;
  }
  text.clear();
  pg::append_hex(raw, text);
  promise(text.size() == bytes.size(), "hexadecimal of another length");
  return Outcome::understood;
}

/// Whatever the column and the value: it is taken as it then stays, or refused.
Outcome take_fit(std::string_view bytes) {
  static const std::array<Type, 12> kColumns{
      pg::type_from({.name = "bool", .native = "boolean"}),
      pg::type_from({.name = "int2", .native = "smallint"}),
      pg::type_from({.name = "int8", .native = "bigint"}),
      pg::type_from({.name = "numeric", .native = "numeric(10,2)", .modifier = (10 << 16) + 2 + 4}),
      pg::type_from({.name = "float4", .native = "real"}),
      pg::type_from({.name = "varchar", .native = "character varying(5)", .modifier = 9}),
      pg::type_from({.name = "bpchar", .native = "character(5)", .modifier = 9}),
      pg::type_from({.name = "date", .native = "date"}),
      pg::type_from({.name = "timetz", .native = "time with time zone"}),
      pg::type_from({.name = "timestamptz", .native = "timestamp with time zone"}),
      pg::type_from({.name = "uuid", .native = "uuid"}),
      pg::type_from({.name = "jsonb", .native = "jsonb"})};
  constexpr int kKinds = 14;
  if (bytes.size() < 2) {
    return Outcome::refused;
  }
  const auto& column = kColumns.at(static_cast<unsigned char>(bytes[0]) % kColumns.size());
  const auto kind = static_cast<Kind>(static_cast<unsigned char>(bytes[1]) % kKinds);
  Value value(kind, kind == Kind::null ? "" : std::string(bytes.substr(2)));
  if (pg::fit(column, value)) {
    return Outcome::refused;
  }
  auto again = value;
  promise(!pg::fit(column, again), "what was taken is refused");
  promise(again == value, "what was taken is changed");
  return Outcome::understood;
}

Outcome take_declared_type(std::string_view bytes) {
  for (const auto strictness : {lite::Strictness::ordinary, lite::Strictness::strict}) {
    const auto type = lite::type_of(bytes, strictness);
    promise(lite::type_of(bytes, strictness) == type, "a type that changes");
    static_cast<void>(lite::affinity_of(type.native));
  }
  return Outcome::understood;
}

Outcome take_utf16(std::string_view bytes) {
  std::u16string text;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    text += static_cast<char16_t>(static_cast<unsigned char>(bytes[i]) |
                                  static_cast<unsigned char>(bytes[i + 1]) << 8U);
  }
  std::string out;
  lite::append_utf8(text, out);
  bool paired = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool high = (text[i] & 0xfc00U) == 0xd800U;
    if (high && i + 1 < text.size() && (text[i + 1] & 0xfc00U) == 0xdc00U) {
      ++i;
    } else if ((text[i] & 0xf800U) == 0xd800U) {
      paired = false;
    }
  }
  promise(is_utf8(out) == paired, "malformed UTF-16 passes for good UTF-8, or good for malformed");
  promise(!lite::survives_utf16(bytes) || is_utf8(bytes), "malformed UTF-8 survives UTF-16");
  return outcome(paired);
}

Outcome take_normalised(std::string_view bytes) {
  if (!is_utf8(bytes)) {
    return Outcome::refused;
  }
  mask::NormaliseScratch scratch;
  auto said = Outcome::refused;
  for (const auto normaliser :
       {contract::Normaliser::none, contract::Normaliser::text, contract::Normaliser::name,
        contract::Normaliser::email, contract::Normaliser::phone}) {
    std::string once;
    if (mask::normalise(normaliser, bytes, once, scratch)) {
      continue;
    }
    said = Outcome::understood;
    promise(is_utf8(once), "a normal form is no UTF-8");
    std::string twice;
    promise(!mask::normalise(normaliser, once, twice, scratch), "a normal form is refused");
    promise(twice == once, "a normal form has another normal form");
  }
  return said;
}

Outcome take_day(std::string_view bytes) {
  mask::Date date;
  const bool dated = !mask::read_date(bytes, date);
  promise(!dated || (date.year >= 1 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
                     date.day <= 31),
          "a day that does not exist");
  if (dated) {
    const auto week = mask::week_of(date).week;
    promise(week >= 1 && week <= 53, "a week that does not exist");
  }
  return outcome(dated);
}

Outcome take_prefix(std::string_view bytes) {
  if (!is_utf8(bytes)) {
    return Outcome::refused;
  }
  const auto first = mask::first_characters(bytes, 2);
  promise(bytes.starts_with(first) && is_utf8(first), "the first characters are others");
  promise(bytes.empty() == first.empty(), "no characters of many");
  return Outcome::understood;
}

}  // namespace

std::vector<Parser> value_parsers() {
  return {
      {"date", {"2020-02-29", "0044-03-15 BC", "infinity", "5874897-12-31"}, take_date},
      {"time", {"23:59:59.123456", "24:00", "12:30:00+05:30", "00:00:00Z"}, take_time},
      {"timestamp",
       {"2020-02-29 23:59:59.5", "2020-02-29T12:00:00+02", "0044-03-15 12:00:00 BC",
        "294276-12-31 23:59:59.999999+00"},
       take_timestamp},
      {"decimal",
       {"-12.50", "1e10", "0.000", "+.5", "123456789012345678901234567890"},
       take_decimal},
      {"real", {"0.1", "1e+22", "-0", "NaN", "-Infinity", "5e-324"}, take_real},
      {"json",
       {R"({"a": 1, "b": [true, null, "ä\u0041"], "c": {"d": -1.50e3}})", R"("\ud83d\ude00")"},
       take_json},
      {"copy-line", {"1\t\\N\ta\\tb\\\\c\t\\x00ff\t\n", "\\N"}, take_copy_line},
      {"hex", {"\\x", "\\x00ff10"}, take_hex},
      {"fit",
       {std::string("\0\x01t", 3),
        "\x01\x02"
        "12",
        "\x03\x03"
        "1.5",
        "\x07\x07"
        "2020-02-29",
        "\x09\x0a"
        "2020-02-29 12:00:00+00",
        "\x0b\x0c{\"a\": 1}",
        "\x06\x05"
        "abc  "},
       take_fit},
      {"declared-type",
       {"VARCHAR(64)", "DECIMAL(10,2)", "TIMESTAMP WITH TIME ZONE", "INTEGER", ""},
       take_declared_type},
      {"utf-16", {std::string("a\0\x3d\xd8\x00\xde", 6)}, take_utf16},
      {"normalised",
       {"+49 (0) 30 / 123-456", "Änne  STRASSE", "A.b@Example.org", "ﬁ İ ẞ"},
       take_normalised},
      {"day", {"2020-02-29", "2020-02-29T23:59:59Z"}, take_day},
      {"prefix", {"e\u0301a\u0308", "👩‍👩‍👧x", "🇩🇪🇫🇷"}, take_prefix},
  };
}

}  // namespace abgleich::fuzz
