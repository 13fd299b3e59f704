#include "report/mail.hpp"

#include "core/clock.hpp"
#include "core/visible_text.hpp"
#include "journal/head.hpp"
#include "report/local_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace abgleich::report {

namespace {

using state::Matter;
using state::Speech;
using Kind = Matter::Kind;

/// No more drift events than this are remembered as told.
constexpr std::size_t kMostDrift = 1000;

/// Whether the drift events already explain the error that ended the run.
bool told_by_drift(const Outcome& outcome) {
  return !blocked_tables(outcome.drift).empty();
}

std::string name_of(const drift::Event& event) {
  return fmt::format("{}:{}:{}:{}:{}", name_of(event.kind), event.table, event.column, event.now,
                     drift::name_of(event.verdict));
}

std::string name_of(const OpenConflict& conflict) {
  return conflict.table + ":" + conflict.id;
}

std::string overdue_text(const Speech& speech, const LastSuccess& last) {
  return speech.tells(Kind::overdue, "")
             ? fmt::format("overdue: syncing last worked: {}; max_age is {}\n", last.when,
                           last.max_age)
             : std::string();
}

std::string works_again_text(const Speech& speech) {
  return speech.works_again ? fmt::format("syncing works again; it had failed since {}\n",
                                          with_local(utc_of(*speech.works_again)))
                            : std::string();
}

/// The events that are printed in full: the new ones, or in a reminder all.
std::string drift_text(const Speech& speech, const Outcome& outcome, Colour colour) {
  std::string text;
  for (const auto& event : outcome.drift) {
    if (speech.reminder || speech.tells(Kind::drift, name_of(event))) {
      text += text_of(event, colour);
    }
  }
  return text;
}

std::string new_conflicts_text(const Speech& speech, const Outcome& outcome) {
  constexpr std::size_t kListed = 20;
  std::string text;
  std::size_t count = 0;
  for (const auto& conflict : outcome.conflicts) {
    if (speech.tells(Kind::conflict, name_of(conflict)) && ++count <= kListed) {
      text += fmt::format("new conflict: {} {}\n", visible(conflict.table), visible(conflict.id));
    }
  }
  return count > kListed ? text + fmt::format("{} more new conflicts\n", count - kListed) : text;
}

std::string notes_text(const Speech& speech, const Outcome& outcome) {
  std::string text;
  for (const auto& note : outcome.notes) {
    if (speech.tells(Kind::note, state::without_numbers(note))) {
      text += "note: " + visible(note) + "\n";
    }
  }
  return text;
}

std::string reminder_text(const Speech& speech, std::string_view what) {
  return speech.reminder ? fmt::format("{} since {} (a reminder, once a day)\n", what,
                                       with_local(utc_of(*speech.reminder)))
                         : std::string();
}

}  // namespace

std::vector<Matter> matters_of(const Outcome& outcome) {
  std::vector<Matter> matters;
  for (const auto& conflict : outcome.conflicts) {
    matters.push_back({.kind = Kind::conflict, .name = name_of(conflict)});
  }
  if (outcome.conflicts.empty() && outcome.open_conflicts > 0) {
    // too many to remember each by its name: only a greater number is news
    matters.push_back({.kind = Kind::conflict, .name = "", .count = outcome.open_conflicts});
  }
  for (const auto& counts : outcome.tables) {
    if (counts.quarantined > 0) {
      matters.push_back(
          {.kind = Kind::held_back, .name = counts.table, .count = counts.quarantined});
    }
  }
  for (std::size_t i = 0; i < std::min(kMostDrift, outcome.drift.size()); ++i) {
    matters.push_back({.kind = Kind::drift, .name = name_of(outcome.drift[i])});
  }
  for (const auto& note : outcome.notes) {
    matters.push_back({.kind = Kind::note, .name = state::without_numbers(note)});
  }
  if (outcome.error && !told_by_drift(outcome)) {
    // with other missing statements, it is another failure
    matters.push_back({.kind = Kind::failure,
                       .name = fmt::format("{}\n{}", state::name_of_failure(*outcome.error),
                                           fmt::join(outcome.ddl, "\n"))});
  }
  return matters;
}

std::vector<Matter> matters_of(const Error& error) {
  return {error.code == Code::locked
              ? Matter{.kind = Kind::overlap, .name = ""}
              : Matter{.kind = Kind::failure, .name = state::name_of_failure(error)}};
}

Matter overdue() {
  return {.kind = Kind::overdue, .name = ""};
}

Matter killed() {
  return {.kind = Kind::killed, .name = ""};
}

state::Reach reach_of(const Outcome& outcome) {
  if (outcome.tables.empty()) {
    return state::Reach::nowhere;
  }
  const auto reach = state::reach_of(outcome.code);
  return reach == state::Reach::nowhere ? state::Reach::part : reach;
}

