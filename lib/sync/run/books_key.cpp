#include "sync/run/books_key.hpp"

#include "core/endpoint.hpp"
#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"
#include "journal/head.hpp"
#include "state/anchor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace abgleich::sync {

db::SealKeys seal_keys(const mask::Keyring& keyring) {
  db::SealKeys keys;
  keys->head = keyring.purpose_key("seal head");
  keys->run = keyring.purpose_key("seal run");
  keys->tracked = keyring.purpose_key("seal tracked");
  keys->fact = keyring.purpose_key("seal fact");
  keys->journal = keyring.purpose_key("seal journal");
  keys->conflict = keyring.purpose_key("seal conflict");
  keys->quarantine = keyring.purpose_key("seal quarantine");
  keys->base = keyring.purpose_key("seal base");
  keys->sums = keyring.purpose_key("seal sums");
  keys->seals = keyring.purpose_key("seal seals");
  keys->deeds = keyring.purpose_key("seal deeds");
  return keys;
}

namespace {

[[noreturn]] void forged_head() {
  db::refuse_forged_books("its head is not as the last run has left it");
}

/// A quick check for every command: no table of the bookkeeping may be missing.
void expect_tables(db::Books& books) {
  if (const auto gone = books.missing(); !gone.empty()) {
    throw Failure(
        Code::integrity,
        fmt::format("of the bookkeeping in the secondary {} gone: {}",
                    gone.size() == 1 ? "a table is" : "tables are", fmt::join(gone, ", ")),
        "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. Nothing "
        "was changed");
  }
}

std::optional<db::HeadRow> read_head(db::Books& books, db::Books::Lock lock) {
  return books.exist() ? books.head(lock) : std::nullopt;
}

/// Refuses books of which this pairing knows nothing: it has no record of a run, and another key.
void refuse_unknown_books(const Pairing& pairing) {
  const auto& directory = pairing.config.state_directory;
  if (state::read_anchor(directory) || state::read_intent(directory)) {
    return;
  }
  const auto& books = pairing.config.secondary.books;
  const auto another = fmt::format("{}_2", books);
  throw Failure(
      Code::key_or_trust,
      fmt::format("the secondary has a bookkeeping '{}' that was made with another key, and no run "
                  "of this pairing is on record in '{}'",
                  books, directory.string()),
      fmt::format("if another pairing keeps it, give this one its own: write books = \"{}\" below "
                  "[secondary] in abgleich.toml; if it is this pairing's, put the right key file "
                  "back ([keys] file in abgleich.toml), then run: abgleich keys check. Nothing was "
                  "changed",
                  is_books_name(another) ? another : "abgleich_2"));
}

/// Refuses a bookkeeping that was there before the first run and in which somebody else has a say:
/// what he has put there would run with our rights.
void refuse_books_of_strangers(const Pairing& pairing, db::Target& target) {
  const auto found = target.backend().strangers_in_books(target.session());
  if (found.empty()) {
    return;
  }
  const auto books = target.session().dialect->quote(pairing.config.secondary.books);
  throw Failure(
      Code::key_or_trust,
      fmt::format(
          "somebody has made the bookkeeping before the first run, and could do with it what "
          "this role may do: {}",
          fmt::join(found, "; ")),
      fmt::format(
          "have the owner of the database look at it and drop it: DROP SCHEMA {} CASCADE; "
          "then run: abgleich sync, which makes it, or prints what the owner of the database "
          "has to run. Nothing was changed",
          books));
}

/// Whether a head that names another key was written with this one: then somebody else has changed
/// which key it names.
bool written_with_ours(db::HeadRow head, const mask::Keyring& keyring) {
  head.key_check = keyring.check_value();
  return db::Books::written_with(seal_keys(keyring), head);
}

bool written_with_any_of_ours(const db::HeadRow& head, const mask::Keyring& keyring) {
  for (int epoch = keyring.epoch(); epoch > 0; --epoch) {
    if (written_with_ours(head, keyring.until(epoch))) {
      return true;
    }
  }
  return false;
}

}  // namespace

