// Text that leaves as it is and is of many different kinds: names and free text look so, whatever
// their columns are called.
#pragma once

#include "contract/contract.hpp"
#include "contract/guess.hpp"
#include "core/catalog.hpp"
#include "db/primary/source.hpp"
#include "mask/keyring.hpp"

#include <vector>

namespace abgleich::sync {

/// The columns, in the contract's order, whose texts leave plain or by their first letters, are
/// many or several words long, and whose lines give no reason (`because`). `init` keeps texts back,
/// whatever is in them. Looks at the first rows of each table, as they would leave; says how many
/// values there are, never which.
std::vector<contract::Doubt> columns_of_many_texts(const contract::Contract& contract,
                                                   const Catalog& primary, db::Source& source,
                                                   const mask::Keyring& keyring);

}  // namespace abgleich::sync
