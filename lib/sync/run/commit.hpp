// The end of a run: writes base, journal, conflicts, quarantine, run and head in the data's
// transaction, then the intent, commits, and writes the anchor.
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

/// What the chain of runs records of a run, before the run has a hash.
struct RunFacts {
  journal::RunKind kind = journal::RunKind::sync;
  std::string started{};  // empty: when the attempt began
  std::optional<std::string> reason;
  std::string counts;  // JSON
  enum class Pause : std::uint8_t { as_it_was, set, lift };
  Pause pause = Pause::as_it_was;
  std::string pause_reason{};
  std::string drift{};  // the drift that the run has seen
  // only where the head has other ones from this run on
  std::optional<std::string> key_check{};
  std::optional<std::string> primary_id{};
};

/// Advances the head by one run and commits: head compare-and-set, intent, commit, anchor. Returns
/// the run's id. Throws Failure{outcome_unknown} where the connection is lost in the commit,
/// Failure{try_again} where another run has committed in the meantime.
std::string commit_run(const Pairing& pairing, db::Target& target,
                       const std::optional<db::HeadRow>& head, const RunFacts& facts);

/// A run whose rows are written and whose bookkeeping is still to be written.
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

/// Writes the bookkeeping of a run and commits, if anything has changed. If nothing has, the
/// secondary stays as it is, except that old changes are purged from the journal. Fills in the
/// outcome's run, result and open counts. With Detail::changes, `on_change` is called only when
/// nothing but the commit is left to do: once changes were told, an attempt is not repeated.
void finish_run(const FinishedRun& run, Detection& detection, const OnChange& on_change,
                report::Outcome& outcome);

/// The counts of a run as its row in the bookkeeping has them: table -> counts, as JSON.
std::string counts_json(const std::vector<report::TableCounts>& tables);

/// Sets the open counts and the result of a dry run, from what it has found.
void count_findings(const std::vector<Judged>& judged, report::Outcome& outcome);

/// Adds counts and notes to the outcome, and sets its severest code.
void sum_up(const std::vector<Judged>& judged, report::Outcome& outcome);

}  // namespace abgleich::sync
