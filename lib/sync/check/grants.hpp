// The rights that the roles of a pairing need, and those that they have beyond that.
#pragma once

#include "db/engine/grants.hpp"
#include "sync/pairing.hpp"

#include <optional>

namespace abgleich::sync {

/// For the role that reads the primary: it needs to read what the contract names and those that
/// peers get, and nothing else. Empty where the engine has no roles.
std::optional<db::Grants> grants_in_primary(const Pairing& pairing);

/// For the role that writes the secondary: it needs the contract's tables and the bookkeeping.
/// Empty where the engine has no roles.
std::optional<db::Grants> grants_in_secondary(const Pairing& pairing);

}  // namespace abgleich::sync
