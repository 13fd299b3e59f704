// Whether something still keeps the rows of a table apart by the contract's key.
#pragma once

#include "core/catalog.hpp"

#include <vector>

namespace abgleich::drift {

/// A column of the contract's key, in both catalogues.
struct KeyColumn {
  const CatalogColumn* accepted;
  const CatalogColumn* live;
};

/// The accepted primary or unique key over some of these columns, if there was one and nothing of
/// the kind is left. A column that was NOT NULL and is not any more does not count as a loss here:
/// that is an event of its own.
const CatalogKey* lost_key(const CatalogTable& accepted, const CatalogTable& live,
                           const std::vector<KeyColumn>& columns);

}  // namespace abgleich::drift
