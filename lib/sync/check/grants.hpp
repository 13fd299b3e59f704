// The rights that the roles of a pairing need, and those that they have beyond that.
#pragma once

#include "db/engine/grants.hpp"
#include "sync/pairing.hpp"

#include <optional>

namespace abgleich::sync {

/// Of the role that reads the primary: the columns that the contract exports, and nothing else.
/// Nothing where the engine has no roles.
std::optional<db::Grants> grants_in_primary(const Pairing& pairing);

/// Of the role that writes the secondary: the contract's tables and the bookkeeping.
std::optional<db::Grants> grants_in_secondary(const Pairing& pairing);

}  // namespace abgleich::sync
