#include "report/page/privacy_sections.hpp"

#include "report/page/chart.hpp"
#include "report/page/table_head.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

namespace abgleich::report {

namespace {

Word class_word(contract::Class cls) {
  switch (cls) {
    case contract::Class::plain:
      return Word::class_plain;
    case contract::Class::pseudonym:
      return Word::class_pseudonym;
    case contract::Class::generalise:
      return Word::class_generalise;
    case contract::Class::token:
      return Word::class_token;
    case contract::Class::withhold:
      break;
  }
  return Word::class_withhold;
}

std::string names(const std::vector<std::string>& columns) {
  return fmt::format("{}", fmt::join(columns, ", "));
}

void write_column(Html& html, Language language, const PrivacyColumn& column) {
  const auto row = html.open("tr");
  html.leaf("td", column.name);
  html.leaf("td", column.as);
  auto text = std::string(word(language, class_word(column.cls)));
  if (!column.how.empty()) {
    text += " (" + column.how + ")";
  }
  if (!column.reason.empty()) {
    text += "; " + phrase(language, Word::accepted_because, column.reason);
  }
  html.leaf("td", text);
}

void write_table(Html& html, Language language, const PrivacyTable& table) {
  html.leaf("h3", table.target == table.name ? table.name
                                             : fmt::format("{} → {}", table.name, table.target));
  {
    const auto element = html.open("table");
    write_table_head(html, language, {Word::column, Word::name_in_secondary, Word::class_});
    const auto body = html.open("tbody");
    for (const auto& column : table.columns) {
      write_column(html, language, column);
    }
  }
  if (table.unnamed > 0) {
    html.leaf("p", phrase(language, Word::unnamed, table.unnamed));
  }
  if (!table.decided_by.empty()) {
    html.leaf("p", phrase(language, Word::decided_by, names(table.decided_by)));
  }
}

/// The chart's whole width: room beside the value and the limit, so that both can be seen.
std::int64_t width_for(std::int64_t value, std::int64_t limit) {
  constexpr std::int64_t kLeast = 10;
  return std::max({kLeast, value, 2 * limit});
}

void write_anonymity(Html& html, Language language, const PrivacyTable& table, std::int64_t min_k) {
  const auto& found = *table.anonymity;
  html.leaf("h3", phrase(language, Word::k_title, table.target, names(table.quasi_identifiers)));
  const auto says = phrase(language, Word::k_is, found.k, found.groups);
  const auto width = width_for(found.k, min_k);
  html.leaf("p", says);
  draw_level(html, {.value = found.k, .whole = width, .limit = min_k}, says);
  html.leaf("p", phrase(language, Word::k_scale, width) +
                     (min_k > 0 ? " " + phrase(language, Word::k_limit, min_k, found.rows_below)
                                : std::string()));
  for (std::size_t i = 0; i < table.sensitive.size() && i < found.l.size(); ++i) {
    html.leaf("h3", phrase(language, Word::l_title, table.sensitive[i]));
    const auto l = phrase(language, Word::l_is, found.l[i]);
    html.leaf("p", l);
    draw_level(html, {.value = found.l[i], .whole = width_for(found.l[i], 0)}, l);
  }
}

void write_unique(Html& html, Language language, const PrivacyTable& table) {
  html.leaf("h3", phrase(language, Word::unique_title, table.target, names(table.unhidden)));
  const auto& [subjects, unique] = *table.uniqueness;
  const auto says = phrase(language, Word::unique_is, unique, subjects);
  html.leaf("p", says);
  draw_level(html, {.value = unique, .whole = subjects}, says);
}

}  // namespace

void write_what_leaves(Html& html, Language language, const Privacy& privacy) {
  html.leaf("p", phrase(language, Word::by_contract, privacy.epoch));
  for (const auto& table : privacy.tables) {
    write_table(html, language, table);
  }
}

void write_hiding(Html& html, Language language, const Privacy& privacy) {
  if (privacy.min_k > 0) {
    html.leaf("p",
              phrase(language, Word::rare_rows, privacy.min_k, privacy.rare, privacy.still_there));
  }
  for (const auto& table : privacy.tables) {
    if (table.quasi_identifiers.empty()) {
      html.leaf("p", phrase(language, Word::no_quasi, table.target));
    } else if (!table.anonymity || table.anonymity->rows == 0) {
      html.leaf("p", phrase(language, Word::not_there_yet, table.target));
    } else {
      write_anonymity(html, language, table, privacy.min_k);
    }
    if (table.uniqueness && table.uniqueness->subjects > 0) {
      write_unique(html, language, table);
    }
  }
}

}  // namespace abgleich::report
