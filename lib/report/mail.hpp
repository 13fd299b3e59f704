// What a run prints with -q, which cron sends as mail: what is new, or once a day what is still
// open. It never has keys or values of rows, since those who get the mail do not need them.
#pragma once

#include "report/change.hpp"
#include "report/peer_outcome.hpp"
#include "report/text.hpp"
#include "state/told.hpp"

#include <string>
#include <vector>

namespace abgleich::report {

/// What a run has found that a person may want to know.
std::vector<state::Matter> matters_of(const Outcome& outcome);
std::vector<state::Matter> matters_of(const Error& error);
/// Of a run with peers: each peer's matters are its own.
std::vector<state::Matter> matters_of(const Exchanged& exchanged);
/// The matter that there was no success for longer than max_age.
state::Matter overdue();
/// The matter that attempts before this one never ended.
state::Matter killed();

/// How far the run got.
state::Reach reach_of(const Outcome& outcome);
state::Reach reach_of(const Exchanged& exchanged);

/// When syncing last worked, in the words of `status`.
struct LastSuccess {
  std::string when;     // "2026-11-29T08:00:00Z, 40 minutes ago", "never"
  std::string max_age;  // "30 minutes"
};
/// The text of the mail; empty: no mail.
std::string mail_text(const state::Speech& speech, const Outcome& outcome, const LastSuccess& last,
                      Colour colour);
std::string mail_text(const state::Speech& speech, const Error& error, const LastSuccess& last,
                      Colour colour);
std::string mail_text(const state::Speech& speech, const Exchanged& exchanged,
                      const LastSuccess& last, Colour colour);
/// The text about a run that began at `began` and never ended.
std::string killed_text(const std::string& began);

}  // namespace abgleich::report
