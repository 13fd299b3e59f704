#include "sync/run/attempt_reporter.hpp"

#include "core/clock.hpp"
#include "core/replace_file.hpp"
#include "journal/head.hpp"
#include "report/local_time.hpp"
#include "report/metrics.hpp"
#include "report/pulse.hpp"
#include "report/text.hpp"
#include "state/heartbeat.hpp"
#include "sync/run/ping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace abgleich::sync {

namespace {

/// Why an attempt ended with this code, where no error says so.
std::string reason_of(const report::Outcome& outcome) {
  if (outcome.error) {
    return outcome.error->message;
  }
  if (outcome.code == Code::conflicts_open) {
    return outcome.open_conflicts == 1
               ? "1 conflict is open"
               : fmt::format("{} conflicts are open", outcome.open_conflicts);
  }
  if (outcome.open_quarantined > 0) {
    return outcome.open_quarantined == 1
               ? "1 row is held back"
               : fmt::format("{} rows are held back", outcome.open_quarantined);
  }
  return outcome.drift.empty() ? "" : "the primary's schema has drifted; nothing is blocked";
}

std::int64_t count_of(const std::vector<drift::Event>& events, drift::Verdict verdict) {
  return std::ranges::count(events, verdict, &drift::Event::verdict);
}

}  // namespace

AttemptReporter::AttemptReporter(const contract::Config& config)
    : pairing_(contract::name_of_pairing(config.file)),
      state_(config.state_directory),
      alert_(config.alert),
      record_(config.state_directory),
      start_(std::chrono::steady_clock::now()) {
  const auto process = state::this_process();
  attempt_.began = now_seconds();
  attempt_.process = process.number;
  attempt_.process_start = process.start;
}

void AttemptReporter::note(std::string trouble) {
  if (!trouble.empty() && std::ranges::find(troubles_, trouble) == troubles_.end()) {
    troubles_.push_back(std::move(trouble));
  }
}

void AttemptReporter::write(state::Attempt& attempt) {
  note(record_.write(attempt));
}

/// Takes over what the newest attempt before this one has recorded.
void AttemptReporter::remember(const state::Recent& recent) {
  note(recent.trouble);
  if (const auto& newest = recent.newest) {
    attempt_.last_success = newest->last_success;
    attempt_.conflicts = newest->conflicts;
    attempt_.quarantined = newest->quarantined;
    attempt_.drift_info = newest->drift_info;
    attempt_.drift_adapt = newest->drift_adapt;
    attempt_.drift_block = newest->drift_block;
  }
}

void AttemptReporter::locked(const OnKilled& on_killed) {
  auto recent = record_.recent();
  remember(recent);
  // an attempt whose process still runs has released the lock and will record its end in a moment
  std::erase_if(recent.at_work, state::still_runs);
  for (auto dead : recent.at_work) {
    dead.state = state::Attempt::State::killed;
    write(dead);
  }
  write(attempt_);
  // it is told at once: what has killed that run may kill this one, too
  if (on_killed && !recent.at_work.empty() &&
      !decide({report::killed()}, state::Reach::begun).silent()) {
    on_killed(report::killed_text(report::with_local(utc_of(recent.at_work.front().began))));
  }
  if (!alert_.ping.empty()) {
    note(ping(alert_.ping, "start"));
  }
}

bool AttemptReporter::begin_end() {
  if (ended_) {
    return false;
  }
  ended_ = true;
  if (attempt_.number == 0) {
    remember(record_.recent());
  }
  return true;
}

void AttemptReporter::ended(const report::Outcome& outcome) {
  if (!begin_end()) {
    return;
  }
  if (outcome.result == report::Result::applied) {
    for (const auto& counts : outcome.tables) {
      attempt_.inserted += counts.inserted;
      attempt_.updated += counts.updated;
      attempt_.deleted += counts.deleted;
    }
  }
  if (!outcome.tables.empty()) {  // otherwise the attempt ended before it could count
    attempt_.conflicts = outcome.open_conflicts;
    attempt_.quarantined = outcome.open_quarantined;
  }
  if (!outcome.tables.empty() || !outcome.drift.empty()) {
    attempt_.drift_info = count_of(outcome.drift, drift::Verdict::info);
    attempt_.drift_adapt = count_of(outcome.drift, drift::Verdict::adapt);
    attempt_.drift_block = count_of(outcome.drift, drift::Verdict::block);
  }
  finish(outcome.code, reason_of(outcome));
}

