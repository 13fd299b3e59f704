// The frame of every run that writes to the secondary: `sync`, and the commands with which a person
// decides something. All of them share these steps, in this order:
//
// - lock: after the key was read, the state directory's lock is taken and kept to the end. A second
//   run is refused (12).
// - latch: while the latch is set, no run writes (41). Exceptions: the repair of a base, which
//   takes the latch off, and `adopt`, after which `verify` takes it off.
// - look: one transaction on the secondary begins, in which the head is locked against every other
//   run. The secondary has to be the one that the anchor has seen (22) and be sealed with this key
//   (25), and a run of ours has to have written its head (41). A run that merges the primary's rows
//   also requires that this is the primary of the last run and not behind it (21), that the
//   accepted catalogue is the one of the last run or was accepted since (23), and that the pairing
//   is not paused (13). A repair, which reads the primary too, checks primary and catalogue by
//   itself, and works while paused; `adopt` takes any primary and any secondary.
// - commit: the run's row is chained to the last one, the head is advanced by compare-and-set, the
//   intent is written to disk, and the transaction is committed.
// - keep: the intent becomes the anchor; then the cache and the keys of rare rows are written.
//   Where that fails, the run is valid nevertheless.
//
// A fault of a server that may pass (db/engine/retry.hpp) ends an attempt with nothing done, and
// another one begins with the look, for as long as `retry_for` says; not in `adopt`, which a person
// repeats. After an attempt that throws StartAgain another one begins at once. What was committed
// is never tried again. A dry run of `sync` takes the same steps, also while paused, but with
// neither lock and without latch, commit and keep: nobody waits for it, and it leaves no trace.
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

/// Thrown by an attempt that has found something which makes its own work out of date. It has noted
/// what, and the next attempt takes that into account.
struct StartAgain {};

class WritingRun {
 public:
  /// What happens while the latch is set.
  enum class Latch : std::uint8_t { refuses, does_not_matter };
  /// A dry run takes the same steps without lock, latch and commit. `on_lock` is called when the
  /// lock is taken.
  struct Manner {
    Latch latch = Latch::refuses;
    report::Run kind = report::Run::real;
    std::function<void()> on_lock = {};
  };

  explicit WritingRun(const Pairing& pairing) : WritingRun(pairing, Manner{}) {}
  /// The pairing must outlive this. Throws Failure{locked, key_or_trust, integrity}.
  WritingRun(const Pairing& pairing, const Manner& manner);

  [[nodiscard]] const Pairing& pairing() const { return pairing_; }
  [[nodiscard]] const mask::Keyring& keyring() const { return keyring_; }
  [[nodiscard]] report::Run kind() const { return kind_; }

  /// Calls `attempt` until it returns the result of the run, or throws an error that another
  /// attempt would not avoid.
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

  /// The look (see above) of a run that does not read the primary, and of one that does; with the
  /// run's own keyring, or with it as it was in an earlier epoch. Returns the head; empty before
  /// the first run.
  const std::optional<db::HeadRow>& look(const Opening& opening = kLockHead);
  const std::optional<db::HeadRow>& look(const mask::Keyring& keyring,
                                         const Opening& opening = kLockHead);
  const std::optional<db::HeadRow>& look(const Primary& primary);
  const std::optional<db::HeadRow>& look(const mask::Keyring& keyring, const Primary& primary);
  /// Where the secondary stands; the run that is committed comes next.
  [[nodiscard]] const std::optional<db::HeadRow>& head() const { return head_; }
  /// Replaces the head by one that a repair has corrected.
  void stand_at(const db::HeadRow& head) { head_ = head; }
  /// The number of the run that would be committed.
  [[nodiscard]] std::int64_t epoch() const { return head_ ? head_->epoch + 1 : 1; }

  /// Commits the run and writes the anchor. The run began when this attempt did, unless the facts
  /// say otherwise. Returns the run's id. Throws Failure{outcome_unknown} where the connection is
  /// lost in the commit.
  std::string commit(RunFacts facts);

 private:
  const WritingRun& run_;
  std::string started_;
  db::Target target_;
  std::optional<db::HeadRow> head_;
};

}  // namespace abgleich::sync
