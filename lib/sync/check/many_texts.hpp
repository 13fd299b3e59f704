// Columns whose text leaves as it is and has many different values. Names and free text look like
// that, whatever the column is called.
#pragma once

#include "contract/contract.hpp"
#include "contract/guess.hpp"
#include "core/catalog.hpp"
#include "db/primary/source.hpp"
#include "mask/keyring.hpp"

#include <vector>

namespace abgleich::sync {

/// The columns, in the contract's order, whose texts leave whole or by their first letters, are
/// many or several words long, and have no reason (`because`) in the contract. `init` itself
/// withholds all texts. Looks at the first rows of each table, masked as they would leave; says how
/// many values there are, never which.
std::vector<contract::Doubt> columns_of_many_texts(const contract::Contract& contract,
                                                   const Catalog& primary, db::Source& source,
                                                   const mask::Keyring& keyring);

}  // namespace abgleich::sync