namespace {

/// What a mail says of one run, without what it says of syncing as a whole.
std::string run_text(const Speech& speech, const Outcome& outcome, Colour colour) {
  auto text = notes_text(speech, outcome) + drift_text(speech, outcome, colour) +
              new_conflicts_text(speech, outcome);
  if (speech.reminder) {
    text += open_text(outcome);
  } else if (outcome.code != Code::done || speech.works_again) {
    text += text_of(outcome, colour);
  }
  if (outcome.error && !told_by_drift(outcome)) {
    text += text_of(*outcome.error, colour);
  }
  return text;
}

/// The matters of a peer, under names that no other peer's have.
std::vector<Matter> matters_of(const PeerOutcome& peer) {
  std::vector<Matter> all;
  const auto add = [&](const std::string& way, const std::vector<Matter>& matters) {
    for (auto matter : matters) {
      matter.name = fmt::format("{}{}\n{}", way, peer.peer, matter.name);
      all.push_back(std::move(matter));
    }
  };
  if (peer.from) {
    add("", matters_of(*peer.from));
  }
  if (peer.to) {
    add("to:", matters_of(*peer.to));
  }
  for (const auto& error : peer.errors) {
    add("", {{.kind = Kind::failure, .name = state::name_of_failure(error)}});
  }
  return all;
}

Matter matter_of(const Unrouted& rows) {
  return {.kind = Kind::held_back,
          .name = "unrouted\n" + rows.table,
          .count = rows.by_none + rows.by_many};
}

bool tells_of(const Speech& speech, const PeerOutcome& peer) {
  return std::ranges::any_of(matters_of(peer), [&](const Matter& matter) {
    return speech.tells(matter.kind, matter.name);
  });
}

std::string peer_text(const PeerOutcome& peer, Colour colour) {
  auto text = text_of(peer, colour);
  for (const auto* const run : {&peer.from, &peer.to}) {
    for (const auto& event : *run ? (*run)->drift : std::vector<drift::Event>()) {
      text += text_of(event, colour);
    }
    if (*run && (*run)->error && !told_by_drift(**run)) {
      text += text_of(*(*run)->error, colour);
    }
  }
  for (auto error : peer.errors) {
    error.message = fmt::format("peer '{}': {}", peer.peer, error.message);
    text += text_of(error, colour);
  }
  return text;
}

}  // namespace

std::vector<Matter> matters_of(const Exchanged& exchanged) {
  auto all = exchanged.paired   ? matters_of(*exchanged.paired)
             : exchanged.failed ? matters_of(*exchanged.failed)
                                : std::vector<Matter>();
  for (const auto& error : {exchanged.no_peers, exchanged.uncounted}) {
    if (error) {
      std::ranges::move(matters_of(*error), std::back_inserter(all));
    }
  }
  for (const auto& peer : exchanged.peers) {
    std::ranges::move(matters_of(peer), std::back_inserter(all));
  }
  for (const auto& rows : exchanged.unrouted) {
    all.push_back(matter_of(rows));
  }
  return all;
}

state::Reach reach_of(const Exchanged& exchanged) {
  using state::Reach;
  if (exchanged.failed || exchanged.no_peers) {
    return Reach::part;
  }
  auto reach = exchanged.paired ? reach_of(*exchanged.paired) : Reach::all;
  for (const auto& peer : exchanged.peers) {
    const bool whole = peer.errors.empty() && (!peer.from || reach_of(*peer.from) == Reach::all) &&
                       (!peer.to || reach_of(*peer.to) == Reach::all);
    reach = whole ? reach : Reach::part;
  }
  return reach;
}

std::string mail_text(const Speech& speech, const Outcome& outcome, const LastSuccess& last,
                      Colour colour) {
  if (speech.silent()) {
    return {};
  }
  return works_again_text(speech) + overdue_text(speech, last) +
         reminder_text(speech, "still open") + run_text(speech, outcome, colour);
}

std::string mail_text(const Speech& speech, const Exchanged& exchanged, const LastSuccess& last,
                      Colour colour) {
  if (speech.silent()) {
    return {};
  }
  auto text =
      works_again_text(speech) + overdue_text(speech, last) + reminder_text(speech, "still open");
  if (exchanged.paired) {
    text += run_text(speech, *exchanged.paired, colour);
  }
  for (const auto& error : {exchanged.failed, exchanged.no_peers, exchanged.uncounted}) {
    text += error ? text_of(*error, colour) : std::string();
  }
  for (const auto& peer : exchanged.peers) {
    if (tells_of(speech, peer) || (speech.reminder && peer.code != Code::done)) {
      text += peer_text(peer, colour);
    }
  }
  for (const auto& rows : exchanged.unrouted) {
    const auto matter = matter_of(rows);
    if (speech.tells(matter.kind, matter.name) || speech.reminder) {
      text += text_of(rows);
    }
  }
  return text;
}

std::string mail_text(const Speech& speech, const Error& error, const LastSuccess& last,
                      Colour colour) {
  if (speech.silent()) {
    return {};
  }
  return overdue_text(speech, last) + reminder_text(speech, "still failing") +
         text_of(error, colour);
}

std::string killed_text(const std::string& began) {
  return fmt::format(
      "warning: the run that began {} never ended: it was killed, or the machine went down\n"
      "hint: look into the system's log; this run begins where the last one that was applied has "
      "ended\n",
      began);
}

}  // namespace abgleich::report
