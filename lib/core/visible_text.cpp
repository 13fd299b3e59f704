#include "core/visible_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace abgleich {

namespace {

constexpr char kMark = '\xFE';
constexpr std::size_t kLongestMark = 4;  // kMark, at most two digits, and 'm'

struct Range {
  char32_t first;
  char32_t last;
};

/// Unicode 15: Cc, Cf, Zl and Zp.
constexpr std::array kUnseen{
    Range{0x00, 0x1F},       Range{0x7F, 0x9F},       Range{0xAD, 0xAD},
    Range{0x600, 0x605},     Range{0x61C, 0x61C},     Range{0x6DD, 0x6DD},
    Range{0x70F, 0x70F},     Range{0x890, 0x891},     Range{0x8E2, 0x8E2},
    Range{0x180E, 0x180E},   Range{0x200B, 0x200F},   Range{0x2028, 0x202E},
    Range{0x2060, 0x206F},   Range{0xFEFF, 0xFEFF},   Range{0xFFF9, 0xFFFB},
    Range{0x110BD, 0x110BD}, Range{0x110CD, 0x110CD}, Range{0x13430, 0x1343F},
    Range{0x1BCA0, 0x1BCA3}, Range{0x1D173, 0x1D17A}, Range{0xE0001, 0xE007F},
};

bool unseen(char32_t character) {
  return std::ranges::any_of(kUnseen, [&](const Range& range) {
    return range.first <= character && character <= range.last;
  });
}

struct Character {
  char32_t code = 0;
  std::size_t length = 0;  // 0: not UTF-8
};

Character character_at(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto first = byte(0);
  const std::size_t length = first < 0x80                    ? 1U
                             : first >= 0xC2 && first < 0xE0 ? 2U
                             : first >= 0xE0 && first < 0xF0 ? 3U
                             : first >= 0xF0 && first < 0xF5 ? 4U
                                                             : 0U;
  if (length < 2) {
    return {.code = first, .length = length};
  }
  char32_t code = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {};
    }
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || (code >= 0xD800 && code < 0xE000) || code > 0x10FFFF) {
    return {};
  }
  return {.code = code, .length = length};
}

void spell_out(char32_t code, std::string& out) {
  constexpr char32_t kFirstPair = 0x10000;
  const auto unit = [&](unsigned number) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", number);
  };
  if (code < kFirstPair) {
    unit(static_cast<unsigned>(code));
    return;
  }
  const auto rest = static_cast<unsigned>(code - kFirstPair);
  unit(0xD800U + (rest >> 10U));
  unit(0xDC00U + (rest & 0x3FFU));
}

/// The length of the mark that the text begins with; 0 where there is none.
std::size_t mark_at(std::string_view text) {
  if (!text.starts_with(kMark)) {
    return 0;
  }
  const auto end = text.substr(0, kLongestMark).find_first_not_of("0123456789", 1);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

}  // namespace

std::string visible(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char c = text.front();
    const bool plain = c >= ' ' && c < '\x7F';
    if (plain || (lines == Lines::several && (c == '\n' || c == '\t'))) {
      out += c;
      text.remove_prefix(1);
      continue;
    }
    if (const auto mark = lines == Lines::several ? mark_at(text) : 0; mark > 0) {
      out += "\x1B[";
      out += text.substr(1, mark - 1);
      text.remove_prefix(mark);
      continue;
    }
    const auto [code, length] = character_at(text);
    if (length == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    } else if (unseen(code)) {
      spell_out(code, out);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string colour_mark(std::string_view code) {
  return fmt::format("{}{}m", kMark, code);
}

}  // namespace abgleich
