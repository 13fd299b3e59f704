#include "mask/white_space.hpp"

#include <algorithm>
#include <array>

namespace abgleich::mask {

namespace {

// The list is closed: Unicode has not added white space since 1999, and removed one character once.
constexpr std::array<std::string_view, 19> kWide{"\u0085", "\u00a0", "\u1680", "\u2000", "\u2001",
                                                 "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
                                                 "\u2007", "\u2008", "\u2009", "\u200a", "\u2028",
                                                 "\u2029", "\u202f", "\u205f", "\u3000"};

}  // namespace

std::size_t leading_white_space(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const char first = text.front();
  if (static_cast<unsigned char>(first) < 0x80) {
    return first == ' ' || (first >= '\t' && first <= '\r') ? 1 : 0;
  }
  const auto* const found =
      std::ranges::find_if(kWide, [&](std::string_view wide) { return text.starts_with(wide); });
  return found == kWide.end() ? 0 : found->size();
}

void collapse_white_space(std::string& text) {
  const std::string_view all = text;
  std::size_t kept = 0;
  bool pending = false;  // white space since the last character that was kept
  for (std::size_t at = 0; at < all.size();) {
    if (const auto size = leading_white_space(all.substr(at)); size > 0) {
      pending = kept > 0;
      at += size;
      continue;
    }
    if (pending) {
      text[kept++] = ' ';
      pending = false;
    }
    text[kept++] = text[at++];
  }
  text.resize(kept);
}

}  // namespace abgleich::mask
