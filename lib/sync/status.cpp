#include "sync/status.hpp"

#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/head.hpp"
#include "journal/latch.hpp"
#include "journal/state.hpp"
#include "mask/keyring.hpp"
#include "sync/accepted.hpp"
#include "sync/books_key.hpp"
#include "sync/commit.hpp"
#include "sync/exported.hpp"
#include "sync/leaving.hpp"
#include "sync/left_columns.hpp"
#include "sync/primary_position.hpp"
#include "sync/rarity.hpp"
#include "sync/recover.hpp"
#include "sync/same_values.hpp"
#include "sync/secondary_look.hpp"
#include "sync/settle_identities.hpp"

#include <algorithm>
#include <iterator>

namespace abgleich::sync {

namespace {

/// Notes why a run would be refused; what cannot be asked is not known.
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

/// Whether a run would go on, as far as that can be told without reading rows, and what has
/// drifted. Throws Failure where the primary cannot be asked, or the key cannot be read.
void look_at_both(const Pairing& pairing, db::Target& target, Status& status) {
  db::Source source(pairing.config.primary);
  const auto primary = primary_of(source);
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  note_refusal(status, [&] {
    expect_primary(pairing, target, keyring, status.head, primary.identity, primary.position);
  });
  note_refusal(status, [&] { expect_accepted(pairing, target); });
  note_refusal(status, [&] {
    if (const auto wider = refuse_widening(pairing, target, status.head, keyring)) {
      throw Failure(*wider);
    }
  });
  status.drift = drift_events(pairing, source.catalog());
  weigh_values(status.drift, settle_identities(pairing, source.catalog(), known_tables(target)),
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
  Status status{.damaged = journal::latched(pairing.config.state_directory)};
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
    status.age = journal::seconds_since(status.last->finished);
  }
  for (const auto& row : books.tracked()) {
    status.tables.push_back(row.source);
  }
  status.conflicts = books.count_conflicts();
  status.quarantined = books.count_quarantine();
  books.quarantines([&](const db::QuarantineRow& row) {
    status.rare += is_rarity(row.reason) ? row.rows : 0;
    status.rare_still_there += is_still_there(row.reason) ? row.rows : 0;
  });
  try {
    look_at_both(pairing, target, status);
  } catch (const Failure& failure) {
    status.drift_unknown = failure.error();
  }
  return status;
}

std::optional<std::string> adopt(const Pairing& pairing, const std::string& reason) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  const auto started = journal::now_utc();
  db::Source source(pairing.config.primary);
  const auto& primary = source.catalog();
  source.finish();
  db::Target target(pairing.config.secondary, db::Mode::real);
  // a secondary from before a rotation is one that may have to be accepted
  const auto held = target.books().exist() ? target.books().head(db::Books::Lock::row)
                                           : std::optional<db::HeadRow>{};
  const auto head =
      open_books(pairing, target, keyring_of(held, keyring),
                 {.lock = db::Books::Lock::row, .witness = Opening::Witness::not_asked});
  if (!head) {
    journal::clear_anchor(pairing.config.state_directory);
    carry_accepted(pairing, target, primary, 1);
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
  const auto epoch = head->epoch + 1;
  accept_columns(target, epoch);
  carry_accepted(pairing, target, primary, epoch);
  keep_position(pairing, target, keyring, source.lasting_position(), From::anew);
  return commit_run(pairing, target, head, head->key_check, journal::primary_id(primary.identity),
                    {.kind = "adopt", .started = started, .reason = reason, .counts = "{}"});
}

}  // namespace abgleich::sync
