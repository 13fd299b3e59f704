// What the pseudonyms of each identity are made of and what they look like: as it was when the
// identity was first made, and the same for whatever refers to it, so that who joins in the primary
// joins in the secondary.
#pragma once

#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"
#include "sync/pairing.hpp"

#include <vector>

namespace abgleich::sync {

/// The pairing with `format` and `form` of every pseudonym of its contract settled. A column that
/// refers to another of its identity by a foreign key of the primary takes that one's, through
/// however many tables; what it ends in keeps what it had when the last run read it, whatever its
/// type is now, and is what its type says where it is new. A `format` that the contract writes
/// stands.
Pairing settle_identities(const Pairing& pairing, const Catalog& primary,
                          const std::vector<db::TrackedRow>& tracked);

/// The same for commands that have not opened the secondary: it is asked what it remembers, if it
/// is there.
Pairing settle_identities(const Pairing& pairing, const Catalog& primary);

}  // namespace abgleich::sync
