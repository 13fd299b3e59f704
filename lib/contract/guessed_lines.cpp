#include "contract/guessed_lines.hpp"

#include "contract/column_names.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace abgleich::contract {

namespace {

// Longer names do not move the classes of other lines to the right.
constexpr std::size_t kWidestKey = 32;

bool usable(const CatalogTable& table, const CatalogKey& key) {
  return !key.columns.empty() && std::ranges::all_of(key.columns, [&](const std::string& name) {
    const CatalogColumn* column = table.find_column(name);
    return column != nullptr && writable(name);
  });
}

bool never_null(const CatalogTable& table, const CatalogKey& key) {
  return std::ranges::all_of(key.columns, [&](const std::string& name) {
    const CatalogColumn* column = table.find_column(name);
    return column != nullptr && !column->nullable;
  });
}

/// The primary key, else the shortest unique key that is never null.
std::optional<std::vector<std::string>> key_of(const CatalogTable& table) {
  if (table.primary_key && usable(table, *table.primary_key)) {
    return table.primary_key->columns;
  }
  const CatalogKey* best = nullptr;
  for (const CatalogKey& unique : table.uniques) {
    if (usable(table, unique) && never_null(table, unique) &&
        (best == nullptr || unique.columns.size() < best->columns.size())) {
      best = &unique;
    }
  }
  return best == nullptr ? std::nullopt : std::optional(best->columns);
}

bool points_away(const CatalogTable& table, const std::string& column) {
  return std::ranges::any_of(table.foreign_keys, [&](const CatalogForeignKey& key) {
    return std::ranges::find(key.columns, column) != key.columns.end();
  });
}

bool is_dated(const Type& type) {
  return type.family == Family::date || type.family == Family::timestamp ||
         type.family == Family::timestamptz;
}

/// Whether a column of a composite key tells too much both plain and as a pseudonym, because it has
/// few different values.
bool cannot_be_hidden(const CatalogTable& table, const std::vector<std::string>& key) {
  return key.size() > 1 && std::ranges::any_of(key, [&](const std::string& name) {
           const CatalogColumn& column = *table.find_column(name);
           return !points_away(table, name) &&
                  (is_dated(column.type) || (sounds_guessable(name) && column.type.labels.empty() &&
                                             column.type.family != Family::boolean));
         });
}

std::string_view reason_without_key(const CatalogTable& table) {
  if (const auto key = key_of(table); key && cannot_be_hidden(table, *key)) {
    return "a part of its key tells too much plain, and has too few values for a pseudonym; decide "
           "what it may be";
  }
  if (table.kind == TableKind::view) {
    return "a view has no key of its own; name columns that are unique and not null";
  }
  if (table.primary_key) {
    return "its primary key has a name that TOML cannot hold";
  }
  return "it has neither a primary key nor a unique key whose columns are all not null";
}

bool starts_plain(const CatalogColumn& column) {
  return !sounds_personal(column.name) &&
         (column.type.family == Family::boolean || !column.type.labels.empty());
}

std::string comment_of(const CatalogColumn& column) {
  std::string comment = one_line(column.type.native);
  if (comment.empty()) {
    comment = name_of(column.type.family);
  }
  if (!column.readable) {
    comment += "; this role may not read it yet";
  }
  if (is_dated(column.type) && dates_the_record(column.name)) {
    return comment + "; says when somebody worked on the row";
  }
  if (is_dated(column.type) && sounds_like_birth(column.name)) {
    return comment + "; perhaps { class = \"generalise\", to = \"year\" }";
  }
  return comment;
}

/// "plain", or an inline table where the column needs another name in the secondary.
std::string plain_value(const CatalogColumn& column, const std::string& as) {
  return as == column.name ? "\"plain\""
                           : fmt::format("{{ class = \"plain\", as = {} }}", toml_string(as));
}

std::string pseudonym_value(const CatalogColumn& column, const std::string& as,
                            std::string_view identity) {
  return fmt::format("{{ class = \"pseudonym\", identity = {}{} }}", toml_string(identity),
                     as == column.name ? "" : ", as = " + toml_string(as));
}

/// What becomes of a column that rows are joined by.
enum class Joins : std::uint8_t { as_pseudonym, plain, not_at_all };

/// A pseudonym of few values hides nothing. So a reference to a short list of kinds leaves only
/// where it is part of the key, and then plain.
Joins joins_as(const CatalogTable& table, const std::vector<std::string>& key,
               const CatalogColumn& column, const std::string& identity) {
  const bool in_key = std::ranges::find(key, column.name) != key.end();
  const bool away = points_away(table, column.name);
  if (away && sounds_like_lookup(identity)) {
    return in_key ? Joins::plain : Joins::not_at_all;
  }
  const auto family = column.type.family;
  // a number that counts up within the rest of the key says nothing about anybody by itself
  const bool counts_up =
      in_key && !away && !sounds_personal(column.name) &&
      (family == Family::boolean || family == Family::integer || !column.type.labels.empty()) &&
      std::ranges::any_of(key, [&](const std::string& name) { return points_away(table, name); });
  return counts_up ? Joins::plain : Joins::as_pseudonym;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string written(const std::vector<GuessedLine>& lines, std::string_view margin) {
  std::size_t width = 0;
  for (const GuessedLine& line : lines) {
    width = std::max(width, std::min(kWidestKey, characters(line.key)));
  }
  std::string text;
  for (const GuessedLine& line : lines) {
    if (line.key.empty()) {
      text += fmt::format("{}# {}\n", margin, line.comment);
      continue;
    }
    const std::size_t used = characters(line.key);
    text +=
        fmt::format("{}{}{} = {}  # {}\n", margin, line.key,
                    std::string(used < width ? width - used : 0, ' '), line.value, line.comment);
  }
  return text;
}

}  // namespace

std::string FreeNames::take(const std::string& name) {
  const std::string base = reserved(name) ? "data_" + name : name;
  std::string free = base;
  for (int i = 2; !taken_.insert(lower_case(free)).second; ++i) {
    free = fmt::format("{}_{}", base, i);
  }
  return free;
}

bool offered(const CatalogTable& table) {
  return table.kind == TableKind::table || table.kind == TableKind::partitioned ||
         table.kind == TableKind::view;
}

bool writable(std::string_view name) {
  return !name.empty() && name.find('\0') == std::string_view::npos &&
         valid_utf8(name) == name.size();
}

std::vector<GuessedLine> guessed_lines(const CatalogTable& table,
                                       const std::vector<std::string>& key,
                                       const Identities& identities, FreeNames names) {
  std::vector<GuessedLine> lines;
  for (const CatalogColumn& column : table.columns) {
    if (!writable(column.name)) {
      lines.push_back({.key = {},
                       .value = {},
                       .comment = "a column whose name TOML cannot hold: it is never read"});
      continue;
    }
    GuessedLine line{
        .key = toml_key(column.name), .value = "\"withhold\"", .comment = comment_of(column)};
    const auto identity = identities.of(table.name, column.name);
    const auto joins = identity ? joins_as(table, key, column, *identity) : Joins::not_at_all;
    const bool plain = identity ? joins == Joins::plain : starts_plain(column);
    if (identity && joins == Joins::as_pseudonym) {
      line.value = pseudonym_value(column, names.take(column.name), *identity);
    } else if (plain) {
      line.value = plain_value(column, names.take(column.name));
    } else if (identity) {
      line.comment += "; few values, so that a pseudonym would not hide it";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::string section_of(const CatalogTable& table, const std::vector<std::string>& key,
                       const std::string& target, const Identities& identities) {
  const auto name = toml_key(table.name);
  return fmt::format("\n[tables.{}]\nkey = {}\n{}\n[tables.{}.columns]\n{}", name, toml_list(key),
                     target == table.name ? "" : fmt::format("target = {}\n", toml_string(target)),
                     name, written(guessed_lines(table, key, identities), ""));
}

std::string left_out(const CatalogTable& table, const Identities& identities) {
  const auto name = toml_key(table.name);
  return fmt::format(
      "\n# Left out: {}\n# [tables.{}]\n# key = []\n#\n"
      "# [tables.{}.columns]\n{}",
      reason_without_key(table), name, name, written(guessed_lines(table, {}, identities), "# "));
}

Identities::Keys guessed_keys(const Catalog& catalog) {
  Identities::Keys keys;
  for (const CatalogTable& table : catalog.tables) {
    if (offered(table) && writable(table.name)) {
      if (auto key = key_of(table); key && !cannot_be_hidden(table, *key)) {
        keys.emplace(table.name, *std::move(key));
      }
    }
  }
  return keys;
}

}  // namespace abgleich::contract
