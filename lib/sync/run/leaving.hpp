// What left with the last run, as the bookkeeping remembers it, against what the contract lets
// leave now: more is a decision (`contract accept`).
#pragma once

#include "contract/leaving.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

/// What the contract lets leave now.
contract::Leaving leaving_now(const Pairing& pairing, const mask::Keyring& keyring);

/// What it lets leave otherwise than the last run did. `live`: the primary as it is; null where
/// nobody has asked it, which is enough for a contract without `was` and `where`.
std::vector<contract::LeavingChange> changes_of_leaving(const Pairing& pairing, db::Target& target,
                                                        const mask::Keyring& keyring,
                                                        const Catalog* live);

/// The refusal of a run that would let more leave than the one before; empty where none would, or
/// where there was none (`head` is empty).
std::optional<Error> refuse_widening(const Pairing& pairing, db::Target& target,
                                     const std::optional<db::HeadRow>& head,
                                     const mask::Keyring& keyring, const Catalog& live);

/// Writes down what the contract lets leave of these tables (names in the primary) as what the run
/// of `epoch` let leave, and forgets those that the contract no longer has; what is known of
/// others, which drift blocks, stays. Returns whether that is anything new.
bool record_leaving(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    std::int64_t epoch, const std::set<std::string>& tables);

/// Writes down which names the primary has now, with a run that is recorded.
void remember_names(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    const Catalog& live, std::int64_t epoch);

/// All that the contract names.
std::set<std::string> all_tables(const contract::Contract& contract);

/// What leaves now and left before.
struct LeavingReport {
  bool first = false;  // no run yet: nothing left before
  std::vector<contract::LeavingChange> changes;
};
LeavingReport compare_leaving(const Pairing& pairing);

struct Accepted {
  std::optional<std::string> run;  // empty: there was nothing to decide
  LeavingReport report;
};
/// Writes down that what the contract lets leave now may leave: a run of its own, with who, when
/// and why. Writes nothing where no more leaves than before.
Accepted accept_leaving(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
