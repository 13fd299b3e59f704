// Under which name the last run has read what the contract calls otherwise now: from what the
// bookkeeping remembers of identities, and from which names the primary has.
#pragma once

#include "contract/leaving.hpp"
#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"
#include "sync/mapping/names_then.hpp"
#include "sync/mapping/table_matches.hpp"

#include <vector>

namespace abgleich::sync {

/// What was given must outlive this. `live`: the primary as it is; null where nobody has asked it,
/// which is enough for a contract without `was` and `where`.
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
  /// The name under which the table's names were recorded.
  [[nodiscard]] const std::string& recorded(const contract::Table& table) const;

  const Catalog* accepted_;
  const Catalog* live_;
  const std::vector<db::TrackedRow>& tracked_;
  NamesThen then_;
  TableMatches matches_;
};

/// Whether the contract says anything that has to be compared with the primary's names: `was`,
/// `where`.
bool asks_for_names(const contract::Contract& contract);

}  // namespace abgleich::sync
