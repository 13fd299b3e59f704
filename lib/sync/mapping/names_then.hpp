// Which tables and columns the primary had in the runs that were recorded, and in which place: a
// `was` of the contract is compared with that. Names are sealed, since most of them never leave.
#pragma once

#include "contract/leaving.hpp"
#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace abgleich::sync {

/// A name of the primary, and in which runs it was there.
struct NameThen {
  std::int64_t place = 0;             // of a column: its number, or its position in the table
  std::int64_t since = 0;             // number of the first run
  std::optional<std::int64_t> until;  // number of the last one; empty: it was there in the newest

  bool operator==(const NameThen&) const = default;
};
using NamesBySeal = std::map<std::string, NameThen>;

class NamesThen {
 public:
  /// Empty where no run has recorded names. Throws Failure{integrity} for damaged bookkeeping.
  static NamesThen read(db::Books& books, contract::Seal seal);

  [[nodiscard]] const NamesBySeal& tables() const { return tables_; }
  /// The columns of a table, by its name in the contract at that time; empty where none are known.
  [[nodiscard]] const NamesBySeal& columns(const std::string& table) const;
  [[nodiscard]] bool knows(const std::string& table) const { return of(table) != nullptr; }

  /// Whether the table was there in the newest run that was recorded.
  [[nodiscard]] bool had(const std::string& table) const;
  /// Whether two tables, or two columns of one, were there at the same time.
  [[nodiscard]] bool had_both(const std::string& one, const std::string& other) const;
  [[nodiscard]] bool had_both(const std::string& table, const std::string& one,
                              const std::string& other) const;
  /// Whether the name now belongs to another column: its number differs or, without numbers, its
  /// position among the columns that were there then and still are. False where that is not known.
  [[nodiscard]] bool moved(const std::string& table, const DatabaseIdentity& database,
                           const CatalogTable& live, const std::string& column) const;
  /// Whether the live table has exactly the column names that table `was` had, and not those that
  /// table `table` had.
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

/// Records the names of the primary's tables, and of the columns of the contract's tables. Only for
/// a run that is committed anyway: a new name alone does not make a run. `epoch`: its number.
void record_names(db::Books& books, const contract::Seal& seal, const contract::Contract& contract,
                  const Catalog& live, std::int64_t epoch);

}  // namespace abgleich::sync
