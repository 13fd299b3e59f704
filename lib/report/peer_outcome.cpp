#include "report/peer_outcome.hpp"

#include "core/visible_text.hpp"
#include "report/json.hpp"
#include "report/peer_commands.hpp"
#include "report/pulse.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace abgleich::report {

namespace {

/// The error of the peer for the run as a whole.
Error of_peer(const std::string& peer, Error error) {
  error.message = fmt::format("peer '{}': {}", peer, error.message);
  return error;
}

using Json = nlohmann::ordered_json;

Json json_of(const PeerOutcome& peer) {
  auto refused = Json::array();
  for (const auto& one : peer.refused) {
    refused.push_back({{"reason", one.reason}, {"rows", one.rows}});
  }
  auto errors = Json::array();
  for (const auto& error : peer.errors) {
    errors.push_back(Json::parse(json_line(error))["error"]);
  }
  const auto run = [](const std::optional<Outcome>& outcome) {
    return outcome ? Json::parse(json_line(*outcome)) : Json(nullptr);
  };
  return {{"sent", peer.sent},
          {"acknowledged", peer.acknowledged},
          {"received", peer.received},
          {"rows_out", peer.rows_out.value_or(0)},
          {"rows_in", peer.rows_in.value_or(0)},
          {"waiting_s", peer.waiting ? Json(*peer.waiting) : Json(nullptr)},
          {"code", static_cast<int>(peer.code)},
          {"refused", std::move(refused)},
          {"errors", std::move(errors)},
          {"from", run(peer.from)},
          {"to", run(peer.to)}};
}

std::string rows_text(std::uint64_t rows, std::string_view what) {
  return fmt::format("{} {} {}", rows, rows == 1 ? "row" : "rows", what);
}

/// The text of a run, below the peer's line.
std::string indented(const std::string& text) {
  std::string all;
  std::size_t from = 0;
  while (from < text.size()) {
    const auto end = std::min(text.find('\n', from), text.size() - 1);
    all += "    " + text.substr(from, end + 1 - from);
    from = end + 1;
  }
  return all;
}

bool changed(const std::optional<Outcome>& outcome) {
  return outcome && (outcome->result == Result::applied || outcome->code != Code::done);
}

}  // namespace

void add_error(PeerOutcome& outcome, Error error) {
  outcome.code = severer(outcome.code, error.code);
  outcome.errors.push_back(std::move(error));
}

namespace {

/// What the run of primary and secondary has printed, as far as there was one.
Outcome of_databases(const Exchanged& exchanged) {
  return exchanged.failed   ? failed_outcome(*exchanged.failed, Run::real)
         : exchanged.paired ? *exchanged.paired
                            : Outcome();
}

/// Adds what a peer's run has done to the secondary, so that it is counted.
void add_run(Outcome& summary, const std::string& peer, const Outcome& run) {
  summary.open_conflicts += run.open_conflicts;
  summary.open_quarantined += run.open_quarantined;
  for (auto counts : run.tables) {
    counts.table = peer + "/" + counts.table;
    summary.tables.push_back(std::move(counts));
  }
  summary.drift.insert(summary.drift.end(), run.drift.begin(), run.drift.end());
  if (run.result == Result::applied && summary.result == Result::unchanged) {
    summary.result = Result::applied;
  }
}

}  // namespace

Outcome summary_of(const Exchanged& exchanged) {
  auto summary = of_databases(exchanged);
  if (!exchanged.unrouted.empty()) {
    summary.code = severer(summary.code, Code::quarantine_or_drift);
  }
  std::optional<Error> worst;
  for (const auto& error : {exchanged.no_peers, exchanged.uncounted}) {
    if (error && (!worst || severer(worst->code, error->code) != worst->code)) {
      worst = error;
    }
    summary.code = error ? severer(summary.code, error->code) : summary.code;
  }
  for (const auto& peer : exchanged.peers) {
    summary.code = severer(summary.code, peer.code);
    if (peer.from) {
      add_run(summary, peer.peer, *peer.from);
    }
    for (const auto& error : peer.errors) {
      if (!worst || severer(worst->code, error.code) != worst->code) {
        worst = of_peer(peer.peer, error);
      }
    }
    for (const auto* const run : {&peer.from, &peer.to}) {
      if (*run && (*run)->error && !worst) {
        worst = of_peer(peer.peer, *(*run)->error);
      }
    }
  }
  if (worst && !summary.error) {
    summary.error = std::move(worst);
  }
  return summary;
}

std::string text_of(const Unrouted& rows) {
  std::vector<std::string> parts;
  if (rows.by_none > 0) {
    parts.push_back(fmt::format(
        "{} {}", rows.by_none,
        rows.follows ? "that follow no row that a peer gets" : "with a value that no peer takes"));
  }
  if (rows.by_many > 0) {
    parts.push_back(fmt::format("{} with a value that several take", rows.by_many));
  }
  return fmt::format(
      "unrouted: rows of '{0}' go to no peer, by '{1}': {2}\nhint: look at 'takes' of the sections "
      "[peers.…] and at '{1}' in the primary; what nobody shall get, leave out by 'where' of "
      "[tables.{0}]\n",
      visible(rows.table), visible(rows.column), fmt::join(parts, ", "));
}

bool has_news(const PeerOutcome& outcome) {
  return outcome.rows_in || outcome.rows_out || outcome.code != Code::done || changed(outcome.from);
}

std::string text_of(const PeerOutcome& outcome, Colour colour) {
  std::vector<std::string> parts;
  if (outcome.rows_in) {
    parts.push_back(rows_text(*outcome.rows_in, "came"));
  }
  if (outcome.rows_out) {
    parts.push_back(rows_text(*outcome.rows_out, "went out"));
  }
  if (outcome.waiting && !outcome.rows_out) {
    parts.push_back(fmt::format("rows wait for its answer since {}", span_text(*outcome.waiting)));
  }
  auto text =
      fmt::format("peer {}: {}\n", outcome.peer,
                  parts.empty() ? "nothing new" : fmt::format("{}", fmt::join(parts, "; ")));
  if (changed(outcome.from)) {
    text += for_peer(indented(text_of(*outcome.from, colour)), outcome.peer);
  }
  if (changed(outcome.to)) {
    text += for_peer(indented(text_of(*outcome.to, colour)), "to:" + outcome.peer);
  }
  return text;
}

std::string json_line(const Exchanged& exchanged, const Outcome& summary) {
  auto base = of_databases(exchanged);
  base.code = summary.code;
  base.error = base.error ? base.error : summary.error;
  auto json = Json::parse(json_line(base));
  auto& peers = json["peers"] = Json::object();
  for (const auto& peer : exchanged.peers) {
    peers[peer.peer] = json_of(peer);
  }
  auto& unrouted = json["unrouted"] = Json::array();
  for (const auto& rows : exchanged.unrouted) {
    unrouted.push_back({{"table", rows.table},
                        {"column", rows.column},
                        {"by_none", rows.by_none},
                        {"by_many", rows.by_many}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace abgleich::report
