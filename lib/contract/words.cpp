#include "contract/words.hpp"

#include "contract/contract.hpp"
#include "core/visible_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace abgleich::contract {

namespace {

// Longer names are cut, so that a message stays readable.
constexpr std::size_t kLongestQuoted = 100;

// Longer words are not taken for typing errors; this limits the work of the edit distance.
constexpr std::size_t kLongestTypo = 40;

/// Optimal string alignment distance.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> previous(b.size() + 1);
  std::vector<std::size_t> current(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    previous[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

std::size_t utf8_length(unsigned char first) {
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    return 3;
  }
  return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

}  // namespace

std::optional<std::size_t> position_of(std::string_view word, Words words) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - words.begin());
}

std::optional<std::string_view> nearest(std::string_view word, Words words) {
  if (word.empty() || word.size() > kLongestTypo) {
    return std::nullopt;
  }
  const std::string typed = lower_case(word);
  std::optional<std::string_view> best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : words) {
    const std::size_t distance = edit_distance(typed, candidate);
    // A third of the word may be wrong, and one letter always.
    const bool near = distance <= std::max<std::size_t>(1, (candidate.size() + 1) / 3);
    if (near && (!best || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string listed(Words words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) {
      text += i + 1 == words.size() ? " or " : ", ";
    }
    text += words[i];
  }
  return text;
}

std::string one_line(std::string_view text) {
  std::string line;
  std::size_t i = 0;
  while (i < text.size()) {
    if (i >= kLongestQuoted) {
      line += "…";
      break;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(byte);
    // C1 controls (U+0080 to U+009F) control terminals, too.
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (length == 0 || i + length > text.size() || valid_utf8(text.substr(i, length)) != length ||
        byte < 0x20 || byte == 0x7F) {
      line += fmt::format("\\x{:02x}", byte);
      ++i;
    } else if (c1) {
      line += fmt::format("\\u00{:02x}", static_cast<unsigned char>(text[i + 1]));
      i += 2;
    } else {
      line += visible(text.substr(i, length));  // format characters can change the order
      i += length;
    }
  }
  return line;
}

std::string in_quotes(std::string_view name) {
  return fmt::format("'{}'", one_line(name));
}

std::string lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return lower;
}

bool same_name(std::string_view a, std::string_view b) {
  return lower_case(a) == lower_case(b);
}

bool reserved(std::string_view name) {
  return same_name(name.substr(0, kReservedPrefix.size()), kReservedPrefix);
}

std::size_t valid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(first);
    if (length == 0 || i + length > text.size()) {
      return i;
    }
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80U) {
        return i;
      }
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : std::uint8_t{0};
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
        (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
      return i;
    }
    i += length;
  }
  return i;
}

std::string_view name_of(Class cls) {
  return kClasses.at(static_cast<std::size_t>(cls));
}

std::string_view name_of(Owner owner) {
  return kOwners.at(static_cast<std::size_t>(owner));
}

std::string_view name_of(OnDelete on_delete) {
  return kOnDeletes.at(static_cast<std::size_t>(on_delete));
}

std::string_view name_of(Format format) {
  return format == Format::automatic ? "automatic"
                                     : kFormats.at(static_cast<std::size_t>(format) - 1);
}

std::string_view name_of(Normaliser normaliser) {
  return kNormalisers.at(static_cast<std::size_t>(normaliser));
}

}  // namespace abgleich::contract
