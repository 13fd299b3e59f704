#include "report/page/conflict_table.hpp"

#include "report/local_time.hpp"
#include "report/page/table_head.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace abgleich::report {

namespace {

constexpr std::array<std::pair<std::string_view, Word>, 5> kConflictKinds{
    {{"both_updated", Word::conflict_both_updated},
     {"updated_and_deleted", Word::conflict_updated_and_deleted},
     {"deleted_and_updated", Word::conflict_deleted_and_updated},
     {"both_inserted", Word::conflict_both_inserted},
     {"constraint", Word::conflict_constraint}}};

std::string kind_words(Language language, const ShownConflict& conflict) {
  const auto* found = std::ranges::find(kConflictKinds, std::string_view(conflict.kind),
                                        &std::pair<std::string_view, Word>::first);
  auto text =
      found == kConflictKinds.end() ? conflict.kind : std::string(word(language, found->second));
  if (!conflict.obstacle.empty()) {
    text += " " + phrase(language, Word::constraint,
                         conflict.obstacle +
                             (conflict.constraint.empty() ? "" : " " + conflict.constraint));
  }
  return text;
}

std::optional<Word> word_in_place(ShownValue::Is is) {
  switch (is) {
    case ShownValue::Is::text:
      return std::nullopt;
    case ShownValue::Is::null:
      return Word::null_value;
    case ShownValue::Is::no_row:
      return Word::no_row;
    case ShownValue::Is::not_read:
      return Word::not_read;
    case ShownValue::Is::withheld:
      return Word::withheld_value;
  }
  return std::nullopt;
}

void write_cell(Html& html, Language language, const ShownCell& cell) {
  const auto row = html.open("tr", {{"class", cell.differs ? "differs" : "same"}});
  {
    const auto name = html.open("th", {{"scope", "row"}});
    html.leaf("bdi", cell.column);
    if (cell.differs) {
      html.text(" (");
      html.text(word(language, Word::differs));
      html.text(")");
    }
  }
  for (const auto* value : {&cell.primary, &cell.secondary}) {
    const auto data = html.open("td");
    write_value(html, language, *value);
  }
}

}  // namespace

std::string moment_words(Language language, std::string_view utc, std::int64_t age) {
  return phrase(language, Word::ago, with_local(utc), span_words(language, age));
}

void write_value(Html& html, Language language, const ShownValue& value) {
  if (const auto instead = word_in_place(value.is)) {
    html.leaf("em", word(language, *instead));
    return;
  }
  if (value.text.empty()) {
    html.leaf("em", word(language, Word::empty_text));
    return;
  }
  html.leaf("bdi", value.text);
  if (value.more > 0) {
    html.text(" ");
    html.leaf("em", phrase(language, Word::more_bytes, value.more));
  }
}

void write_key(Html& html, Language language, const std::vector<ShownKey>& key) {
  bool first = true;
  for (const auto& [column, value] : key) {
    html.text(first ? "" : ", ");
    first = false;
    html.leaf("bdi", column);
    html.text("=");
    write_value(html, language, value);
  }
}

void write_conflict_name(Html& html, Language language, const ShownConflict& conflict) {
  html.leaf("bdi", conflict.table);
  html.text(" ");
  {
    const auto key = html.open("span", {{"class", "key"}});
    write_key(html, language, conflict.key);
  }
  html.text(" · ");
  html.text(phrase(language, Word::conflict_id, conflict.id));
}

void write_conflict(Html& html, Language language, const ShownConflict& conflict) {
  html.leaf("p", kind_words(language, conflict));
  if (!conflict.blocking_table.empty() && !conflict.blocking_key.empty()) {
    const auto paragraph = html.open("p");
    html.text(word(language, Word::in_the_way));
    html.text(" ");
    html.leaf("bdi", conflict.blocking_table);
    html.text(" ");
    write_key(html, language, conflict.blocking_key);
  }
  if (!conflict.since.empty()) {
    html.leaf("p", phrase(language, Word::open_since,
                          moment_words(language, conflict.since, conflict.age)));
  }
  const auto table = html.open("table");
  write_table_head(html, language, {Word::column, Word::in_primary, Word::in_secondary});
  const auto body = html.open("tbody");
  for (const auto& cell : conflict.cells) {
    write_cell(html, language, cell);
  }
}

}  // namespace abgleich::report
