#include "db/secondary/anonymity.hpp"

#include "db/engine/clauses.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

/// Types without equality (json) are compared as text.
std::string as_text(const Dialect& dialect, const std::string& column) {
  return dialect.as_text(dialect.quote(column));
}

/// The number of different values; NULL counts as one.
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

std::string measure_uniqueness(const Dialect& dialect, const std::vector<std::string>& tables,
                               const UniquenessQuestion& question) {
  const auto text_of = [&](std::string_view alias, const std::string& column) {
    return dialect.as_text(fmt::format("{}.{}", alias, dialect.quote(column)));
  };
  std::string from = tables.front() + " t";
  std::string groups;
  const auto group = [&](const std::string& column) {
    groups += (groups.empty() ? "" : ", ") + column;
  };
  for (const auto& column : question.columns) {
    group(text_of("t", column));
  }
  for (std::size_t i = 0; i < question.joins.size(); ++i) {
    const auto& join = question.joins[i];
    const auto alias = fmt::format("j{}", i);
    std::string on;
    for (const auto& [own, other] : join.on) {
      on += fmt::format("{}{} = {}", on.empty() ? "" : " AND ",
                        dialect.bytewise(text_of(alias, other)), text_of("t", own));
    }
    from += fmt::format(" LEFT JOIN {} {} ON {}", tables[i + 1], alias, on);
    for (const auto& column : join.columns) {
      group(text_of(alias, column));
    }
  }
  if (!question.subject) {
    return fmt::format(
        "SELECT coalesce(sum(n), 0), coalesce(sum(CASE WHEN n = 1 THEN 1 ELSE 0 END), 0) "
        "FROM (SELECT count(*) AS n FROM {} GROUP BY {}) AS g",
        from, groups);
  }
  const auto subject = text_of("t", *question.subject);
  return fmt::format(
      "SELECT (SELECT count(DISTINCT {0}) FROM {1} t), count(DISTINCT one) FROM (SELECT min({0}) "
      "AS "
      "one FROM {2} WHERE t.{3} IS NOT NULL GROUP BY {4} HAVING count(DISTINCT {0}) = 1) AS g",
      subject, tables.front(), from, dialect.quote(*question.subject), groups);
}

std::string count_values(const Dialect& dialect, const std::string& data,
                         const std::vector<std::string>& columns) {
  std::string counts;
  for (const auto& column : columns) {
    counts += (counts.empty() ? "" : ", ") + values_of(as_text(dialect, column));
  }
  return fmt::format("SELECT {} FROM {}", counts, data);
}

}  // namespace abgleich::db
