#include "sync/status.hpp"

#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/head.hpp"
#include "journal/latch.hpp"
#include "journal/state.hpp"
#include "sync/commit.hpp"

#include <fmt/format.h>

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
  return status;
}

Adopted adopt(const Pairing& pairing, const std::string& reason) {
  const journal::StateLock lock(pairing.config.state_directory);
  const auto started = journal::now_utc();
  db::Source source(pairing.config.primary);
  db::Target target(pairing.config.secondary, db::Mode::real);
  const auto head = target.books().exist() ? target.books().head(db::Books::Lock::row)
                                           : std::optional<db::HeadRow>{};
  if (!head) {
    journal::clear_anchor(pairing.config.state_directory);
    return {.text = "the secondary has no history; the next sync begins one"};
  }
  const auto run = commit_run(
      pairing, target, head, head->key_check, journal::primary_id(source.catalog().identity),
      {.kind = "adopt", .started = started, .reason = reason, .counts = "{}"});
  return {.run = run,
          .text = fmt::format("run {}: the databases are accepted as they are now", run)};
}

}  // namespace abgleich::sync
