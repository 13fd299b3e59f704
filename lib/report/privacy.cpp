#include "report/privacy.hpp"

#include "contract/toml_text.hpp"
#include "core/visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace abgleich::report {

namespace {

constexpr const char* kNullRule =
    "NULL is a value like another; each subject counts once, a row without one by itself.";

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string what(const PrivacyColumn& column) {
  auto text = std::string(contract::name_of(column.cls));
  if (!column.how.empty()) {
    text += ": " + column.how;
  }
  if (!column.reason.empty()) {
    text += fmt::format(" (few values, accepted: {})", column.reason);
  }
  return text;
}

std::int64_t withheld(const PrivacyTable& table) {
  return std::ranges::count(table.columns, contract::Class::withhold, &PrivacyColumn::cls);
}

std::string counted(std::int64_t count, std::string_view one, std::string_view several) {
  return fmt::format("{} {}", count, count == 1 ? one : several);
}

/// What is known about a table's quasi-identifiers, a sentence each.
std::vector<std::string> findings(const PrivacyTable& table, std::int64_t min_k) {
  std::vector<std::string> lines;
  if (table.quasi_identifiers.empty()) {
    lines.emplace_back("no quasi-identifiers are declared, so nothing is said of k-anonymity");
    return lines;
  }
  if (!table.anonymity) {
    lines.emplace_back("the secondary does not have these columns yet");
    return lines;
  }
  const auto& found = *table.anonymity;
  if (found.rows == 0) {
    lines.emplace_back("the secondary has no rows of it");
    return lines;
  }
  lines.push_back(fmt::format("k = {}: each of {} of {} is shared by {} or more", found.k,
                              counted(found.groups, "combination", "combinations"),
                              listed(table.quasi_identifiers),
                              counted(found.k, "subject", "subjects")));
  for (std::size_t i = 0; i < table.sensitive.size(); ++i) {
    lines.push_back(fmt::format("l = {}: each combination has {} of {} or more", found.l[i],
                                counted(found.l[i], "value", "values"), table.sensitive[i]));
  }
  if (min_k > 0) {
    lines.push_back(fmt::format("{} in {} below min_k = {}",
                                counted(found.rows_below, "row is", "rows are"),
                                counted(found.groups_below, "combination", "combinations"), min_k));
  }
  return lines;
}

/// What all columns that leave unhidden tell together, with those of the tables that this one
/// refers to.
std::vector<std::string> unhidden(const PrivacyTable& table) {
  std::vector<std::string> lines;
  if (table.uniqueness && table.uniqueness->subjects > 0) {
    lines.push_back(fmt::format("{} of {} {} unique in {}", table.uniqueness->unique,
                                counted(table.uniqueness->subjects, "subject", "subjects"),
                                table.uniqueness->unique == 1 ? "is" : "are",
                                listed(table.unhidden)));
  }
  if (!table.proposed.empty()) {
    std::string names;
    for (const auto& name : table.proposed) {
      names += (names.empty() ? "" : ", ") + contract::toml_string(name);
    }
    lines.push_back(fmt::format("proposed: quasi_identifiers = [{}]", names));
  }
  return lines;
}

/// "3 rows are held back by min_k = 2: 2 never left, 1 is still there"
std::string held_back(const Privacy& privacy) {
  return fmt::format("{} held back by min_k = {}: {} never left or left again, {} still there",
                     counted(privacy.rare, "row is", "rows are"), privacy.min_k,
                     privacy.rare - privacy.still_there, counted(privacy.still_there, "is", "are"));
}

/// "which rows leave is decided by 'district' (withheld: that a row is there tells of it)"
std::vector<std::string> deciding(const PrivacyTable& table) {
  std::string names;
  for (const auto& name : table.decided_by) {
    const auto column = std::ranges::find(table.columns, name, &PrivacyColumn::name);
    const bool hidden = column == table.columns.end() || column->cls == contract::Class::withhold;
    names += fmt::format("{}'{}'{}", names.empty() ? "" : ", ", name,
                         hidden ? " (withheld: that a row is there tells of it)" : "");
  }
  return names.empty() ? std::vector<std::string>()
                       : std::vector{"which rows leave is decided by " + names};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\`*_{}[]<>|#").find(c) != std::string_view::npos) {
      out += '\\';
    }
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

}  // namespace

std::string text_of(const Privacy& privacy) {
  std::string text = fmt::format("{}, key of epoch {}\n", privacy.contract, privacy.epoch);
  for (const auto& table : privacy.tables) {
    text += fmt::format("\n{}{}: {}, {} withheld\n", visible(table.name),
                        table.target == table.name ? "" : " as " + visible(table.target),
                        counted(static_cast<std::int64_t>(table.columns.size()) - withheld(table),
                                "column leaves", "columns leave"),
                        withheld(table) + table.unnamed);
    std::size_t width = 0;
    for (const auto& column : table.columns) {
      width = std::max(width, column.name.size());
    }
    for (const auto& column : table.columns) {
      if (column.cls != contract::Class::withhold) {
        text += fmt::format("    {:{}}  {}{}\n", visible(column.name), width, visible(what(column)),
                            column.as == column.name ? "" : ", as " + visible(column.as));
      }
    }
    for (const auto& line : deciding(table)) {
      text += "  " + visible(line) + "\n";
    }
    for (const auto& line : findings(table, privacy.min_k)) {
      text += "  " + visible(line) + "\n";
    }
    for (const auto& line : unhidden(table)) {
      text += "  " + visible(line) + "\n";
    }
  }
  text += fmt::format("\n{}\n", kNullRule);
  if (privacy.min_k > 0) {
    text += held_back(privacy) + "\n";
  }
  return text;
}

std::string markdown_of(const Privacy& privacy) {
  std::string text = fmt::format(
      "# What leaves the primary, and how\n\nBy the contract `{}`; pseudonyms are keyed "
      "(HMAC-SHA-256, FF1), the key is of epoch {}.\n",
      privacy.contract, privacy.epoch);
  for (const auto& table : privacy.tables) {
    text += fmt::format("\n## {}\n\n| column | in the secondary | class |\n|---|---|---|\n",
                        escaped(table.name));
    for (const auto& column : table.columns) {
      text += fmt::format("| {} | {} | {} |\n", escaped(column.name),
                          column.as.empty() ? "never leaves" : escaped(column.as),
                          escaped(what(column)));
    }
    if (table.unnamed > 0) {
      text += fmt::format("\n{} never read: the contract does not name {}.\n",
                          counted(table.unnamed, "more column is", "more columns are"),
                          table.unnamed == 1 ? "it" : "them");
    }
    text += "\n";
    for (const auto& line : deciding(table)) {
      text += "- " + escaped(line) + "\n";
    }
    for (const auto& line : findings(table, privacy.min_k)) {
      text += "- " + escaped(line) + "\n";
    }
    for (const auto& line : unhidden(table)) {
      text += "- " + escaped(line) + "\n";
    }
  }
  text += fmt::format("\n{}\n", kNullRule);
  if (privacy.min_k > 0) {
    text += fmt::format("\n{}: fewer than {} subjects share their quasi-identifiers.\n",
                        held_back(privacy), privacy.min_k);
  }
  return text;
}

std::string json_line(const Privacy& privacy) {
  using Json = nlohmann::ordered_json;
  Json tables = Json::object();
  for (const auto& table : privacy.tables) {
    Json columns = Json::object();
    for (const auto& column : table.columns) {
      columns[column.name] = {{"class", contract::name_of(column.cls)},
                              {"as", column.as.empty() ? Json() : Json(column.as)},
                              {"how", column.how},
                              {"accepted", column.reason.empty() ? Json() : Json(column.reason)}};
    }
    Json anonymity;
    if (table.anonymity) {
      const auto& found = *table.anonymity;
      Json l = Json::object();
      for (std::size_t i = 0; i < table.sensitive.size(); ++i) {
        l[table.sensitive[i]] = found.l[i];
      }
      anonymity = {{"rows", found.rows},
                   {"groups", found.groups},
                   {"k", found.k},
                   {"l", l},
                   {"groups_below", found.groups_below},
                   {"rows_below", found.rows_below}};
    }
    Json uniqueness;
    if (table.uniqueness) {
      uniqueness = {{"columns", table.unhidden},
                    {"subjects", table.uniqueness->subjects},
                    {"unique", table.uniqueness->unique}};
    }
    tables[table.name] = {{"target", table.target},
                          {"columns", columns},
                          {"unnamed", table.unnamed},
                          {"decided_by", table.decided_by},
                          {"subject", table.subject.empty() ? Json() : Json(table.subject)},
                          {"quasi_identifiers", table.quasi_identifiers},
                          {"sensitive", table.sensitive},
                          {"anonymity", anonymity},
                          {"uniqueness", uniqueness},
                          {"proposed", table.proposed}};
  }
  const Json json = {{"schema", "abgleich.privacy/1"},
                     {"epoch", privacy.epoch},
                     {"min_k", privacy.min_k},
                     {"held_back", privacy.rare},
                     {"never_left", privacy.rare - privacy.still_there},
                     {"still_there", privacy.still_there},
                     {"tables", tables}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace abgleich::report
