#include "sync/check/overview.hpp"

#include "core/clock.hpp"
#include "db/secondary/target.hpp"
#include "journal/decisions.hpp"
#include "journal/quarantine_cause.hpp"
#include "mask/keyring.hpp"
#include "state/heartbeat.hpp"
#include "sync/check/privacy.hpp"
#include "sync/check/status.hpp"
#include "sync/history/history.hpp"
#include "sync/history/resolve.hpp"
#include "sync/merge/plan.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/leaving.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace abgleich::sync {

namespace {

// More than these make a page that nobody reads to its end. What was decided goes from the page of
// decisions, and the next ones come.
constexpr std::int64_t kChartedRuns = 60;
constexpr std::size_t kMostConflicts = 200;
constexpr std::size_t kMostDecisions = 1000;
constexpr std::size_t kMostHeld = 200;

/// By the contract as it is now: columns of a table by its name in the primary. Where other things
/// of the table leave than with the last run, nothing that was kept since then does.
report::Leaves leaves_by(const Pairing& pairing) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  db::Target target(pairing.config.secondary, db::Mode::dry);
  auto judged = open_to_look(pairing, target) ? tables_as_judged(pairing, target, keyring)
                                              : std::set<std::string>{};
  return [&contract = pairing.contract, judged = std::move(judged)](std::string_view table,
                                                                    std::string_view column) {
    const auto* found = contract.find_table(table);
    return found != nullptr && judged.contains(found->name) &&
           std::ranges::any_of(found->columns, [&](const contract::Column& each) {
             return each.exported() && each.as == column;
           });
  };
}

/// Adds the first `most` open conflicts, and counts the others. Those about rare rows are only
/// counted.
template <class Page>
void collect_conflicts(const Pairing& pairing, const report::Leaves& leaves, std::size_t most,
                       Page& page) {
  each_conflict(pairing, [&](const report::Change& change) {
    if (!change.reason.empty()) {
      ++page.rare_conflicts;
    } else if (page.conflicts.size() < most) {
      page.conflicts.push_back(report::shown_conflict(change, leaves));
    } else {
      ++page.more_conflicts;
    }
  });
}

/// Of rows that are rare, the page has only the number, as the secondary has it.
void collect_held(const Pairing& pairing, const report::Leaves& leaves,
                  report::Overview& overview) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  (void)open_to_look(pairing, target);
  if (!target.books().exist()) {
    return;
  }
  std::map<std::int64_t, std::string> names;
  for (const auto& row : target.books().tracked()) {
    names[row.id] = row.source;
  }
  target.books().quarantines([&](const db::QuarantineRow& row) {
    overview.held_rows += row.rows;
    if (overview.held.size() < kMostHeld) {
      overview.held.push_back(report::held_row(change_of(names[row.tracked], row), leaves));
    } else {
      overview.more_held += row.rows;
    }
  });
}

}  // namespace

report::Overview overview(const Pairing& pairing) {
  report::Overview overview{
      .pairing = contract::name_of_pairing(pairing.config.file),
      .made = now_utc(),
      .pulse = state::pulse_of(pairing.config.state_directory,
                               state::patience_of(pairing.config.alert.max_age))};
  const auto now = status(pairing);
  overview.damaged = now.damaged;
  overview.paused = now.head ? now.head->paused : std::nullopt;
  overview.refused = now.refused;
  overview.run_age = now.age;
  overview.drift = now.drift;
  overview.drift_unknown = now.drift_unknown;
  for (const auto& run : runs(pairing, kChartedRuns)) {
    overview.runs.push_back(report::run_entry(run));
  }
  const auto leaves = leaves_by(pairing);
  collect_conflicts(pairing, leaves, kMostConflicts, overview);
  collect_held(pairing, leaves, overview);
  try {
    overview.privacy = privacy(pairing);
  } catch (const Failure& failure) {
    overview.privacy_unknown = failure.error();
  }
  return overview;
}

report::DecisionSheet decision_sheet(const Pairing& pairing) {
  report::DecisionSheet sheet{.pairing = contract::name_of_pairing(pairing.config.file),
                              .mark = {},
                              .made = now_utc(),
                              .conflicts = {}};
  {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    const auto head = open_to_look(pairing, target);
    if (!head) {
      throw Failure(Code::usage, "the secondary has no history yet, so nothing is open",
                    "the first run makes it: abgleich sync");
    }
    sheet.mark = journal::pairing_mark(head->lineage);
  }
  collect_conflicts(pairing, leaves_by(pairing), kMostDecisions, sheet);
  return sheet;
}

}  // namespace abgleich::sync
