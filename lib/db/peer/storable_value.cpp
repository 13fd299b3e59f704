#include "db/peer/storable_value.hpp"

#include "db/engine/real.hpp"
#include "db/sqlite/text_forms.hpp"

#include <cmath>

namespace abgleich::db {

namespace {

using sqlite::Affinity;

bool makes_number(Affinity column) {
  return column != Affinity::blob && column != Affinity::text;
}

bool is_kept_integer(Affinity column, std::string_view text) {
  return column != Affinity::text && column != Affinity::real && sqlite::is_integer(text) &&
         sqlite::integer_from(text);
}

bool is_kept_real(Affinity column, std::string_view text) {
  constexpr double kLimit = 9223372036854775808.0;  // 2^63
  std::string scratch;
  const auto number = real_from(text);
  if (!number || std::isnan(*number) || canonical_real(*number, scratch) != text) {
    return false;
  }
  switch (column) {
    case Affinity::blob:
      return true;
    case Affinity::text:
      return false;
    case Affinity::real:  // stores whole numbers as integers, which have no negative zero
      return *number != 0 || !std::signbit(*number);
    case Affinity::numeric:
    case Affinity::integer:
      break;
  }
  // a whole number of at most 64 bits would become an integer
  return std::trunc(*number) != *number || *number <= -kLimit || *number >= kLimit;
}

}  // namespace

bool is_kept(Affinity column, const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return value.bytes().empty();
    case Kind::bytes:
      return true;
    case Kind::integer:
      return is_kept_integer(column, value.bytes());
    case Kind::real:
      return is_kept_real(column, value.bytes());
    case Kind::text:
      return is_utf8(value.bytes()) &&
             !(makes_number(column) && sqlite::reads_as_number(value.bytes()));
    default:
      return false;
  }
}

Cell stored_cell(const Value& value) {
  switch (value.kind()) {
    case Kind::null:
      return {};
    case Kind::integer:
      return {Cell::Storage::integer, value.bytes()};
    case Kind::real:
      return {Cell::Storage::real, value.bytes()};
    case Kind::bytes:
      return {Cell::Storage::blob, value.bytes()};
    default:
      return text_cell(value.bytes());
  }
}

bool read_stored(const Cell& cell, Value& value) {
  switch (cell.storage) {
    case Cell::Storage::null:
      value.set_null();
      return true;
    case Cell::Storage::integer:
      value.set(Kind::integer, cell.bytes);
      return true;
    case Cell::Storage::real:
      value.set(Kind::real, cell.bytes);
      return true;
    case Cell::Storage::blob:
      value.set(Kind::bytes, cell.bytes);
      return true;
    case Cell::Storage::text:
      value.set(Kind::text, cell.bytes);
      return is_utf8(cell.bytes);
  }
  return false;
}

}  // namespace abgleich::db
