// Which tables and columns the primary has had, where and when, as far as runs were recorded: what
// a `was` says now is compared with it. Names are sealed: most of them never leave.
#pragma once

#include "contract/leaving.hpp"
#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace abgleich::sync {

/// A name of the primary, between the runs of two epochs.
struct NameThen {
  std::int64_t place = 0;  // of a column: its number, or where it stands
  std::int64_t since = 0;
  std::optional<std::int64_t> until;  // empty: the last run that was recorded has seen it

  bool operator==(const NameThen&) const = default;
};
using NamesBySeal = std::map<std::string, NameThen>;

class NamesThen {
 public:
  /// Empty where no run has recorded any: then nothing is known, and nothing was there. Throws
  /// Failure{integrity} where the bookkeeping is damaged.
  static NamesThen read(db::Books& books, contract::Seal seal);

  [[nodiscard]] const NamesBySeal& tables() const { return tables_; }
  /// Of a table under the name that it had in the contract then; empty where nothing is known.
  [[nodiscard]] const NamesBySeal& columns(const std::string& table) const;
  [[nodiscard]] bool knows(const std::string& table) const { return of(table) != nullptr; }

  /// Whether the last run that was recorded has seen the table.
  [[nodiscard]] bool had(const std::string& table) const;
  /// Whether two tables, or two columns of one, were there at once.
  [[nodiscard]] bool had_both(const std::string& one, const std::string& other) const;
  [[nodiscard]] bool had_both(const std::string& table, const std::string& one,
                              const std::string& other) const;
  /// Whether the name is another column's now: it had another number, or stood elsewhere among the
  /// columns that were there then and are there still.
  [[nodiscard]] bool moved(const std::string& table, const DatabaseIdentity& database,
                           const CatalogTable& live, const std::string& column) const;
  /// Whether a table has the names of the columns of `was`, and not those that it had itself.
  [[nodiscard]] bool looks_like(const std::string& was, const std::string& table,
                                const CatalogTable& live) const;

 private:
  struct Columns {
    std::string table;  // its identity; empty: unknown
    NamesBySeal names;
  };

  [[nodiscard]] const Columns* of(const std::string& table) const;
  [[nodiscard]] bool has_columns_of(const std::string& table, const CatalogTable& live) const;

  contract::Seal seal_;
  NamesBySeal tables_;
  std::map<std::string, Columns> columns_;
};

/// Writes down what the primary has now; of columns, those of the contract's tables. Only of a run
/// that is recorded anyway: a new name alone is no news.
void record_names(db::Books& books, const contract::Seal& seal, const contract::Contract& contract,
                  const Catalog& live, std::int64_t epoch);

}  // namespace abgleich::sync
