// How many subjects of a table share the values that could tell who they are.
#pragma once

#include "db/engine/dialect.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::db {

/// Columns by their names in the secondary.
struct AnonymityQuestion {
  std::string table;
  std::optional<std::string> subject;  // empty: each row is a subject
  std::vector<std::string> quasi_identifiers;
  std::vector<std::string> sensitive;
  std::int64_t min_k = 0;
};

/// Groups are the rows with the same quasi-identifiers. NULL is a value like another: rows that
/// have it in the same column can share a group, and it counts as one sensitive value. Subjects are
/// counted once each; a row without a subject is one of its own.
struct Anonymity {
  std::int64_t rows = 0;
  std::int64_t groups = 0;
  std::int64_t k = 0;             // subjects of the smallest group; 0: there are no rows
  std::int64_t groups_below = 0;  // of fewer subjects than min_k
  std::int64_t rows_below = 0;
  std::vector<std::int64_t> l;  // for each sensitive column: the fewest values that a group has

  bool operator==(const Anonymity&) const = default;
};

/// The columns that leave as they are, or generalised, of a table and of the tables that it refers
/// to. Columns by their names in the secondary.
struct UniquenessQuestion {
  struct Join {
    std::string table;
    std::vector<std::pair<std::string, std::string>> on;  // the first table's column, this one's
    std::vector<std::string> columns;
  };
  std::string table;
  std::optional<std::string> subject;  // empty: each row is a subject
  std::vector<std::string> columns;
  std::vector<Join> joins;
};

struct Uniqueness {
  std::int64_t subjects = 0;
  std::int64_t unique = 0;  // subjects with a row whose values no other subject has

  bool operator==(const Uniqueness&) const = default;
};

/// The query whose one row has the numbers of `Uniqueness`. `tables`: quoted, the question's table,
/// then those of the joins. REQUIRES: there are columns.
std::string measure_uniqueness(const Dialect& dialect, const std::vector<std::string>& tables,
                               const UniquenessQuestion& question);

/// The query whose one row has the number of different values of each column.
std::string count_values(const Dialect& dialect, const std::string& data,
                         const std::vector<std::string>& columns);

/// The query whose one row has the numbers of `Anonymity`, in their order. `data` is the quoted
/// table. REQUIRES: there are quasi-identifiers.
std::string measure_anonymity(const Dialect& dialect, const std::string& data,
                              const AnonymityQuestion& question);

}  // namespace abgleich::db
