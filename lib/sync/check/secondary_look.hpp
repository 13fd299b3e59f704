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
  std::optional<Error> why_not;  // what kept us from looking, or what no run gets past
};

/// Reads the secondary's catalogue and bookkeeping, as far as it can be reached; writes nothing.
/// `drift` are the events of the `live` catalogue of the primary: what they block is not looked at.
SecondaryLook look_at_secondary(const Pairing& pairing, const Catalog& live,
                                const std::vector<drift::Event>& drift);

/// The same, where the secondary is open. REQUIRES: its bookkeeping was checked.
SecondaryLook look_at_secondary(const Pairing& pairing, db::Target& target,
                                const mask::Keyring& keyring, const Catalog& live,
                                const std::vector<drift::Event>& drift);

}  // namespace abgleich::sync
