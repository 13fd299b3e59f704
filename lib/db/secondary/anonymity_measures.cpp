#include "db/secondary/anonymity_measures.hpp"

#include "db/engine/cell_values.hpp"
#include "db/secondary/target.hpp"

#include <algorithm>
#include <charconv>

namespace abgleich::db {

std::optional<Anonymity> measure_anonymity(Target& target, const AnonymityQuestion& question) {
  const auto* table = target.catalog().find_table(question.table);
  const auto lacks = [&](const std::string& column) {
    return table->find_column(column) == nullptr;
  };
  if (table == nullptr || std::ranges::any_of(question.quasi_identifiers, lacks) ||
      std::ranges::any_of(question.sensitive, lacks) ||
      (question.subject && lacks(*question.subject))) {
    return std::nullopt;
  }
  Anonymity anonymity;
  const auto data = target.dialect().table(target.session().schema, question.table);
  target.connection().query(
      measure_anonymity(target.dialect(), data, question), {}, [&](std::span<const Cell> cells) {
        const auto digits_at = [&](std::size_t i) {
          std::int64_t value = 0;
          const auto& digits = cells[i].bytes;
          std::from_chars(digits.data(), digits.data() + digits.size(), value);
          return value;
        };
        anonymity = {.rows = digits_at(0),
                     .groups = digits_at(1),
                     .k = digits_at(2),
                     .groups_below = digits_at(3),
                     .rows_below = digits_at(4),
                     .l = {}};
        for (std::size_t i = 0; i < question.sensitive.size(); ++i) {
          anonymity.l.push_back(digits_at(5 + i));
        }
      });
  return anonymity;
}

std::optional<Uniqueness> measure_uniqueness(Target& target, const UniquenessQuestion& question) {
  const auto has = [&](const std::string& table, const std::vector<std::string>& columns) {
    const auto* found = target.catalog().find_table(table);
    return found != nullptr && std::ranges::all_of(columns, [&](const std::string& column) {
             return found->find_column(column) != nullptr;
           });
  };
  auto asked = question;
  std::erase_if(asked.joins, [&](const UniquenessQuestion::Join& join) {
    return !has(join.table, join.columns) || !std::ranges::all_of(join.on, [&](const auto& pair) {
      return has(question.table, {pair.first}) && has(join.table, {pair.second});
    });
  });
  if (!has(asked.table, asked.columns) || (asked.subject && !has(asked.table, {*asked.subject}))) {
    return std::nullopt;
  }
  std::vector<std::string> tables{target.dialect().table(target.session().schema, asked.table)};
  for (const auto& join : asked.joins) {
    tables.push_back(target.dialect().table(target.session().schema, join.table));
  }
  Uniqueness found;
  target.connection().query(measure_uniqueness(target.dialect(), tables, asked), {},
                            [&](std::span<const Cell> cells) {
                              found = {.subjects = number(cells[0]), .unique = number(cells[1])};
                            });
  return found;
}

std::vector<std::int64_t> count_values(Target& target, const std::string& table,
                                       const std::vector<std::string>& columns) {
  std::vector<std::int64_t> counts(columns.size());
  const auto* table_there = target.catalog().find_table(table);
  std::vector<std::string> there;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; table_there != nullptr && i < columns.size(); ++i) {
    if (table_there->find_column(columns[i]) != nullptr) {
      there.push_back(columns[i]);
      places.push_back(i);
    }
  }
  if (there.empty()) {
    return counts;
  }
  target.connection().query(
      count_values(target.dialect(), target.dialect().table(target.session().schema, table), there),
      {}, [&](std::span<const Cell> cells) {
        for (std::size_t i = 0; i < places.size(); ++i) {
          counts[places[i]] = number(cells[i]);
        }
      });
  return counts;
}

}  // namespace abgleich::db
