#include "exchange/manifest_rules.hpp"

#include "core/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

namespace abgleich::exchange {

namespace {

/// Tables of these names are the bookkeeping's and the storage's own.
constexpr std::array<std::string_view, 2> kReserved{"abgleich_", "sqlite_"};

/// In small letters, for the storage does not tell `Visit` from `visit`. Only ASCII: it folds no
/// other letters.
std::string folded_name(std::string_view name) {
  std::string folded(name);
  std::ranges::transform(folded, folded.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return folded;
}

/// What is wrong with a name, after the word for what it names.
std::string_view flaw_of_name(std::string_view name) {
  if (name.empty()) {
    return "has no name";
  }
  if (name.size() > kLongestName) {
    return "has a name of more than 255 bytes";
  }
  if (!is_utf8(name) || name.find('\0') != std::string_view::npos) {
    return "has a name that is no text";
  }
  return {};
}

bool is_type(std::string_view type) {
  constexpr std::string_view kSigns = " (),_";
  return type.size() <= kLongestType && std::ranges::all_of(type, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  kSigns.find(c) != std::string_view::npos;
         });
}

/// Likewise for a table's columns.
std::string flaw_of_columns(const std::vector<SentColumn>& columns) {
  if (columns.size() > kMostColumns) {
    return fmt::format("has more than {} columns", kMostColumns);
  }
  if (std::ranges::none_of(columns, &SentColumn::in_key)) {
    return "has no key";
  }
  std::set<std::string> names;
  for (const auto& column : columns) {
    if (const auto flaw = flaw_of_name(column.name); !flaw.empty()) {
      return fmt::format("has a column that {}", flaw);
    }
    if (!names.insert(folded_name(column.name)).second) {
      return fmt::format("has two columns '{}', however they are capitalised", column.name);
    }
    if (!is_type(column.type)) {
      return fmt::format(
          "has a column '{}' of a type with other signs than letters, digits, "
          "blanks and '(),_', or more than {} of them",
          column.name, kLongestType);
    }
  }
  return {};
}

bool is_sound_mark(const Mark& mark) {
  return mark.line.number > 0 && mark.seq > 0;
}

bool is_sound_trail(const Message& message) {
  const auto& trail = message.trail;
  const auto own = trail.find(message.mark.seq);
  return trail.size() <= kMostTrail &&
         (trail.empty() ||
          (trail.begin()->first > 0 && trail.rbegin()->first <= message.mark.seq)) &&
         (own == trail.end() || own->second == message.mark.id);
}

bool are_sound_grants(const std::vector<Grant>& grants) {
  if (grants.size() > kMostGrants) {
    return false;
  }
  std::set<BoxName> boxes;
  // whose it is makes no difference: with a key of small order nobody can agree on a secret
  std::optional<seal::Identity> anybody;
  for (const auto& grant : grants) {
    if (!anybody) {
      anybody = seal::Identity::generate();
    }
    Subkey secret;
    if (!boxes.insert(grant.box).second || !anybody->agree(grant.key, secret.bytes().first<32>())) {
      return false;
    }
  }
  return true;
}

bool are_sound_rows(const Manifest& manifest) {
  const auto& message = manifest.message;
  if (message.from >= message.mark.seq) {
    return false;
  }
  switch (message.rows) {
    case Message::Rows::none:
      return manifest.tables.empty();
    case Message::Rows::changes:
      return manifest.box.has_value();
    case Message::Rows::whole:
      return manifest.box.has_value() &&
             std::ranges::all_of(manifest.tables,
                                 [](const SentTable& table) { return table.gone == 0; });
  }
  return false;
}

}  // namespace

std::string flaw_of(const std::vector<SentTable>& tables) {
  if (tables.size() > kMostTables) {
    return fmt::format("there are more than {} tables", kMostTables);
  }
  std::set<std::string> names;
  for (const auto& table : tables) {
    if (const auto flaw = flaw_of_name(table.name); !flaw.empty()) {
      return fmt::format("a table {}", flaw);
    }
    const auto folded = folded_name(table.name);
    for (const auto prefix : kReserved) {
      if (folded.starts_with(prefix)) {
        return fmt::format("table '{}' has a name that begins with '{}'", table.name, prefix);
      }
    }
    if (!names.insert(folded).second) {
      return fmt::format("there are two tables '{}', however they are capitalised", table.name);
    }
    if (const auto flaw = flaw_of_columns(table.columns); !flaw.empty()) {
      return fmt::format("table '{}' {}", table.name, flaw);
    }
    if (table.rows > kMostOfATable || table.gone > kMostOfATable) {
      return fmt::format("table '{}' has more than {} rows", table.name, kMostOfATable);
    }
  }
  return {};
}

bool is_sound(const Manifest& manifest) {
  const auto& message = manifest.message;
  const auto is_sound_or_none = [](const std::optional<Mark>& mark) {
    return !mark || is_sound_mark(*mark);
  };
  return manifest.serial > 0 && manifest.sent >= 0 && manifest.sent <= kLastMoment &&
         is_sound_mark(message.mark) && is_sound_or_none(message.seen) &&
         is_sound_or_none(message.applied) && is_sound_trail(message) &&
         are_sound_grants(manifest.grants) && are_sound_rows(manifest);
}

}  // namespace abgleich::exchange