void expect_secondary(const Pairing& pairing, db::Target& target,
                      const std::optional<db::HeadRow>& head) {
  const auto& directory = pairing.config.state_directory;
  const journal::Here here{.identity = [&] { return target.identity(); },
                           .hash_of =
                               [&](std::int64_t epoch) {
                                 const auto run = target.books().find_run(epoch);
                                 return run ? run->hash : std::string();
                               },
                           .alone = pairing.config.alone};
  journal::check_secondary(head, state::read_anchor(directory), state::read_intent(directory),
                           here);
}

void expect_key(const std::optional<db::HeadRow>& head, const mask::Keyring& keyring) {
  const auto now = keyring.check_value();
  if (!head || head->key_check == now) {
    return;
  }
  if (const auto epoch = keyring.epoch_of(head->key_check)) {
    if (!db::Books::written_with(seal_keys(keyring.until(*epoch)), *head)) {
      forged_head();
    }
    throw Failure(Code::key_or_trust,
                  fmt::format("the key was rotated to epoch {}, and the secondary's pseudonyms "
                              "are still of epoch {}",
                              keyring.epoch(), *epoch),
                  "bring them to the new one: abgleich sync. Nothing was changed");
  }
  if (written_with_any_of_ours(*head, keyring)) {
    forged_head();
  }
  journal::check_key(head, now);
}

std::optional<db::HeadRow> open_books(const Pairing& pairing, db::Target& target,
                                      const mask::Keyring& keyring, const Opening& opening) {
  auto& books = target.books();
  auto head = read_head(books, opening.lock);
  if (head) {
    expect_tables(books);
  }
  const bool asked = opening.witness == Opening::Witness::asked;
  const bool told = opening.forged == db::Books::Forged::taken;
  if (head && head->key_check != keyring.check_value() &&
      !(told && written_with_ours(*head, keyring))) {
    if (asked && !keyring.epoch_of(head->key_check)) {
      // checked first, because the secondary of another pairing has another key, too
      expect_secondary(pairing, target, head);
      if (!written_with_any_of_ours(*head, keyring)) {
        refuse_unknown_books(pairing);
      }
    }
    expect_key(head, keyring);
  }
  if (!head && books.exist()) {
    refuse_books_of_strangers(pairing, target);
  }
  books.seal_with(seal_keys(keyring), head ? head->lineage : journal::new_lineage(),
                  head ? head->epoch + 1 : 1, opening.forged);
  const bool ours = !head || books.who_wrote(*head) == db::Books::Written::by_us;
  if (!ours && !told) {
    forged_head();
  }
  if (asked && ours) {
    expect_secondary(pairing, target, head);
  }
  return head;
}

mask::Keyring keyring_of(const std::optional<db::HeadRow>& head, const mask::Keyring& keyring) {
  const auto epoch = head ? keyring.epoch_of(head->key_check) : std::nullopt;
  if (head && !epoch) {
    expect_key(head, keyring);
  }
  return keyring.until(epoch.value_or(keyring.epoch()));
}

std::optional<db::HeadRow> open_to_look(const Pairing& pairing, db::Target& target) {
  std::optional<mask::Keyring> keyring;
  try {
    keyring.emplace(read_keyring(pairing.config));
  } catch (const Failure&) {  // NOLINT(bugprone-empty-catch)
    // a person who may look at the secondary need not have the key
  }
  auto& books = target.books();
  auto head = read_head(books, db::Books::Lock::none);
  if (head) {
    expect_tables(books);
  }
  const auto epoch = head && keyring ? keyring->epoch_of(head->key_check) : std::nullopt;
  if (epoch) {
    books.seal_with(seal_keys(keyring->until(*epoch)), head->lineage, head->epoch + 1,
                    db::Books::Forged::refused);
    if (books.who_wrote(*head) != db::Books::Written::by_us) {
      forged_head();
    }
  } else if (head && keyring && written_with_any_of_ours(*head, *keyring)) {
    forged_head();
  }
  return head;
}

}  // namespace abgleich::sync
