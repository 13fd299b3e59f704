// The end of a run: base, journal, conflicts, quarantine, run and head in the data's transaction;
// intent, commit, anchor.
#pragma once

#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "sync/apply.hpp"
#include "sync/detect.hpp"
#include "sync/exported.hpp"
#include "sync/pairing.hpp"
#include "sync/recover.hpp"
#include "sync/schema.hpp"
#include "sync/sync.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

/// What a run is in the chain, before it has a hash.
struct RunFacts {
  std::string kind;  // "sync", "resolve", "adopt", "revert", "resume", "repair", "rotate",
                     // "lay-down", "accept", "rekey"
  std::string started;
  std::optional<std::string> reason;
  std::string counts;  // JSON
  enum class Pause : std::uint8_t { as_it_was, set, lift };
  Pause pause = Pause::as_it_was;
  std::string pause_reason{};
  std::string drift{};  // that it saw
};

/// Advances the head by one run and commits: head compare-and-set, intent, commit, anchor. Returns
/// the run's id. Throws Failure{outcome_unknown} where the connection is lost in the commit.
std::string commit_run(const Pairing& pairing, db::Target& target,
                       const std::optional<db::HeadRow>& head, const std::string& key_check,
                       const std::string& primary_id, const RunFacts& facts);

/// Settles the books of a run; commits if anything has changed, otherwise leaves the secondary as
/// it is. Fills in the outcome's run, result and open counts. `on_change` is told, where the
/// options ask for it, when only the commit is left to be done: what was told cannot be tried
/// again.
void finish_run(const Pairing& pairing, db::Target& target,
                const std::vector<ExportedTable>& tables, const std::vector<Judged>& judged,
                const std::optional<db::HeadRow>& head, const Schema& schema,
                const mask::Keyring& keyring, const Primary& primary, const Options& options,
                Detection& detection, const OnChange& on_change, report::Outcome& outcome);

/// The counts of a run as its row remembers them: table -> counts, as JSON.
std::string counts_json(const std::vector<report::TableCounts>& tables);

/// The open counts of a dry run: what it found.
void count_findings(const std::vector<Judged>& judged, report::Outcome& outcome);

/// The counts into the outcome, and the severest code.
void settle_outcome(const std::vector<Judged>& judged, report::Outcome& outcome);

}  // namespace abgleich::sync
