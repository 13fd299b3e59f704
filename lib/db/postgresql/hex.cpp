#include "db/postgresql/hex.hpp"

namespace abgleich::db::postgresql {

namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

int digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

}  // namespace

void append_hex(std::string_view bytes, std::string& out) {
  out += "\\x";
  auto at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out[at++] = kDigits[byte >> 4U];
    out[at++] = kDigits[byte & 0x0fU];
  }
}

bool bytes_from_hex(std::string_view text, std::string& bytes) {
  if (!text.starts_with("\\x") || text.size() % 2 != 0) {
    return false;
  }
  bytes.resize(text.size() / 2 - 1);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(text[2 * i + 2]);
    const int low = digit(text[2 * i + 3]);
    if (high < 0 || low < 0) {
      return false;
    }
    bytes[i] = static_cast<char>(high * 16 + low);
  }
  return true;
}

}  // namespace abgleich::db::postgresql
