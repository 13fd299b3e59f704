// Where a column of a SQLite table is gone and another may be it under its name: what the values
// say. They are compared here: what is in doubt does not reach the secondary.
#pragma once

#include "db/source.hpp"
#include "db/target.hpp"
#include "drift/drift.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <vector>

namespace abgleich::sync {

/// Takes back what is said of columns whose values are, row by row, what the base says that they
/// were; of others, says how many are not.
void prove_places(std::vector<drift::Event>& events, const Pairing& pairing, db::Source& source,
                  db::Target& target, const mask::Keyring& keyring);

}  // namespace abgleich::sync
