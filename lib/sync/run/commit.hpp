// The end of a run: base, journal, conflicts, quarantine, run and head in the data's transaction;
// intent, commit, anchor.
#pragma once

#include "db/secondary/target.hpp"
#include "journal/run_kind.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/located_table.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/options.hpp"
#include "sync/pairing.hpp"
#include "sync/run/apply.hpp"
#include "sync/run/detect.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/schema.hpp"

#include <optional>
#include <vector>

namespace abgleich::sync {

/// The fate that the journal gives a table's first load, which it keeps as one record.
inline constexpr std::string_view kFirstLoad = "first_load";

class RunAttempt;  // writing_run.hpp

/// What a run is in the chain, before it has a hash.
struct RunFacts {
  journal::RunKind kind = journal::RunKind::sync;
  std::string started{};  // empty: when the attempt began
  std::optional<std::string> reason;
  std::string counts;  // JSON
  enum class Pause : std::uint8_t { as_it_was, set, lift };
  Pause pause = Pause::as_it_was;
  std::string pause_reason{};
  std::string drift{};  // that it saw
  // where the head has other ones from this run on
  std::optional<std::string> key_check{};
  std::optional<std::string> primary_id{};
};

/// Advances the head by one run and commits: head compare-and-set, intent, commit, anchor. Returns
/// the run's id. Throws Failure{outcome_unknown} where the connection is lost in the commit.
std::string commit_run(const Pairing& pairing, db::Target& target,
                       const std::optional<db::HeadRow>& head, const RunFacts& facts);

/// What a run has done, when only its books are left to settle.
struct FinishedRun {
  const Pairing& pairing;
  const mask::Keyring& keyring;
  RunAttempt& attempt;
  const Primary& primary;
  const Catalog& live;  // the primary's
  const Options& options;
  const Schema& schema;
  const std::vector<LocatedTable>& tables;
  const std::vector<Judged>& judged;
};

/// Settles the books of a run; commits if anything has changed, otherwise leaves the secondary as
/// it is. Fills in the outcome's run, result and open counts. `on_change` is told, where the
/// options ask for it, when only the commit is left to be done: what was told cannot be tried
/// again.
void finish_run(const FinishedRun& run, Detection& detection, const OnChange& on_change,
                report::Outcome& outcome);

/// The counts of a run as its row remembers them: table -> counts, as JSON.
std::string counts_json(const std::vector<report::TableCounts>& tables);

/// The open counts of a dry run: what it found.
void count_findings(const std::vector<Judged>& judged, report::Outcome& outcome);

/// The counts into the outcome, and the severest code.
void sum_up(const std::vector<Judged>& judged, report::Outcome& outcome);

}  // namespace abgleich::sync
