#include "db/anonymity.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

/// Types without equality (json) are compared as text.
std::string as_text(const Dialect& dialect, const std::string& column) {
  return fmt::format("CAST({} AS text)", dialect.quote(column));
}

/// Different values, NULL being one.
std::string values_of(const std::string& column) {
  return fmt::format("count(DISTINCT {0}) + max(CASE WHEN {0} IS NULL THEN 1 ELSE 0 END)", column);
}

}  // namespace

std::string measure_anonymity(const Dialect& dialect, const std::string& data,
                              const AnonymityQuestion& question) {
  std::string groups;
  for (const auto& column : question.quasi_identifiers) {
    groups += (groups.empty() ? "" : ", ") + as_text(dialect, column);
  }
  std::string subjects = "count(*)";
  if (question.subject) {
    subjects = fmt::format("count(DISTINCT {0}) + sum(CASE WHEN {0} IS NULL THEN 1 ELSE 0 END)",
                           as_text(dialect, *question.subject));
  }
  std::string values;
  std::string fewest;
  for (std::size_t i = 0; i < question.sensitive.size(); ++i) {
    values += fmt::format(", {} AS l{}", values_of(as_text(dialect, question.sensitive[i])), i);
    fewest += fmt::format(", coalesce(min(l{}), 0)", i);
  }
  return fmt::format(
      "SELECT coalesce(sum(n), 0), count(*), coalesce(min(k), 0), "
      "coalesce(sum(CASE WHEN k < {0} THEN 1 ELSE 0 END), 0), "
      "coalesce(sum(CASE WHEN k < {0} THEN n ELSE 0 END), 0){1} "
      "FROM (SELECT count(*) AS n, {2} AS k{3} FROM {4} GROUP BY {5}) AS g",
      question.min_k, fewest, subjects, values, data, groups);
}

}  // namespace abgleich::db
