// What `verify` can prove without the primary: that the bookkeeping and the bases are as the runs
// have left them.
#pragma once

#include "db/bookkeeping/books_rows.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "state/latch.hpp"
#include "sync/pairing.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

struct BooksAlone {
  std::optional<db::HeadRow> head;  // empty: no run yet
  std::vector<state::Damage> damage;
};

/// Seals, MACs, the chain of runs and every base, read whole. Sets no latch, and does not compare
/// the secondary with the anchor. Throws Failure{key_or_trust} for another key.
BooksAlone verify_books(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring);

}  // namespace abgleich::sync
