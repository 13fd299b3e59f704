#include "journal/decisions.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "journal/record.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

namespace abgleich::journal {

namespace {

constexpr std::size_t kMarkDigits = 16;
constexpr const char* kWhereFrom =
    "save it on the page of: abgleich report --decide FILE, or copy that page's address into a "
    "file. Nothing was changed";

[[noreturn]] void refuse(std::string message, std::string hint = kWhereFrom) {
  throw Failure(Code::usage, std::move(message), std::move(hint));
}

bool all_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  return begin == text.npos ? std::string_view()
                            : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// The text up to `end`, which is taken off with it.
std::string_view take_until(std::string_view& text, char end) {
  const auto at = text.find(end);
  const auto part = text.substr(0, at);
  text.remove_prefix(at == text.npos ? text.size() : at + 1);
  return part;
}

/// Adds what one line or field says. False where it says nothing that can be understood.
bool add(std::string_view id, std::string_view word, std::int64_t line, Decisions& decisions) {
  if (!all_hex(id, 2 * kConflictIdHalf)) {
    return false;
  }
  for (const auto side : {Side::primary, Side::secondary}) {
    if (word == name_of(side)) {
      decisions.all.push_back({.id = std::string(id), .side = side, .line = line});
      return true;
    }
  }
  return word == kLeftOpen;
}

void expect_format(std::string_view word, std::string_view file) {
  if (word == kDecisionsFormat) {
    return;
  }
  if (word.starts_with(kDecisionsFormat.substr(0, kDecisionsFormat.find('/') + 1))) {
    refuse(fmt::format("{} has decisions of another format than {}: {}", contract::in_quotes(file),
                       contract::in_quotes(kDecisionsFormat), contract::in_quotes(word)),
           "make the page anew with this version: abgleich report --decide FILE. Nothing was "
           "changed");
  }
  refuse(fmt::format("{} is no file of decisions, and no address of the page for them",
                     contract::in_quotes(file)));
}

/// A text with %XX for bytes and + for blanks, as forms write it. Empty: it is no such text.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '%') {
      out += c == '+' ? ' ' : c;
      continue;
    }
    std::string digits(text.substr(0, 2));
    std::ranges::transform(digits, digits.begin(),
                           [](char d) { return d >= 'A' && d <= 'F' ? char(d - 'A' + 'a') : d; });
    std::array<std::uint8_t, 1> byte{};
    if (!read_hex(digits, byte)) {
      return std::nullopt;
    }
    out += static_cast<char>(byte.front());
    text.remove_prefix(2);
  }
  return out;
}

/// The page's address: its query has format, pairing, and a field for every conflict.
Decisions from_address(std::string_view address, std::string_view file) {
  (void)take_until(address, '?');
  auto query = take_until(address, '#');
  Decisions decisions;
  std::string format;
  while (!query.empty()) {
    auto field = take_until(query, '&');
    const auto whole = field;
    const auto name = decoded(take_until(field, '='));
    const auto value = decoded(field);
    if (name && value && *name == kFormatField && format.empty()) {
      format = *value;
    } else if (name && value && *name == kPairingField && decisions.pairing.empty()) {
      decisions.pairing = *value;
    } else if (!whole.empty() && !(name && value && add(*name, *value, 0, decisions))) {
      refuse(fmt::format("the address in {} has a field that is no decision: {}",
                         contract::in_quotes(file), contract::in_quotes(whole)));
    }
  }
  expect_format(format, file);
  return decisions;
}

Decisions from_lines(std::string_view text, std::string_view file) {
  Decisions decisions;
  bool begun = false;
  for (std::int64_t line = 1; !text.empty(); ++line) {
    auto rest = trimmed(take_until(text, '\n'));
    const auto whole = rest;
    if (rest.empty()) {
      continue;
    }
    if (!begun) {
      expect_format(rest, file);
      begun = true;
      continue;
    }
    const auto word = take_until(rest, ' ');
    const auto value = trimmed(rest);
    if (word == kPairingField && decisions.pairing.empty() && decisions.all.empty()) {
      decisions.pairing = value;
    } else if (!add(word, value, line, decisions)) {
      refuse(fmt::format("line {} of {} is no decision: {}", line, contract::in_quotes(file),
                         contract::in_quotes(whole)),
             "a decision is a conflict's id and 'primary', 'secondary' or 'open', such as: "
             "8a33ecfccb6f primary. Nothing was changed");
    }
  }
  if (!begun) {
    refuse(fmt::format("{} is empty", contract::in_quotes(file)));
  }
  return decisions;
}

}  // namespace

std::string_view name_of(Side side) {
  return side == Side::primary ? "primary" : "secondary";
}

std::string pairing_mark(std::string_view lineage) {
  const auto text = fmt::format("{}\n{}", kDecisionsFormat, lineage);
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return hex(std::span(hash).first(kMarkDigits / 2));
}

Decisions parse_decisions(std::string_view text, std::string_view file) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // some editors begin a file with it
  if (text.size() > kLongestDecisions) {
    refuse(fmt::format("{} is too long for a file of decisions", contract::in_quotes(file)));
  }
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  const auto whole = trimmed(text);
  const bool is_address = whole.find('?') != whole.npos && whole.find('\n') == whole.npos;
  auto decisions = is_address ? from_address(whole, file) : from_lines(text, file);
  if (!all_hex(decisions.pairing, kMarkDigits)) {
    refuse(fmt::format("{} does not say which pairing it is for", contract::in_quotes(file)));
  }
  return decisions;
}

}  // namespace abgleich::journal
