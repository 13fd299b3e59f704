#include "db/postgresql/hex.hpp"

#include <array>

namespace abgleich::db::postgresql {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

/// The value of a digit; a character that is none has bits above the lowest four.
constexpr std::array<unsigned char, 256> digit_values() {
  std::array<unsigned char, 256> values{};
  values.fill(0xf0);
  for (unsigned char i = 0; i < 10; ++i) {
    values['0' + i] = i;
  }
  for (unsigned char i = 10; i < 16; ++i) {
    values['a' + i - 10] = i;
    values['A' + i - 10] = i;
  }
  return values;
}
constexpr auto kValues = digit_values();

/// The two digits of every byte.
constexpr std::array<std::array<char, 2>, 256> digit_pairs() {
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t byte = 0; byte < pairs.size(); ++byte) {
    pairs[byte] = {kDigits[byte >> 4U], kDigits[byte & 0x0fU]};
  }
  return pairs;
}
constexpr auto kPairs = digit_pairs();

}  // namespace

void append_hex(std::string_view bytes, std::string& out) {
  out += "\\x";
  const auto at = out.size();
  out.resize(at + 2 * bytes.size());
  char* to = out.data() + at;
  for (const char c : bytes) {
    const auto& pair = kPairs[static_cast<unsigned char>(c)];
    *to++ = pair[0];
    *to++ = pair[1];
  }
}

bool bytes_from_hex(std::string_view text, std::string& bytes) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) {
    return false;
  }
  bytes.resize(text.size() / 2 - 1);
  const auto* from = reinterpret_cast<const unsigned char*>(text.data()) + 2;
  unsigned seen = 0;
  for (char& byte : bytes) {
    const unsigned high = kValues[from[0]];
    const unsigned low = kValues[from[1]];
    seen |= high | low;
    byte = static_cast<char>((high << 4U | low) & 0xffU);
    from += 2;
  }
  return seen < 16;
}

}  // namespace abgleich::db::postgresql
