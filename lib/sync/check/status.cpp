#include "sync/check/status.hpp"

#include "core/clock.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/target.hpp"
#include "journal/head.hpp"
#include "journal/quarantine_cause.hpp"
#include "journal/run_kind.hpp"
#include "mask/keyring.hpp"
#include "state/anchor.hpp"
#include "state/latch.hpp"
#include "sync/check/secondary_look.hpp"
#include "sync/detect/k_anonymity.hpp"
#include "sync/detect/same_values.hpp"
#include "sync/mapping/left_columns.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/accepted.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/primary_position.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/writing_run.hpp"

#include <algorithm>
#include <iterator>

namespace abgleich::sync {

namespace {

/// Runs a check, and notes its failure where that would refuse a run. Other failures mean that it
/// could not be found out.
template <class Check>
void note_refusal(Status& status, const Check& check) {
  try {
    check();
  } catch (const Failure& failure) {
    const auto code = failure.error().code;
    if (!status.refused && (code == Code::other_primary || code == Code::other_secondary ||
                            code == Code::source_incomplete || code == Code::drift_decision)) {
      status.refused = failure.error();
    }
  }
}

/// Finds out why a run would be refused, and what has drifted. Throws Failure where the primary
/// cannot be asked, or the key cannot be read.
void look_at_both(const Pairing& pairing, db::Target& target, Status& status) {
  db::Source source(pairing.config.primary, filters_of(pairing.contract));
  const auto primary = primary_of(source);
  const auto keyring = read_keyring(pairing.config);
  note_refusal(status, [&] {
    expect_primary(pairing, target, keyring, status.head, primary.identity, primary.position);
  });
  note_refusal(status, [&] { expect_accepted(pairing, target); });
  note_refusal(status, [&] {
    if (const auto wider =
            refuse_widening(pairing, target, status.head, keyring, source.catalog())) {
      throw Failure(*wider);
    }
  });
  status.drift = drift_events(pairing, source.catalog());
  judge_by_values(status.drift, settle_identities(pairing, source.catalog(), known_tables(target)),
                  source, target, keyring);
  auto look = look_at_secondary(pairing, target, keyring, source.catalog(), status.drift);
  std::ranges::move(look.events, std::back_inserter(status.drift));
  note_refusal(status, [&] {
    if (look.why_not) {
      throw Failure(*look.why_not);
    }
  });
}

}  // namespace

Status status(const Pairing& pairing) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  Status status{.damaged = state::latched(pairing.config.state_directory)};
  auto& books = target.books();
  status.head = open_to_look(pairing, target);
  note_refusal(status, [&] { expect_secondary(pairing, target, status.head); });
  if (!books.exist()) {
    return status;
  }
  status.damaged = status.damaged && !repair_stands(pairing, target, status.head);
  const auto last = books.runs(1);
  if (!last.empty()) {
    status.last = last.front();
    status.age = seconds_since(status.last->finished);
  }
  for (const auto& row : books.tracked()) {
    status.tables.push_back(row.source);
  }
  status.conflicts = books.count_conflicts();
  status.quarantined = books.count_quarantine();
  books.quarantines([&](const db::QuarantineRow& row) {
    status.rare += journal::is_rarity(row.reason) ? row.rows : 0;
    status.rare_still_there += journal::is_still_there(row.reason) ? row.rows : 0;
  });
  try {
    look_at_both(pairing, target, status);
  } catch (const Failure& failure) {
    status.drift_unknown = failure.error();
  }
  return status;
}

std::optional<std::string> adopt(const Pairing& pairing, const std::string& reason) {
  const WritingRun frame(pairing, {.latch = WritingRun::Latch::does_not_matter});
  const auto& keyring = frame.keyring();
  auto started = now_utc();
  db::Source source(pairing.config.primary, filters_of(pairing.contract));
  const auto& primary = source.catalog();
  source.finish();
  RunAttempt run(frame, std::move(started));
  auto& target = run.target();
  // the secondary may be from before a rotation of the key, and has to be accepted all the same
  const auto last = target.books().exist() ? target.books().head(db::Books::Lock::row)
                                           : std::optional<db::HeadRow>{};
  const auto& head = run.look(keyring_of(last, keyring), {.lock = db::Books::Lock::row,
                                                          .witness = Opening::Witness::not_asked});
  if (!head) {
    state::clear_anchor(pairing.config.state_directory);
    carry_accepted(pairing, target, primary, 1);
    return std::nullopt;
  }
  target.load_catalog();
  for (const auto& row : target.books().tracked()) {
    // a table that is missing in the secondary begins anew: its rows do not count as deleted by
    // people
    const auto* table = pairing.contract.find_table(row.source);
    const auto& name = table == nullptr ? row.target : table->target;
    if (target.catalog().find_table(name) == nullptr) {
      const auto relation = relation_of(row);
      db::BaseTable(target, relation).forget();
    }
  }
  accept_columns(target, run.epoch());
  carry_accepted(pairing, target, primary, run.epoch());
  keep_position(pairing, target, keyring, source.lasting_position(), From::anew);
  return run.commit({.kind = journal::RunKind::adopt,
                     .reason = reason,
                     .counts = "{}",
                     .primary_id = journal::primary_id(primary.identity)});
}

}  // namespace abgleich::sync
