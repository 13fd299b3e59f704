// What people have done to the secondary's tables, for commands that only look.
#pragma once

#include "core/error.hpp"
#include "db/secondary/target.hpp"
#include "drift/drift.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

struct SecondaryLook {
  std::vector<drift::Event> events;
  std::optional<Error> why_not;  // why it could not be looked at, or why every run is refused
};

/// Reads the secondary's catalogue and bookkeeping, as far as it can be reached; writes nothing.
/// `drift`: the events of the primary's `live` catalogue; tables that they block are not looked at.
SecondaryLook look_at_secondary(const Pairing& pairing, const Catalog& live,
                                const std::vector<drift::Event>& drift);

/// The same for a secondary that is open already. REQUIRES: its bookkeeping was checked.
SecondaryLook look_at_secondary(const Pairing& pairing, db::Target& target,
                                const mask::Keyring& keyring, const Catalog& live,
                                const std::vector<drift::Event>& drift);

}  // namespace abgleich::sync
