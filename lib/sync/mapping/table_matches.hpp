// Which tracked table belongs to which table of the contract. A name can move from one table to
// another; what is remembered of the first must then not be used for the second.
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
  /// `contract` and `tracked` must outlive this. `by_name`: tables that were made anew under their
  /// names, and whose rows have shown that they are the same as before.
  TableMatches(const contract::Contract& contract, const Catalog& primary,
               const std::vector<db::TrackedRow>& tracked,
               const std::set<std::string>& by_name = {});

  /// The tracked row of this table of the contract; null where the table is new. Two tables never
  /// have the same row.
  [[nodiscard]] const db::TrackedRow* of(const contract::Table& table) const;

 private:
  std::map<const contract::Table*, const db::TrackedRow*> rows_;
};

/// Gives a tracked row another name where a table of `next` needs its name in the primary, so that
/// `next` can be written in any order. A table that the contract no longer has keeps its base under
/// such a name, which belongs to no table of the primary.
void free_names(db::Books& books, const std::vector<db::TrackedRow>& tracked,
                const std::vector<db::TrackedRow>& next);

}  // namespace abgleich::sync
