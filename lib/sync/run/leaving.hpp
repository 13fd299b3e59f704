// Compares what left with the last run, as the bookkeeping remembers it, with what the contract
// lets leave now. If that is more, a person has to decide (`contract accept`).
#pragma once

#include "contract/leaving.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// What the contract lets leave now.
contract::Leaving leaving_now(const Pairing& pairing, const mask::Keyring& keyring);

/// The differences between that and what left with the last run. `live`: the primary's catalogue;
/// null where it was not read, which is enough for a contract without `was` and `where`.
std::vector<contract::LeavingChange> changes_of_leaving(const Pairing& pairing, db::Target& target,
                                                        const mask::Keyring& keyring,
                                                        const Catalog* live);

/// The error for a run that would let more leave than the last run; empty where it would not, or
/// where it is the first run (`head` is empty).
std::optional<Error> refuse_widening(const Pairing& pairing, db::Target& target,
                                     const std::optional<db::HeadRow>& head,
                                     const mask::Keyring& keyring, const Catalog& live);

/// How what leaves by the contract now compares with what the runs went by. What the bookkeeping
/// has kept of a table, such as both values of a conflict and the values that a run has
/// overwritten, may be more than the contract lets leave now: then it is neither shown to others
/// nor written to the data. Tables are named as in the primary.
class LeftBefore {
 public:
  LeftBefore(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring);

  /// Whether what left of the table with the last run leaves in the same way; more may leave beside
  /// it.
  [[nodiscard]] bool is_same(std::string_view table) const { return same_.contains(table); }
  /// The same, and whether no run since that of this number (`epoch`), nor that run itself, has
  /// begun to let something leave in another way.
  [[nodiscard]] bool is_same_since(std::string_view table, std::int64_t epoch) const {
    const auto since = since_.find(table);
    return is_same(table) && since != since_.end() && since->second < epoch;
  }

 private:
  std::set<std::string, std::less<>> same_;
  std::map<std::string, std::int64_t, std::less<>> since_;
};

/// By what it is decided that something may leave: a run goes by it at once; after a decision, the
/// next run does.
enum class LeavingBy : std::uint8_t { run, decision };

/// Records what leaves of these tables (names in the primary) with the run of this number
/// (`epoch`), and forgets tables that the contract no longer has. What is recorded of its other
/// tables, which drift blocks, stays. Returns whether anything has changed.
bool record_leaving(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    std::int64_t epoch, const std::set<std::string>& tables, LeavingBy by);

/// Records which names the primary has now. Only for a run that is committed.
void remember_names(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    const Catalog& live, std::int64_t epoch);

/// The names in the primary of all tables of the contract.
std::set<std::string> all_tables(const contract::Contract& contract);

/// How what leaves now differs from what left before.
struct LeavingReport {
  bool first = false;  // no run yet: nothing left before
  std::vector<contract::LeavingChange> changes;
};
LeavingReport compare_leaving(const Pairing& pairing);

struct Accepted {
  std::optional<std::string> run;  // empty: there was nothing to decide
  LeavingReport report;
};
/// Records that what the contract lets leave now may leave, as a run of its own with who, when and
/// why. Writes nothing where no more leaves than before.
Accepted accept_leaving(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
