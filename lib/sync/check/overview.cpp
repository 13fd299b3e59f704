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
#include <optional>
#include <string_view>
#include <utility>

namespace abgleich::sync {

namespace {

// More than these make a page that nobody reads to its end. What was decided goes from the page of
// decisions, and the next ones come.
constexpr std::int64_t kChartedRuns = 60;
constexpr std::size_t kMostConflicts = 200;
constexpr std::size_t kMostDecisions = 1000;
constexpr std::size_t kMostHeld = 200;

/// What a page may show of what was kept.
class MayBeShown {
 public:
  explicit MayBeShown(const Pairing& pairing) : contract_(pairing.contract) {
    const auto keyring = read_keyring(pairing.config);
    db::Target target(pairing.config.secondary, db::Mode::dry);
    if (open_to_look(pairing, target)) {
      before_.emplace(pairing, target, keyring);
    }
  }

  /// Whether the same leaves of the table (by its name in the primary) as with the last run.
  [[nodiscard]] bool is_same(std::string_view table) const {
    return before_ && before_->is_same(table);
  }
  [[nodiscard]] report::Leaves leaves() const {
    return [this](std::string_view table, std::string_view column) {
      const auto* found = contract_.find_table(table);
      return found != nullptr && is_same(table) &&
             std::ranges::any_of(found->columns, [&](const contract::Column& each) {
               return each.exported() && each.as == column;
             });
    };
  }

 private:
  const contract::Contract& contract_;
  std::optional<LeftBefore> before_;
};

/// Adds the first `most` open conflicts, and counts the others. Those about rare rows, and those of
/// tables of which other things leave since, are only counted.
template <class Page>
void collect_conflicts(const Pairing& pairing, const MayBeShown& may, std::size_t most,
                       Page& page) {
  each_conflict(pairing, [&](const report::Change& change) {
    if (!change.reason.empty()) {
      ++page.rare_conflicts;
    } else if (!may.is_same(change.table)) {
      ++page.older_conflicts;
    } else if (page.conflicts.size() < most) {
      page.conflicts.push_back(report::shown_conflict(change, may.leaves()));
    } else {
      ++page.more_conflicts;
    }
  });
}

/// Of rows that are rare, the page has only the number, as the secondary has it.
void collect_held(const Pairing& pairing, const MayBeShown& may, report::Overview& overview) {
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
      overview.held.push_back(report::held_row(change_of(names[row.tracked], row), may.leaves()));
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
  const MayBeShown may(pairing);
  collect_conflicts(pairing, may, kMostConflicts, overview);
  collect_held(pairing, may, overview);
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
  collect_conflicts(pairing, MayBeShown(pairing), kMostDecisions, sheet);
  return sheet;
}

}  // namespace abgleich::sync
