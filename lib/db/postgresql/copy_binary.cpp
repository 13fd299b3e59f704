#include "db/postgresql/copy_binary.hpp"

#include <charconv>
#include <concepts>
#include <limits>
#include <string_view>

namespace abgleich::db::postgresql {

namespace {

using namespace std::string_view_literals;

// pg_type.dat; fixed for good
constexpr std::uint32_t kBool = 16;
constexpr std::uint32_t kBytea = 17;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt2 = 21;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kVarchar = 1043;
constexpr std::uint32_t kUuid = 2950;

constexpr std::uint32_t kNull = 0xffff'ffffU;  // in place of a length

template <std::unsigned_integral Number>
void append_number(Number number, std::string& out) {
  for (int shift = std::numeric_limits<Number>::digits - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((number >> static_cast<unsigned>(shift)) & 0xffU);
  }
}

template <std::signed_integral Number>
bool append_integer(std::string_view digits, std::string& out) {
  Number number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto [rest, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc{} || rest != end) {
    return false;
  }
  append_number(std::uint32_t{sizeof number}, out);
  append_number(static_cast<std::make_unsigned_t<Number>>(number), out);
  return true;
}

int hex_digit(char digit) {
  return digit >= '0' && digit <= '9'   ? digit - '0'
         : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                        : -1;
}

bool append_uuid(std::string_view text, std::string& out) {
  constexpr std::uint32_t kSize = 16;
  append_number(kSize, out);
  unsigned digits = 0;
  unsigned byte = 0;
  for (const char c : text) {
    if (c == '-') {
      continue;
    }
    const int digit = hex_digit(c);
    if (digit < 0) {
      return false;
    }
    byte = (byte << 4U) | static_cast<unsigned>(digit);
    if (++digits % 2 == 0) {
      out += static_cast<char>(byte & 0xffU);
    }
  }
  return digits == 2 * kSize;
}

bool append_boolean(std::string_view text, std::string& out) {
  append_number(std::uint32_t{1}, out);
  out += text == "t" ? '\1' : '\0';
  return text == "t" || text == "f";
}

bool append_cell(std::string_view bytes, BinaryForm form, std::string& out) {
  switch (form) {
    case BinaryForm::bytes:
      append_number(static_cast<std::uint32_t>(bytes.size()), out);
      out += bytes;
      return bytes.size() < std::numeric_limits<std::int32_t>::max();
    case BinaryForm::boolean:
      return append_boolean(bytes, out);
    case BinaryForm::int2:
      return append_integer<std::int16_t>(bytes, out);
    case BinaryForm::int4:
      return append_integer<std::int32_t>(bytes, out);
    case BinaryForm::int8:
      return append_integer<std::int64_t>(bytes, out);
    case BinaryForm::uuid:
      return append_uuid(bytes, out);
  }
  return false;
}

}  // namespace

std::optional<BinaryForm> binary_form(std::uint32_t type) {
  switch (type) {
    case kText:
    case kVarchar:
    case kBytea:
      return BinaryForm::bytes;
    case kBool:
      return BinaryForm::boolean;
    case kInt2:
      return BinaryForm::int2;
    case kInt4:
      return BinaryForm::int4;
    case kInt8:
      return BinaryForm::int8;
    case kUuid:
      return BinaryForm::uuid;
    default:
      return std::nullopt;
  }
}

void append_binary_header(std::string& out) {
  out += "PGCOPY\n\377\r\n\0"sv;
  append_number(std::uint32_t{0}, out);  // flags
  append_number(std::uint32_t{0}, out);  // length of what else the header has
}

bool append_binary_row(std::span<const Cell> row, std::span<const BinaryForm> forms,
                       std::string& out) {
  const auto begin = out.size();
  append_number(static_cast<std::uint16_t>(row.size()), out);
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].storage == Cell::Storage::null) {
      append_number(kNull, out);
    } else if (!append_cell(row[i].bytes, forms[i], out)) {
      out.resize(begin);
      return false;
    }
  }
  return true;
}

void append_binary_trailer(std::string& out) {
  append_number(std::uint16_t{0xffff}, out);
}

}  // namespace abgleich::db::postgresql
