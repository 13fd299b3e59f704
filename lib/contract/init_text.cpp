#include "contract/init_text.hpp"

#include "contract/column_names.hpp"
#include "contract/identities.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

namespace abgleich::contract {

namespace {

// Longer names do not push the others' classes to the right.
constexpr std::size_t kWidestKey = 32;

constexpr std::string_view kContractHead =
    "# What may leave the primary, and how; all options: schemas/contract.schema.json.\n"
    "#\n"
    "# 'abgleich init' has guessed this from the names and types of the columns; it has not read "
    "a\n"
    "# single value. Go through it line by line, with your data protection officer:\n"
    "#   \"plain\"      leaves as it is\n"
    "#   \"pseudonym\"  leaves as a pseudonym; the same identity and value give the same "
    "pseudonym\n"
    "#                in every table, so that joins hold\n"
    "#   \"generalise\" leaves coarser: to = \"year\", \"month\", \"week\", \"age-band:N\", "
    "\"prefix:N\"\n"
    "#   \"withhold\"   never leaves, and is not even read\n"
    "\n"
    "format = 1\n";

bool offered(const CatalogTable& table) {
  return table.kind == TableKind::table || table.kind == TableKind::partitioned ||
         table.kind == TableKind::view;
}

/// Whether a contract can hold the name at all.
bool writable(std::string_view name) {
  return !name.empty() && name.find('\0') == std::string_view::npos &&
         valid_utf8(name) == name.size();
}

bool usable(const CatalogTable& table, const CatalogKey& key) {
  return !key.columns.empty() && std::ranges::all_of(key.columns, [&](const std::string& name) {
    const CatalogColumn* column = table.find_column(name);
    return column != nullptr && column->readable && writable(name);
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

/// Whether a part of a key tells too much plain, and as a pseudonym as well: few values fill it.
bool cannot_be_hidden(const CatalogTable& table, const std::vector<std::string>& key) {
  return key.size() > 1 && std::ranges::any_of(key, [&](const std::string& name) {
           const CatalogColumn& column = *table.find_column(name);
           return !points_away(table, name) &&
                  ((is_dated(column.type) && !dates_the_record(name)) ||
                   (sounds_guessable(name) && column.type.labels.empty() &&
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
    return "its primary key cannot be read by this role, or has a name that TOML cannot hold";
  }
  return "it has neither a primary key nor a unique key whose columns are all not null";
}

/// Names in the secondary, where capitals do not make a difference and the bookkeeping has its own.
class FreeNames {
 public:
  /// The name, or the next free one like it.
  std::string take(const std::string& name) {
    const std::string base = reserved(name) ? "data_" + name : name;
    std::string free = base;
    for (int i = 2; !taken_.insert(lower_case(free)).second; ++i) {
      free = fmt::format("{}_{}", base, i);
    }
    return free;
  }

 private:
  std::set<std::string> taken_;
};

struct Line {
  std::string key;
  std::string value;
  std::string comment;
};

bool starts_plain(const CatalogColumn& column) {
  if (sounds_personal(column.name)) {
    return false;
  }
  switch (column.type.family) {
    case Family::boolean:
      return true;
    case Family::date:
    case Family::timestamp:
    case Family::timestamptz:
      return dates_the_record(column.name);
    default:
      return !column.type.labels.empty();
  }
}

std::string comment_of(const CatalogColumn& column) {
  std::string comment = one_line(column.type.native);
  if (comment.empty()) {
    comment = name_of(column.type.family);
  }
  if (!column.readable) {
    return comment + "; this role may not read it";
  }
  if (is_dated(column.type) && sounds_like_birth(column.name)) {
    return comment + "; perhaps { class = \"generalise\", to = \"year\" }";
  }
  return comment;
}

/// "plain", or a table where the column needs another name in the secondary.
std::string plain_value(const CatalogColumn& column, const std::string& as) {
  return as == column.name ? "\"plain\""
                           : fmt::format("{{ class = \"plain\", as = {} }}", toml_string(as));
}

std::string pseudonym_value(const CatalogColumn& column, const std::string& as,
                            std::string_view identity) {
  return fmt::format("{{ class = \"pseudonym\", identity = {}{} }}", toml_string(identity),
                     as == column.name ? "" : ", as = " + toml_string(as));
}

/// What a column that rows are joined by is to be.
enum class Joins : std::uint8_t { as_pseudonym, plain, not_at_all };

/// A pseudonym of few values hides nothing: who points to which row of a list of few kinds leaves
/// only where it is a part of the key.
Joins joins_as(const CatalogTable& table, const std::vector<std::string>& key,
               const CatalogColumn& column, const std::string& identity) {
  const bool in_key = std::ranges::find(key, column.name) != key.end();
  const bool away = points_away(table, column.name);
  if (away && sounds_like_lookup(identity)) {
    return in_key ? Joins::plain : Joins::not_at_all;
  }
  const auto family = column.type.family;
  // a number within what the rest of the key points to says nothing of anybody by itself
  const bool counts_up =
      in_key && !away && !sounds_personal(column.name) &&
      (family == Family::boolean || family == Family::integer || is_dated(column.type) ||
       !column.type.labels.empty()) &&
      std::ranges::any_of(key, [&](const std::string& name) { return points_away(table, name); });
  return counts_up ? Joins::plain : Joins::as_pseudonym;
}

std::vector<Line> lines_of(const CatalogTable& table, const std::vector<std::string>& key,
                           const Identities& identities) {
  std::vector<Line> lines;
  FreeNames names;
  for (const CatalogColumn& column : table.columns) {
    if (!writable(column.name)) {
      lines.push_back({.key = {},
                       .value = {},
                       .comment = "a column whose name TOML cannot hold: it is never read"});
      continue;
    }
    Line line{.key = toml_key(column.name), .value = "\"withhold\"", .comment = comment_of(column)};
    const auto identity = identities.of(table.name, column.name);
    const auto joins = identity ? joins_as(table, key, column, *identity) : Joins::not_at_all;
    const bool plain = identity ? joins == Joins::plain : starts_plain(column);
    if (column.readable && identity && joins == Joins::as_pseudonym) {
      line.value = pseudonym_value(column, names.take(column.name), *identity);
    } else if (column.readable && plain) {
      line.value = plain_value(column, names.take(column.name));
    } else if (column.readable && identity) {
      line.comment += "; few values, so that a pseudonym would not hide it";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string written(const std::vector<Line>& lines, std::string_view margin) {
  std::size_t width = 0;
  for (const Line& line : lines) {
    width = std::max(width, std::min(kWidestKey, characters(line.key)));
  }
  std::string text;
  for (const Line& line : lines) {
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

Identities::Keys keys_of(const Catalog& catalog) {
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

}  // namespace

Identities guessed_identities(const Catalog& catalog) {
  return {catalog, keys_of(catalog)};
}

std::string contract_text(const Catalog& catalog) {
  const auto keys = keys_of(catalog);
  const Identities identities(catalog, keys);
  FreeNames targets;
  std::string text(kContractHead);
  for (const CatalogTable& table : catalog.tables) {
    if (!offered(table)) {
      continue;
    }
    if (!writable(table.name)) {
      text += "\n# A table is left out: its name cannot be written in TOML.\n";
      continue;
    }
    const auto key = keys.find(table.name);
    const std::string name = toml_key(table.name);
    const std::vector<Line> lines =
        lines_of(table, key == keys.end() ? std::vector<std::string>() : key->second, identities);
    if (key == keys.end()) {
      text += fmt::format(
          "\n# Left out: {}\n# [tables.{}]\n# key = []\n#\n"
          "# [tables.{}.columns]\n{}",
          reason_without_key(table), name, name, written(lines, "# "));
      continue;
    }
    const std::string target = targets.take(table.name);
    text += fmt::format(
        "\n[tables.{}]\nkey = {}\n{}\n[tables.{}.columns]\n{}", name, toml_list(key->second),
        target == table.name ? "" : fmt::format("target = {}\n", toml_string(target)), name,
        written(lines, ""));
  }
  return text;
}

std::string config_text(std::string_view primary_url, std::string_view secondary_url) {
  const auto postgresql_lines = [](std::string_view url, std::string_view role) {
    return url.starts_with("postgres")
               ? fmt::format(
                     "# password_file = \"{}.pass\"  # or ~/.pgpass; a password inside the "
                     "url is refused\n"
                     "schema = \"public\"\n{}",
                     role,
                     role == "primary" ? "workers = 2  # how many connections may read at once\n"
                                       : "")
               : std::string();
  };
  return fmt::format(
      "# A pairing: the primary is read, the secondary is merged into. Paths are relative to this "
      "file.\n"
      "\n"
      "contract = \"contract.toml\"  # what may leave the primary: reviewed by people\n"
      "catalog  = \"catalog.json\"   # the accepted schema of the primary: 'abgleich drift "
      "accept'\n"
      "\n"
      "[primary]\n"
      "url = {}\n"
      "{}"
      "\n"
      "[secondary]\n"
      "url = {}\n"
      "{}"
      "manage_schema = true  # false: never create or alter tables, print what is missing\n"
      "\n"
      "[keys]\n"
      "file = \"abgleich.key\"  # keep a copy in a safe place: without it no pseudonym comes "
      "again\n"
      "\n"
      "[state]\n"
      "directory = \"state\"  # lock and caches\n"
      "\n"
      "# What one run may do to one table: a share of its rows (\"5%\"), or a number of them "
      "(100).\n"
      "[limits]\n"
      "max_deleted = \"5%\"\n"
      "max_updated = \"50%\"\n"
      "\n"
      "# How long a run can be shown and taken back.\n"
      "[journal]\n"
      "keep = \"90d\"\n",
      toml_string(primary_url), postgresql_lines(primary_url, "primary"),
      toml_string(secondary_url), postgresql_lines(secondary_url, "secondary"));
}

}  // namespace abgleich::contract
