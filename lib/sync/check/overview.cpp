#include "sync/check/overview.hpp"

#include "core/clock.hpp"
#include "db/secondary/target.hpp"
#include "journal/decisions.hpp"
#include "journal/quarantine_cause.hpp"
#include "state/heartbeat.hpp"
#include "sync/check/privacy.hpp"
#include "sync/check/status.hpp"
#include "sync/history/history.hpp"
#include "sync/history/resolve.hpp"
#include "sync/merge/plan.hpp"
#include "sync/run/books_key.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace abgleich::sync {

namespace {

// More than these make a page that nobody reads to its end. What was decided goes from the page of
// decisions, and the next ones come.
constexpr std::int64_t kChartedRuns = 60;
constexpr std::size_t kMostConflicts = 200;
constexpr std::size_t kMostDecisions = 1000;
constexpr std::size_t kMostHeld = 200;

/// By the contract as it is now: columns of a table by its name in the primary.
report::Leaves leaves_by(const contract::Contract& contract) {
  return [&contract](std::string_view table, std::string_view column) {
    const auto* found = contract.find_table(table);
    return found != nullptr &&
           std::ranges::any_of(found->columns, [&](const contract::Column& each) {
             return each.exported() && each.as == column;
           });
  };
}

/// Adds the first `most` open conflicts. Returns how many others there are.
std::int64_t collect_conflicts(const Pairing& pairing, std::size_t most,
                               std::vector<report::ShownConflict>& conflicts) {
  std::int64_t more = 0;
  const auto leaves = leaves_by(pairing.contract);
  each_conflict(pairing, [&](const report::Change& change) {
    if (conflicts.size() < most) {
      conflicts.push_back(report::shown_conflict(change, leaves));
    } else {
      ++more;
    }
  });
  return more;
}

/// Of rows that are rare, the page has only the number, as the secondary has it.
void collect_held(const Pairing& pairing, report::Overview& overview) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  (void)open_to_look(pairing, target);
  if (!target.books().exist()) {
    return;
  }
  std::map<std::int64_t, std::string> names;
  for (const auto& row : target.books().tracked()) {
    names[row.id] = row.source;
  }
  const auto leaves = leaves_by(pairing.contract);
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
  overview.more_conflicts = collect_conflicts(pairing, kMostConflicts, overview.conflicts);
  collect_held(pairing, overview);
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
  sheet.more_conflicts = collect_conflicts(pairing, kMostDecisions, sheet.conflicts);
  return sheet;
}

}  // namespace abgleich::sync
