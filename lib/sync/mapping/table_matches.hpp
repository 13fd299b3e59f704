// Which of the tables that the secondary knows is which of the contract's: names move from one
// table to another, and what is remembered of the one must not be taken for the other's.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

class TableMatches {
 public:
  /// `tracked` must outlive this. `by_name`: tables that were made anew under their names, and
  /// whose rows have shown that they are what they were.
  TableMatches(const contract::Contract& contract, const Catalog& primary,
               const std::vector<db::TrackedRow>& tracked,
               const std::set<std::string>& by_name = {});

  /// What the last run left of this table of the contract; null where it is new. No row is two
  /// tables'.
  [[nodiscard]] const db::TrackedRow* of(const contract::Table& table) const;

 private:
  std::map<const contract::Table*, const db::TrackedRow*> rows_;
};

/// Lets go of the names in the primary that other tables have from now on, so that `next` can be
/// put in any order. What the contract no longer names keeps its base under a name that no table
/// has.
void free_names(db::Books& books, const std::vector<db::TrackedRow>& tracked,
                const std::vector<db::TrackedRow>& next);

}  // namespace abgleich::sync
