// The frame of every run that writes to the secondary: `sync`, and the commands with which a person
// decides something. What each of them does happens inside; the policy is here. In this order:
//
// - lock: when the key has been read, the state directory's lock is taken, and held to the end. A
//   second run is refused.
// - latch: while damage is latched no run writes (41), but for the repair of a base, which takes
//   the latch off, and `adopt`, after which `verify` takes it off.
//
// - look: one transaction on the secondary, in which the head is locked against every other run.
//   It has to be the secondary that the anchor has seen (22), sealed with this key (25), its head
//   written by a run of ours (41). A run that brings over what the primary has also asks that this
//   is the primary of the last run and not behind it (21), that its catalogue is the accepted one
//   (23), and that the pairing is not paused (13). A repair, which reads the primary too, asks the
//   first of these for itself; `adopt` takes any primary and any secondary.
// - commit: the run's row, chained to the last one; the head by compare-and-set; the intent to
//   disk; the transaction.
// - keep: the intent becomes the anchor; then what is only of use, the cache and the keys of rare
//   rows. Where that fails, the run is valid nevertheless.
//
// What the servers say may pass (db/engine/retry.hpp) ends an attempt with nothing done, and
// another one begins with the look, for as long as `retry_for` says: not of `adopt`, which a person
// repeats. An attempt that throws StartAgain is followed by another at once. What was committed is
// never tried again. A dry run of `sync` goes the same way, paused or not, without either lock, the
// latch, the commit and what is kept: nobody has to wait for it, and it leaves no trace.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "db/engine/retry.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "report/change.hpp"
#include "state/anchor.hpp"
#include "sync/pairing.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/commit.hpp"
#include "sync/run/recover.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace abgleich::sync {

/// Thrown by an attempt which has found out what makes its own work out of date. It has noted that,
/// and the next one goes by it.
struct StartAgain {};

class WritingRun {
 public:
  /// What a latch means for it.
  enum class Latch : std::uint8_t { refuses, does_not_matter };
  /// A dry run goes the same way without lock, latch and commit. `on_lock` is called once the lock
  /// is held.
  struct Manner {
    Latch latch = Latch::refuses;
    report::Run kind = report::Run::real;
    std::function<void()> on_lock = {};
  };

  explicit WritingRun(const Pairing& pairing) : WritingRun(pairing, Manner{}) {}
  /// The pairing outlives it. Throws Failure{locked, key_or_trust, integrity}.
  WritingRun(const Pairing& pairing, const Manner& manner);

  [[nodiscard]] const Pairing& pairing() const { return pairing_; }
  [[nodiscard]] const mask::Keyring& keyring() const { return keyring_; }
  [[nodiscard]] report::Run kind() const { return kind_; }

  /// Calls `attempt` until it returns the result of the run, or throws what no other attempt would
  /// change.
  template <class Attempt>
  auto attempts(const Attempt& attempt) const {
    return attempts({.in_all = pairing_.config.retry_for}, attempt);
  }
  template <class Attempt>
  auto attempts(const db::Patience& patience, const Attempt& attempt) const {
    for (;;) {
      try {
        return db::with_retries(patience, attempt);
      } catch (const StartAgain&) {  // NOLINT(bugprone-empty-catch)
      }
    }
  }

 private:
  const Pairing& pairing_;
  mask::Keyring keyring_;
  report::Run kind_;
  std::optional<state::StateLock> lock_;
};

inline constexpr Opening kLockHead{.lock = db::Books::Lock::row};

/// One attempt: its transaction, from the look to the commit.
class RunAttempt {
 public:
  /// Connects. `started`: when it began, as the bookkeeping writes it.
  RunAttempt(const WritingRun& run, std::string started);

  [[nodiscard]] db::Target& target() { return target_; }
  [[nodiscard]] db::Books& books() { return target_.books(); }

  /// The look of a run that does not read the primary, and of one that does; with the run's own
  /// keyring, or as it was in an earlier epoch. Empty before the first run.
  const std::optional<db::HeadRow>& look(const Opening& opening = kLockHead);
  const std::optional<db::HeadRow>& look(const mask::Keyring& keyring,
                                         const Opening& opening = kLockHead);
  const std::optional<db::HeadRow>& look(const Primary& primary);
  const std::optional<db::HeadRow>& look(const mask::Keyring& keyring, const Primary& primary);
  /// Where the secondary stands; the run that is committed follows on it.
  [[nodiscard]] const std::optional<db::HeadRow>& head() const { return head_; }
  /// The head as a repair has corrected it.
  void stand_at(const db::HeadRow& head) { head_ = head; }
  /// The number of the run that would be committed.
  [[nodiscard]] std::int64_t epoch() const { return head_ ? head_->epoch + 1 : 1; }

  /// Commits a run that began with this attempt, where the facts do not say otherwise, and keeps
  /// the anchor. Returns the run's id. Throws Failure{outcome_unknown} where the connection is lost
  /// in the commit.
  std::string commit(RunFacts facts);

 private:
  const WritingRun& run_;
  std::string started_;
  db::Target target_;
  std::optional<db::HeadRow> head_;
};

}  // namespace abgleich::sync
