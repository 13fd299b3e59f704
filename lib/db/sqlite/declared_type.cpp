#include "db/sqlite/declared_type.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace abgleich::db::sqlite {

namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r";

/// As SQLite does: ASCII letters only.
std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 'a' + 'A');
    }
  }
  return result;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Removes characters from the front of `text` while `wanted` is true of them; returns them.
template <class Wanted>
std::string_view take(std::string_view& text, const Wanted& wanted) {
  std::size_t size = 0;
  while (size < text.size() && wanted(text[size])) {
    ++size;
  }
  const auto taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

void skip_blanks(std::string_view& text) {
  take(text, [](char c) { return kBlanks.find(c) != std::string_view::npos; });
}

/// SQLite's grammar allows these two keywords in a type's name, after the first word: TIMESTAMP
/// WITH TIME ZONE.
bool is_plain_word(std::string_view word, bool first) {
  if (sqlite3_keyword_check(word.data(), static_cast<int>(word.size())) == 0) {
    return true;
  }
  const auto name = upper(word);
  return !first && (name == "WITH" || name == "WITHOUT");
}

/// Whether the declared type can be written again without quotes: words, then at most two numbers
/// in parentheses.
bool is_plain(std::string_view declared) {
  auto rest = declared;
  bool words = false;
  for (;;) {
    skip_blanks(rest);
    if (rest.empty() || !is_letter(rest.front())) {
      break;
    }
    const auto word = take(rest, [](char c) { return is_letter(c) || is_digit(c); });
    if (!is_plain_word(word, !words)) {
      return false;
    }
    words = true;
  }
  if (rest.empty() || !words) {
    return words;
  }
  for (const char* begin : {"(", ","}) {
    if (rest.empty() || rest.front() != *begin) {
      return false;
    }
    rest.remove_prefix(1);
    skip_blanks(rest);
    if (!rest.empty() && (rest.front() == '+' || rest.front() == '-')) {
      rest.remove_prefix(1);
    }
    if (take(rest, is_digit).empty()) {
      return false;
    }
    skip_blanks(rest);
    if (rest == ")") {
      return true;
    }
  }
  return false;
}

std::string quoted(std::string_view declared) {
  std::string text = "\"";
  for (const char c : declared) {
    text += c;
    if (c == '"') {
      text += c;
    }
  }
  return text += '"';
}

/// The numbers of "NAME(a, b)". Empty from the first argument on that is no number.
std::array<std::optional<int>, 2> arguments(std::string_view declared) {
  std::array<std::optional<int>, 2> numbers;
  const auto open = declared.find('(');
  if (open == std::string_view::npos) {
    return numbers;
  }
  auto rest = declared.substr(open + 1);
  for (auto& number : numbers) {
    skip_blanks(rest);
    int value = 0;
    const auto [at, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || value < 0) {
      break;
    }
    number = value;
    rest.remove_prefix(static_cast<std::size_t>(at - rest.data()));
    skip_blanks(rest);
    if (!rest.starts_with(',')) {
      break;
    }
    rest.remove_prefix(1);
  }
  return numbers;
}

bool is_zoned(std::string_view name) {
  return name.starts_with("TIMESTAMPTZ") || name.find("WITH TIME ZONE") != std::string_view::npos;
}

/// True of "INT", "BIGINT", "UNSIGNED BIG INT", "INT8". Not of POINT, INTERVAL or FINGERPRINT,
/// which have the same letters and therefore SQLite's affinity of integers.
bool names_integers(std::string_view name) {
  constexpr std::array<std::string_view, 9> kSizes{"",     "TINY", "SMALL", "MEDIUM",  "BIG",
                                                   "LONG", "U",    "UBIG",  "UNSIGNED"};
  while (!name.empty()) {
    const auto start =
        static_cast<std::size_t>(std::ranges::find_if(name, is_letter) - name.begin());
    name.remove_prefix(start);
    auto word = take(name, [](char c) { return is_letter(c) || is_digit(c); });
    while (!word.empty() && is_digit(word.back())) {
      word.remove_suffix(1);
    }
    for (const std::string_view integer : {"INTEGER", "INT"}) {
      if (word.ends_with(integer) &&
          std::ranges::find(kSizes, word.substr(0, word.size() - integer.size())) != kSizes.end()) {
        return true;
      }
    }
  }
  return false;
}

Family family_by_name(std::string_view name) {
  const auto is = [&](std::string_view prefix) { return name.starts_with(prefix); };
  if (is("BOOL")) {
    return Family::boolean;
  }
  if (is("DATETIME") || is("TIMESTAMP")) {
    return is_zoned(name) ? Family::timestamptz : Family::timestamp;
  }
  if (is("DATE")) {
    return Family::date;
  }
  if (is("TIME")) {
    return Family::time;
  }
  if (is("DECIMAL") || is("NUMERIC")) {
    return Family::decimal;
  }
  if (is("UUID")) {
    return Family::uuid;
  }
  return is("JSON") ? Family::json : Family::dynamic;
}

}  // namespace

Affinity affinity_of(std::string_view declared) {
  const auto name = upper(declared);
  const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
  if (has("INT")) {
    return Affinity::integer;
  }
  if (has("CHAR") || has("CLOB") || has("TEXT")) {
    return Affinity::text;
  }
  if (has("BLOB") || name.empty()) {
    return Affinity::blob;
  }
  return has("REAL") || has("FLOA") || has("DOUB") ? Affinity::real : Affinity::numeric;
}

Type type_of(std::string_view declared, Strictness strictness) {
  constexpr int kBits = 64;
  Type type{.family = Family::dynamic, .engine = Engine::sqlite};
  const auto name = upper(declared);
  // In an ordinary table ANY has numeric affinity; in a STRICT one it keeps every value as it is.
  // In DDL of an ordinary table, only a column without a type does that.
  if (name.empty() || (strictness == Strictness::strict && name == "ANY")) {
    return type;
  }
  type.native = is_plain(declared) ? std::string(declared) : quoted(declared);
  const auto [first, second] = arguments(declared);
  switch (affinity_of(declared)) {
    case Affinity::integer:
      if (names_integers(name)) {
        type.family = Family::integer;
        type.bits = kBits;
      }
      break;
    case Affinity::text:
      type.family = Family::text;
      type.length = first;
      break;
    case Affinity::blob:
      type.family = Family::bytes;
      break;
    case Affinity::real:
      type.family = Family::real;
      type.bits = kBits;
      break;
    case Affinity::numeric:
      type.family = family_by_name(name);
      if (type.family == Family::decimal) {
        type.precision = first;
        type.scale = second;
      }
      break;
  }
  return type;
}

}  // namespace abgleich::db::sqlite
