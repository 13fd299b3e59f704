#include "sync/run/recover.hpp"

#include "contract/endpoint_url.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "journal/run_kind.hpp"
#include "state/anchor.hpp"
#include "state/latch.hpp"
#include "sync/run/accepted.hpp"
#include "sync/run/primary_position.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::sync {

Primary primary_of(db::Source& source) {
  return {.identity = source.catalog().identity, .position = source.position()};
}

std::optional<db::HeadRow> recover(const Pairing& pairing, db::Target& target,
                                   const mask::Keyring& keyring, const Primary& primary,
                                   report::Run kind) {
  const auto& directory = pairing.config.state_directory;
  auto head = open_books(
      pairing, target, keyring,
      {.lock = kind == report::Run::real ? db::Books::Lock::row : db::Books::Lock::none});
  expect_primary(pairing, target, keyring, head, primary.identity, primary.position);
  expect_accepted(pairing, target);
  if (head && head->paused && kind == report::Run::real) {
    throw Failure(
        Code::paused, "this pairing is paused: " + *head->paused,
        "when the reason is gone, run: abgleich resume --reason TEXT. Nothing was changed");
  }
  if (head && kind == report::Run::real) {
    const auto anchor = state::read_anchor(directory);
    if (!anchor || !journal::stands_at(*head, *anchor)) {
      state::write_anchor(directory, anchor_of(target, *head));
    }
  }
  return head;
}

bool repair_stands(const Pairing& pairing, db::Target& target,
                   const std::optional<db::HeadRow>& head) {
  const auto begun = state::begun_repair(pairing.config.state_directory);
  if (!begun || !head || head->lineage != begun->lineage || head->epoch != begun->from + 1) {
    return false;
  }
  const auto last = target.books().runs(1);
  return !last.empty() && last.front().hash == head->hash &&
         journal::is(last.front().kind, journal::RunKind::repair);
}

void expect_unlatched(const Pairing& pairing, const mask::Keyring& keyring) {
  const auto& directory = pairing.config.state_directory;
  if (state::begun_repair(directory)) {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    const auto last = target.books().exist() ? target.books().head(db::Books::Lock::none)
                                             : std::optional<db::HeadRow>{};
    const auto head = open_books(pairing, target, keyring_of(last, keyring),
                                 {.forged = db::Books::Forged::taken});
    if (head && target.books().who_wrote(*head) == db::Books::Written::by_us &&
        repair_stands(pairing, target, head)) {
      state::clear_latch(directory);
    }
  }
  state::check_latch(directory);
}

void refuse_same_database(const Pairing& pairing, const Catalog& primary, db::Target& target) {
  target.load_catalog();
  if (pairing.config.primary.schema == pairing.config.secondary.schema &&
      primary.identity.same_database(target.catalog().identity)) {
    throw Failure(Code::configuration,
                  fmt::format("{}: the primary and the secondary are the same database",
                              pairing.config.file.string()),
                  "write the URL of another one: the primary is never written");
  }
}

void check_books(db::Target& target, const std::optional<db::HeadRow>& head) {
  if (!head) {
    return;
  }
  constexpr const char* kRestore =
      "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. Nothing was "
      "changed";
  const auto last = target.books().runs(1);
  if (last.empty() || last.front().epoch != head->epoch || last.front().hash != head->hash) {
    throw Failure(
        Code::integrity,
        fmt::format("the bookkeeping in the secondary is damaged: its head names run {}, but that "
                    "run is not the last one there",
                    head->run),
        fmt::format("see what is damaged: abgleich verify; {}", kRestore));
  }
}

std::vector<drift::Event> drift_events(const Pairing& pairing, const Catalog& live) {
  auto events = drift::compare(pairing.contract, pairing.accepted ? *pairing.accepted : live, live,
                               contract::user_of(pairing.config.primary));
  // Two kinds of event are no drift of the primary: an accepted column that the contract does not
  // name (it is withheld), and a line that withholds a column which is gone.
  std::erase_if(events, [](const drift::Event& event) {
    return event.kind == drift::EventKind::not_in_contract ||
           (event.kind == drift::EventKind::missing_in_primary &&
            event.verdict == drift::Verdict::info);
  });
  for (const auto& event : events) {
    if (event.kind == drift::EventKind::rights_lost ||
        event.kind == drift::EventKind::row_security_enabled) {
      throw Failure(
          Code::source_incomplete,
          event.kind == drift::EventKind::rights_lost
              ? fmt::format("the primary does not let us read '{}.{}'", event.table, event.column)
              : fmt::format("row security may hide rows of '{}' in the primary", event.table),
          event.hint + ". Nothing was changed");
    }
  }
  return events;
}

}  // namespace abgleich::sync
