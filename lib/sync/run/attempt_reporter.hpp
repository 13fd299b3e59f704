// Reports one attempt, from its beginning to its end: in the record of attempts, by metrics, by a
// ping, and in cron's mail. A run does not depend on any of this.
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
  /// The attempt begins now; nothing is written yet.
  explicit AttemptReporter(const contract::Config& config);

  /// To be called when the run has taken the lock (Options::on_lock). Earlier attempts that have
  /// not ended were killed: `on_killed`, which may be empty, is called with a text that says so,
  /// unless that was told today.
  using OnKilled = std::function<void(const std::string& text)>;
  void locked(const OnKilled& on_killed);
  /// Reports how the attempt ended; later calls do nothing. What cannot be written is noted in
  /// `troubles` and not thrown.
  void ended(const report::Outcome& outcome);
  void ended(const Error& error);

  /// The text of the mail; empty: no mail is due. What it says counts as told afterwards. REQUIRES:
  /// `ended` was called.
  std::string mail(const report::Outcome& outcome, report::Colour colour);
  std::string mail(const Error& error, report::Colour colour);
  std::string mail(const report::Exchanged& exchanged, report::Colour colour);

  /// What could not be reported, and why, for people.
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  /// False: `ended` was called before.
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
