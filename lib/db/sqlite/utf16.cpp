#include "db/sqlite/utf16.hpp"

#include "core/value.hpp"

#include <cstddef>
#include <cstdint>

namespace abgleich::db::sqlite {

namespace {

bool is_high(char16_t unit) {
  return unit >= 0xd800 && unit <= 0xdbff;
}
bool is_low(char16_t unit) {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

void append(std::uint32_t point, std::string& out) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  const auto more = [&](unsigned shift) { put(0x80U | ((point >> shift) & 0x3fU)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0U | (point >> 6U));
    more(0);
  } else if (point < 0x10000) {
    put(0xe0U | (point >> 12U));
    more(6);
    more(0);
  } else {
    put(0xf0U | (point >> 18U));
    more(12);
    more(6);
    more(0);
  }
}

}  // namespace

void append_utf8(std::u16string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::uint32_t point = text[i];
    if (is_high(text[i]) && i + 1 < text.size() && is_low(text[i + 1])) {
      constexpr std::uint32_t kFirst = 0x10000;
      point = kFirst + ((point - 0xd800U) << 10U) + (text[++i] - 0xdc00U);
    }
    append(point, out);
  }
}

bool survives_utf16(std::string_view text) {
  return is_utf8(text) && text.find("\xef\xbf\xbe") == std::string_view::npos &&
         text.find("\xef\xbf\xbf") == std::string_view::npos;
}

}  // namespace abgleich::db::sqlite
