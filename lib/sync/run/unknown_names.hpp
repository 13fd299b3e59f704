// A name in the contract that nobody knows, and never has: a slip of the pen, and no drift.
#pragma once

#include "core/catalog.hpp"
#include "db/secondary/target.hpp"
#include "sync/pairing.hpp"

#include <vector>

namespace abgleich::sync {

/// Throws Failure{configuration}, with file, line and column and the nearest name, for the first
/// table, or column that is to be exported, that is neither in the accepted catalogue nor in the
/// `live` one and that the secondary, whose bookkeeping knows `tracked`, does not hold either. What
/// any of them knows has been dropped or renamed: drift, and for the table alone.
void refuse_unknown_names(const Pairing& pairing, const Catalog& live, db::Target& secondary,
                          const std::vector<db::TrackedRow>& tracked);

}  // namespace abgleich::sync
