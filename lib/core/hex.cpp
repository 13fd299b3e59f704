#include "core/hex.hpp"

#include <sodium.h>

namespace abgleich {

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text(2 * bytes.size() + 1, '\0');
  write_hex(bytes, text.data());
  text.pop_back();  // the NUL
  return text;
}

void write_hex(std::span<const std::uint8_t> bytes, char* to) {
  sodium_bin2hex(to, 2 * bytes.size() + 1, bytes.data(), bytes.size());
}

bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  // libsodium would accept capitals as well
  return text.size() == 2 * out.size() &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos &&
         sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, nullptr,
                        nullptr) == 0;
}

}  // namespace abgleich
