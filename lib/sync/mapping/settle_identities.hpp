// Settles form and format of each identity's pseudonyms: as they were when the identity was first
// made, and the same for all columns that refer to it, so that rows which join in the primary join
// in the secondary, too.
#pragma once

#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"
#include "sync/pairing.hpp"

#include <vector>

namespace abgleich::sync {

/// The pairing with `format` and `form` of every pseudonym filled in. A column that refers, by
/// foreign keys of the primary, to other columns of its identity takes those of the root, where the
/// chain ends. A root keeps those that it had at the last run, whatever its type is now. A new root
/// takes what is remembered of its identity, or else what its type says. A `format` that the
/// contract names is never changed.
Pairing settle_identities(const Pairing& pairing, const Catalog& primary,
                          const std::vector<db::TrackedRow>& tracked);

/// The same for commands that have not opened the secondary: opens it, unless it is a file that
/// does not exist yet.
Pairing settle_identities(const Pairing& pairing, const Catalog& primary);

}  // namespace abgleich::sync
