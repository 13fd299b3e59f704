#include "core/value.hpp"

#include "core/error.hpp"

#include <array>
#include <cstddef>

namespace abgleich {

namespace {

constexpr std::array<std::string_view, 14> kKinds{
    "null", "boolean", "integer",   "decimal",     "real", "text", "bytes",
    "date", "time",    "timestamp", "timestamptz", "uuid", "json", "other"};

constexpr std::string_view kHex = "0123456789abcdef";

/// Follows the kind where the bytes should be UTF-8 and are not: "text*:ff". JSON can hold only
/// UTF-8.
constexpr char kMalformed = '*';

void append_hex(std::string_view bytes, std::string& text) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHex[byte >> 4U];
    text += kHex[byte & 0x0fU];
  }
}

int hex_digit(char c) {
  const auto at = kHex.find(c);
  if (at == std::string_view::npos) {
    throw Failure(Code::integrity, "a stored value has a malformed hexadecimal digit");
  }
  return static_cast<int>(at);
}

}  // namespace

std::string to_text(const Value& value) {
  std::string text(kKinds.at(static_cast<std::size_t>(value.kind())));
  const bool raw = value.kind() == Kind::bytes;
  if (!raw && is_utf8(value.bytes())) {
    text.reserve(text.size() + 1 + value.bytes().size());
    text += ':';
    return text += value.bytes();
  }
  text += raw ? ":" : std::string{kMalformed, ':'};
  append_hex(value.bytes(), text);
  return text;
}

Value value_from_text(std::string_view text) {
  const auto colon = text.find(':');
  auto name = text.substr(0, colon);
  const bool malformed = name.ends_with(kMalformed);
  name.remove_suffix(malformed ? 1 : 0);
  for (std::size_t i = 0; colon != std::string_view::npos && i < kKinds.size(); ++i) {
    if (kKinds.at(i) != name) {
      continue;
    }
    const auto kind = static_cast<Kind>(i);
    const auto rest = text.substr(colon + 1);
    if (kind != Kind::bytes && !malformed) {
      if (!is_utf8(rest)) {
        break;
      }
      return {kind, std::string(rest)};
    }
    if (rest.size() % 2 != 0) {
      break;
    }
    std::string bytes;
    bytes.reserve(rest.size() / 2);
    for (std::size_t at = 0; at < rest.size(); at += 2) {
      bytes += static_cast<char>(hex_digit(rest[at]) * 16 + hex_digit(rest[at + 1]));
    }
    if (malformed && (kind == Kind::bytes || is_utf8(bytes))) {
      break;
    }
    return {kind, std::move(bytes)};
  }
  throw Failure(Code::integrity, "a stored value is not in the form that abgleich writes");
}

bool is_utf8(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto* const end = at + bytes.size();
  while (at != end) {
    if (*at < 0x80) {
      ++at;
      continue;
    }
    std::size_t more = 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (*at >= 0xc2 && *at <= 0xdf) {
      more = 1;
    } else if (*at >= 0xe0 && *at <= 0xef) {
      more = 2;
      low = *at == 0xe0 ? 0xa0 : low;
      high = *at == 0xed ? 0x9f : high;
    } else if (*at >= 0xf0 && *at <= 0xf4) {
      more = 3;
      low = *at == 0xf0 ? 0x90 : low;
      high = *at == 0xf4 ? 0x8f : high;
    } else {
      return false;
    }
    if (static_cast<std::size_t>(end - at) <= more || at[1] < low || at[1] > high) {
      return false;
    }
    for (std::size_t i = 2; i <= more; ++i) {
      if (at[i] < 0x80 || at[i] > 0xbf) {
        return false;
      }
    }
    at += more + 1;
  }
  return true;
}

}  // namespace abgleich
