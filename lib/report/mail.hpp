// What a run says under -q, which cron mails: what is new, or once a day what is still open. Whom
// it is told by mail has no need to see keys or values, so there are none.
#pragma once

#include "report/change.hpp"
#include "report/text.hpp"
#include "state/told.hpp"

#include <string>
#include <vector>

namespace abgleich::report {

/// What a run has found that a person may want to know.
std::vector<state::Matter> matters_of(const Outcome& outcome);
std::vector<state::Matter> matters_of(const Error& error);
/// That there was no success for longer than max_age.
state::Matter overdue();
/// That attempts before this one never ended.
state::Matter killed();

/// How far it got.
state::Reach reach_of(const Outcome& outcome);

/// The mail; empty: none. `since` says when syncing last worked, as `status` has it.
struct LastSuccess {
  std::string when;     // "2026-11-29T08:00:00Z, 40 minutes ago", "never"
  std::string max_age;  // "30 minutes"
};
std::string mail_text(const state::Speech& speech, const Outcome& outcome, const LastSuccess& last,
                      Colour colour);
std::string mail_text(const state::Speech& speech, const Error& error, const LastSuccess& last,
                      Colour colour);
/// That the run that began then never ended.
std::string killed_text(const std::string& began);

}  // namespace abgleich::report
