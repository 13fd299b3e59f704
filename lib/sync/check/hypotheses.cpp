#include "sync/check/hypotheses.hpp"

#include "sync/detect/same_values.hpp"
#include "sync/sync.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

namespace abgleich::sync {

namespace {

/// Whether a rename is not proven: the accepted catalogue has the old name only, the live one the
/// new name only, and no identity shows that both are the same thing.
template <class Thing>
bool is_hypothesis(const Thing* accepted, const Thing* accepted_new, const Thing* live,
                   const Thing* live_old, bool by_identity) {
  return accepted != nullptr && accepted_new == nullptr && live != nullptr && live_old == nullptr &&
         !(by_identity && accepted->identity == live->identity);
}

bool has_hypothesis(const contract::Table& table, const Catalog& accepted, const Catalog& live) {
  const bool same_database = accepted.identity.same_database(live.identity);
  const auto* now = live.find_table(table.name);
  if (!table.was.empty() &&
      is_hypothesis(accepted.find_table(table.was), accepted.find_table(table.name), now,
                    live.find_table(table.was), same_database)) {
    return true;
  }
  const auto* was = accepted.find_table(table.name);
  if (was == nullptr && !table.was.empty()) {
    was = accepted.find_table(table.was);
  }
  if (was == nullptr || now == nullptr) {
    return false;
  }
  const bool by_identity = same_database && was->identity == now->identity;
  return std::ranges::any_of(table.columns, [&](const contract::Column& column) {
    return column.exported() && !column.was.empty() &&
           is_hypothesis(was->find_column(column.was), was->find_column(column.name),
                         now->find_column(column.name), now->find_column(column.was), by_identity);
  });
}

}  // namespace

void rehearse_hypotheses(const Pairing& pairing, const Catalog& live, Progress& progress,
                         std::vector<drift::Event>& events) {
  std::set<std::string> tables;
  for (const auto& table : pairing.contract.tables) {
    if (pairing.accepted && has_hypothesis(table, *pairing.accepted, live)) {
      tables.insert(table.name);
    }
  }
  // what a run would decide by looking at the values
  const auto open = [](const drift::Event& event) {
    return values_can_tell(event) ||
           (event.kind == drift::EventKind::type_changed && event.verdict == drift::Verdict::block);
  };
  for (const auto& event : events) {
    if (open(event) && pairing.contract.find_table(event.table) != nullptr) {
      tables.insert(event.table);
    }
  }
  if (tables.empty()) {
    return;
  }
  const auto outcome =
      run(pairing, {.kind = report::Run::dry, .tables = tables, .beyond_refusal = true}, progress,
          [](const report::Change&) {});
  std::set<std::tuple<drift::EventKind, std::string, std::string>> undecided;
  std::erase_if(events, [&](const drift::Event& event) {
    const bool gone = open(event) && tables.contains(event.table);
    if (gone) {
      undecided.emplace(event.kind, event.table, event.column);
    }
    return gone;
  });
  for (const auto& event : outcome.drift) {
    const bool judged = undecided.contains({event.kind, event.table, event.column}) ||
                        event.kind == drift::EventKind::renamed_column ||
                        event.kind == drift::EventKind::renamed_table;
    if (judged && tables.contains(event.table) &&
        std::ranges::find(events, event) == events.end()) {
      events.push_back(event);
    }
  }
  std::ranges::sort(events, {}, [](const drift::Event& event) {
    return std::tie(event.table, event.column, event.kind, event.was, event.now);
  });
}

}  // namespace abgleich::sync
