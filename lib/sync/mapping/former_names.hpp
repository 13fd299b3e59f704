// Under which name the last run has read a table or column for which the contract has a `was` now:
// found by the identities that the bookkeeping remembers, and by the names that the primary has.
#pragma once

#include "contract/leaving.hpp"
#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"
#include "sync/mapping/names_then.hpp"
#include "sync/mapping/table_matches.hpp"

#include <vector>

namespace abgleich::sync {

/// The arguments must outlive this, except `then`. `live`: the primary's catalogue; null where it
/// was not read, which is enough for a contract without `was` and `where`.
class KnownFormerNames : public contract::FormerNames {
 public:
  KnownFormerNames(const contract::Contract& contract, const Catalog* accepted, const Catalog* live,
                   const std::vector<db::TrackedRow>& tracked, NamesThen then);

  [[nodiscard]] contract::FormerName of(const contract::Table& table) const override;
  [[nodiscard]] contract::FormerName of(const contract::Table& table,
                                        const contract::Column& column) const override;
  [[nodiscard]] bool decides_anew(const contract::Table& table) const override;

 private:
  [[nodiscard]] std::string remembered(const std::string& table) const;
  /// The table's name under which the names of its columns were recorded.
  [[nodiscard]] const std::string& recorded(const contract::Table& table) const;

  const Catalog* accepted_;
  const Catalog* live_;
  const std::vector<db::TrackedRow>& tracked_;
  NamesThen then_;
  TableMatches matches_;
};

/// Whether the contract has a `was` or a `where`, which are compared with the primary's names.
bool asks_for_names(const contract::Contract& contract);

}  // namespace abgleich::sync
