// Goes beside one call of `sync`, from its beginning to its end, and sees to it that others learn
// of it: the record of attempts, metrics, a ping, and what is worth a mail. A run does not depend
// on any of this.
#pragma once

#include "contract/config.hpp"
#include "report/change.hpp"
#include "report/mail.hpp"
#include "state/attempts.hpp"
#include "state/told.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace abgleich::sync {

class AttemptReporter {
 public:
  /// Begins; nothing is written yet.
  explicit AttemptReporter(const contract::Config& config);

  /// The run holds the lock: for Options::on_lock. Whatever has not ended before was killed; says
  /// so to `on_killed`, which may be empty, unless it was told today.
  using OnKilled = std::function<void(const std::string& text)>;
  void locked(const OnKilled& on_killed);
  /// How it ended; what comes after that is ignored. Throws nothing that a run could end with.
  void ended(const report::Outcome& outcome);
  void ended(const Error& error);

  /// What is worth a mail; empty: nothing. What is told here counts as told. REQUIRES: it has
  /// ended.
  std::string mail(const report::Outcome& outcome, report::Colour colour);
  std::string mail(const Error& error, report::Colour colour);

  /// Why others may not learn of it, for people.
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  /// False: it has ended before.
  [[nodiscard]] bool begin_end();
  void remember(const state::Recent& recent);
  void finish(Code code, std::string reason);
  void tell_others();
  [[nodiscard]] state::Speech decide(std::vector<state::Matter> found, state::Reach reach);
  [[nodiscard]] report::LastSuccess last_success() const;
  void note(std::string trouble);
  void write(state::Attempt& attempt);

  std::string pairing_;
  std::filesystem::path state_;
  contract::Alert alert_;
  state::AttemptRecord record_;
  state::Attempt attempt_;
  std::chrono::steady_clock::time_point start_;
  std::vector<std::string> troubles_;
  bool ended_ = false;
};

}  // namespace abgleich::sync
