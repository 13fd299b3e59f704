// k-anonymity and l-diversity of the secondary as it is.
#include "db/target.hpp"

#include <algorithm>
#include <charconv>

namespace abgleich::db {

std::optional<Anonymity> Target::anonymity(const AnonymityQuestion& question) {
  const auto* table = catalog_.find_table(question.table);
  const auto lacks = [&](const std::string& column) {
    return table->find_column(column) == nullptr;
  };
  if (table == nullptr || std::ranges::any_of(question.quasi_identifiers, lacks) ||
      std::ranges::any_of(question.sensitive, lacks) ||
      (question.subject && lacks(*question.subject))) {
    return std::nullopt;
  }
  Anonymity anonymity;
  const auto data = dialect().table(session_.schema, question.table);
  session_.connection->query(
      measure_anonymity(dialect(), data, question), {}, [&](std::span<const Cell> cells) {
        const auto number = [&](std::size_t i) {
          std::int64_t value = 0;
          const auto& digits = cells[i].bytes;
          std::from_chars(digits.data(), digits.data() + digits.size(), value);
          return value;
        };
        anonymity = {.rows = number(0),
                     .groups = number(1),
                     .k = number(2),
                     .groups_below = number(3),
                     .rows_below = number(4),
                     .l = {}};
        for (std::size_t i = 0; i < question.sensitive.size(); ++i) {
          anonymity.l.push_back(number(5 + i));
        }
      });
  return anonymity;
}

}  // namespace abgleich::db
