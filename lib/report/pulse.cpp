#include "report/pulse.hpp"

#include "core/clock.hpp"
#include "core/visible_text.hpp"
#include "journal/head.hpp"
#include "report/local_time.hpp"
#include "report/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace abgleich::report {

namespace {

using Json = nlohmann::ordered_json;
using state::Attempt;

std::int64_t age(std::int64_t moment, const state::Pulse& pulse) {
  return std::max<std::int64_t>(0, pulse.now - moment);
}

std::string when(std::int64_t moment, const state::Pulse& pulse) {
  return fmt::format("{}, {}", with_local(utc_of(moment)), age_text(age(moment, pulse)));
}

/// Whether it was killed, as far as can be known: it has not ended, and is not running any more.
bool was_killed(const Attempt& attempt, const state::Pulse& pulse) {
  return attempt.state == Attempt::State::killed ||
         (attempt.state == Attempt::State::at_work && !pulse.at_work);
}

/// The last attempt that tells whether syncing works. One that is still running does not.
const Attempt* last_of(const state::Pulse& pulse) {
  const auto& newest = pulse.beat.newest;
  const auto& open = pulse.beat.at_work;
  if (open && !pulse.at_work && (!newest || open->number > newest->number)) {
    return &*open;
  }
  return newest ? &*newest : nullptr;
}

std::string last_text(const Attempt& attempt, const state::Pulse& pulse) {
  if (was_killed(attempt, pulse)) {
    return fmt::format(
        "last attempt: {}; it never ended: it was killed, or the machine went down\n",
        when(attempt.began, pulse));
  }
  return fmt::format("last attempt: {}: exit code {}{}{}\n", when(attempt.ended, pulse),
                     attempt.exit, attempt.reason.empty() ? "" : ": ", visible(attempt.reason));
}

std::string day_text(const state::Heartbeat& beat) {
  std::string failures;
  for (const auto& [code, times] : beat.failures) {
    failures += fmt::format("; {} with exit code {}", times, code);
  }
  if (beat.killed > 0) {
    failures += fmt::format("; {} killed", beat.killed);
  }
  return fmt::format("in the last day: {} of {} attempts worked{}\n", beat.successes, beat.attempts,
                     failures);
}

/// Rounded down, so that 100 % is shown only for all changes.
std::int64_t percent(const state::Freshness& freshness) {
  constexpr std::int64_t kWhole = 100;
  return freshness.in_time * kWhole / freshness.changes;
}

std::string freshness_text(const state::Pulse& pulse) {
  const auto& freshness = pulse.beat.freshness;
  if (freshness.changes == 0) {
    return {};
  }
  return fmt::format(
      "freshness, last day: {} % of {} {} there within {}, the last of all within {}\n",
      percent(freshness),
      freshness.changes == 1 ? "1 change" : fmt::format("{} changes", freshness.changes),
      freshness.changes == 1 ? "was" : "were", span_text(pulse.patience.within.count()),
      span_text(freshness.worst));
}

Json json_of(const Attempt& attempt, const state::Pulse& pulse) {
  const bool killed = was_killed(attempt, pulse);
  const bool ended = attempt.state == Attempt::State::ended;
  return {
      {"began", utc_of(attempt.began)},
      {"ended", ended ? Json(utc_of(attempt.ended)) : Json(nullptr)},
      {"seconds", ended ? Json(static_cast<double>(attempt.milliseconds) / 1000) : Json(nullptr)},
      {"state", killed  ? "killed"
                : ended ? "ended"
                        : "at work"},
      {"exit", ended ? Json(attempt.exit) : Json(nullptr)},
      {"reason", attempt.reason.empty() ? Json(nullptr) : Json(attempt.reason)},
      {"rows",
       {{"inserted", attempt.inserted},
        {"updated", attempt.updated},
        {"deleted", attempt.deleted}}}};
}

}  // namespace

std::string span_text(std::int64_t seconds) {
  auto text = age_text(seconds);
  return text.substr(0, text.rfind(" ago"));
}

std::string text_of(const state::Pulse& pulse) {
  const auto& beat = pulse.beat;
  const auto* const last = last_of(pulse);
  std::string text = pulse.trouble.empty() ? "" : visible(pulse.trouble) + "\n";
  if (last == nullptr && !pulse.at_work) {
    return text;
  }
  const auto max_age = pulse.patience.max_age;
  text += fmt::format(
      "syncing last worked: {}{}\n",
      beat.last_success ? when(*beat.last_success, pulse) : std::string("never"),
      beat.overdue ? fmt::format("; that is overdue: max_age is {}", span_text(max_age->count()))
                   : std::string());
  if (last != nullptr) {
    text += last_text(*last, pulse);
  }
  if (pulse.at_work) {
    text += fmt::format("at work: since {}\n", when(beat.at_work->began, pulse));
  }
  text += day_text(beat) + freshness_text(pulse);
  if (last != nullptr) {
    for (const auto& trouble : last->troubles) {
      text += fmt::format("alert: {}\n", visible(trouble));
    }
  }
  return text;
}

Json json_of(const state::Pulse& pulse) {
  const auto& beat = pulse.beat;
  const auto* const last = last_of(pulse);
  const auto moment = [](const std::optional<std::int64_t>& at) {
    return at ? Json(utc_of(*at)) : Json(nullptr);
  };
  Json failures = Json::object();
  for (const auto& [code, times] : beat.failures) {
    failures[std::to_string(code)] = times;
  }
  const auto& freshness = beat.freshness;
  return {{"last_success", moment(beat.last_success)},
          {"age_seconds", beat.last_success ? Json(age(*beat.last_success, pulse)) : Json(nullptr)},
          {"max_age_seconds",
           pulse.patience.max_age ? Json(pulse.patience.max_age->count()) : Json(nullptr)},
          {"overdue", beat.overdue},
          {"failing_since", moment(beat.failing_since)},
          {"last_attempt", last == nullptr ? Json(nullptr) : json_of(*last, pulse)},
          {"at_work_since", pulse.at_work ? Json(utc_of(beat.at_work->began)) : Json(nullptr)},
          {"last_day",
           {{"attempts", beat.attempts},
            {"successes", beat.successes},
            {"killed", beat.killed},
            {"failures", failures}}},
          {"freshness",
           {{"changes", freshness.changes},
            {"within_seconds", pulse.patience.within.count()},
            {"in_time", freshness.in_time},
            {"worst_seconds", freshness.changes == 0 ? Json(nullptr) : Json(freshness.worst)}}},
          {"troubles", last == nullptr ? Json::array() : Json(last->troubles)},
          {"record", pulse.trouble.empty() ? Json(nullptr) : Json(pulse.trouble)}};
}

Code code_of(const state::Pulse& pulse) {
  if (pulse.beat.overdue) {
    return Code::overdue;
  }
  const auto* const last = last_of(pulse);
  if (pulse.patience.max_age || last == nullptr) {
    return Code::done;
  }
  return last->state == Attempt::State::ended ? static_cast<Code>(last->exit) : Code::overdue;
}

}  // namespace abgleich::report
