#include "sync/status.hpp"

#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/head.hpp"
#include "journal/latch.hpp"
#include "journal/state.hpp"
#include "sync/commit.hpp"
#include "sync/exported.hpp"
#include "sync/recover.hpp"

namespace abgleich::sync {

Status status(const Pairing& pairing) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  Status status{.damaged = journal::latched(pairing.config.state_directory)};
  auto& books = target.books();
  if (!books.exist()) {
    return status;
  }
  status.head = books.head(db::Books::Lock::none);
  const auto last = books.runs(1);
  if (!last.empty()) {
    status.last = last.front();
    status.age = journal::seconds_since(status.last->finished);
  }
  for (const auto& row : books.tracked()) {
    status.tables.push_back(row.source);
  }
  status.conflicts = books.count_conflicts();
  status.quarantined = books.count_quarantine();
  try {
    db::Source source(pairing.config.primary);
    status.drift = drift_events(pairing, source.catalog());
  } catch (const Failure& failure) {
    status.drift_unknown = failure.error();
  }
  return status;
}

std::optional<std::string> adopt(const Pairing& pairing, const std::string& reason) {
  const journal::StateLock lock(pairing.config.state_directory);
  const auto started = journal::now_utc();
  db::Source source(pairing.config.primary);
  db::Target target(pairing.config.secondary, db::Mode::real);
  const auto head = target.books().exist() ? target.books().head(db::Books::Lock::row)
                                           : std::optional<db::HeadRow>{};
  if (!head) {
    journal::clear_anchor(pairing.config.state_directory);
    return std::nullopt;
  }
  target.load_catalog();
  for (const auto& row : target.books().tracked()) {
    // a table that the secondary has lost begins anew: that its rows are gone is nobody's edit
    const auto* table = pairing.contract.find_table(row.source);
    const auto& name = table == nullptr ? row.target : table->target;
    if (target.catalog().find_table(name) == nullptr) {
      target.forget_base_of(relation_of(row));
    }
  }
  return commit_run(pairing, target, head, head->key_check,
                    journal::primary_id(source.catalog().identity),
                    {.kind = "adopt", .started = started, .reason = reason, .counts = "{}"});
}

}  // namespace abgleich::sync
