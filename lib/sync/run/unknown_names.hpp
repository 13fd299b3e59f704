// Refuses names in the contract that neither database has or had: a typing error, and no drift.
#pragma once

#include "core/catalog.hpp"
#include "db/secondary/target.hpp"
#include "sync/pairing.hpp"

#include <vector>

namespace abgleich::sync {

/// Throws Failure{configuration}, with file, line and column and the nearest name, for the first
/// table, or column that is to be read, which is neither in the accepted catalogue, nor in the
/// `live` one, nor in the secondary (`tracked`: the tables that its bookkeeping knows). If one of
/// them has it, it was dropped or renamed: that is drift, and concerns its table only.
void refuse_unknown_names(const Pairing& pairing, const Catalog& live, db::Target& secondary,
                          const std::vector<db::TrackedRow>& tracked);

}  // namespace abgleich::sync