void AttemptReporter::ended(const Error& error) {
  if (begin_end()) {
    // the message of a pause has a person's own words, which are not passed on
    finish(error.code, error.code == Code::paused ? "paused" : error.message);
  }
}

void AttemptReporter::finish(Code code, std::string reason) {
  attempt_.state = state::Attempt::State::ended;
  attempt_.ended = std::max(attempt_.began, now_seconds());
  attempt_.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::steady_clock::now() - start_)
                              .count();
  attempt_.exit = static_cast<int>(code);
  attempt_.reason = std::move(reason);
  if (state::succeeded(attempt_)) {
    attempt_.last_success = attempt_.ended;
  }
  write(attempt_);
  tell_others();
}

/// Writes metrics and sends the ping; not for an attempt that only found another one at work, as
/// that would hide how the other one ends. A paused attempt sends no ping, as it is no failure.
void AttemptReporter::tell_others() {
  const bool overlap = attempt_.exit == static_cast<int>(Code::locked);
  if (!alert_.metrics.empty() && !overlap) {
    try {
      constexpr unsigned kForAll = 0644;
      replace_file(alert_.metrics, report::metrics_text(attempt_, pairing_, alert_.max_age),
                   kForAll);
    } catch (const std::system_error& error) {
      note(fmt::format("the metrics cannot be written to '{}': {}", alert_.metrics.string(),
                       error.code().message()));
    }
  }
  if (!alert_.ping.empty() && !overlap && attempt_.exit != static_cast<int>(Code::paused)) {
    note(ping(alert_.ping, state::succeeded(attempt_) ? "" : std::to_string(attempt_.exit)));
  }
  if (!troubles_.empty()) {
    attempt_.troubles = troubles_;
    write(attempt_);
  }
}

report::LastSuccess AttemptReporter::last_success() const {
  const auto at = attempt_.last_success;
  return {.when = at == 0 ? std::string("never")
                          : fmt::format(
                                "{}, {}", report::with_local(utc_of(at)),
                                report::age_text(std::max<std::int64_t>(0, attempt_.ended - at))),
          .max_age = alert_.max_age ? report::span_text(alert_.max_age->count()) : std::string()};
}

state::Speech AttemptReporter::decide(std::vector<state::Matter> found, state::Reach reach) {
  const auto now = ended_ ? attempt_.ended : attempt_.began;
  if (reach == state::Reach::nowhere || reach == state::Reach::part) {
    const auto pulse = state::pulse_of(state_, state::patience_of(alert_.max_age));
    if (pulse.beat.overdue) {
      found.push_back(report::overdue());
    }
  }
  const auto told = state::read_told(state_);
  auto speech = state::decide(told, found, reach, now);
  if (speech.told != told) {
    note(state::write_told(state_, speech.told));
  }
  return speech;
}

std::string AttemptReporter::mail(const report::Outcome& outcome, report::Colour colour) {
  const auto speech = decide(report::matters_of(outcome), report::reach_of(outcome));
  return report::mail_text(speech, outcome, last_success(), colour);
}

std::string AttemptReporter::mail(const report::Exchanged& exchanged, report::Colour colour) {
  const auto speech = decide(report::matters_of(exchanged), report::reach_of(exchanged));
  return report::mail_text(speech, exchanged, last_success(), colour);
}

std::string AttemptReporter::mail(const Error& error, report::Colour colour) {
  const auto speech = decide(report::matters_of(error), state::reach_of(error.code));
  return report::mail_text(speech, error, last_success(), colour);
}

}  // namespace abgleich::sync
