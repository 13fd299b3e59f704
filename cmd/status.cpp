// `abgleich status`: when syncing last worked, the last run, what is open, and whether a run would
// be refused.
#include "sync/check/status.hpp"

#include "command.hpp"
#include "contract/config.hpp"
#include "contract/words.hpp"
#include "core/clock.hpp"
#include "core/visible_text.hpp"
#include "report/json.hpp"
#include "report/local_time.hpp"
#include "report/pulse.hpp"
#include "sync/peers/peer_status.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>

namespace abgleich::cmd {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  bool exit_code = false;
  bool all = false;
};

/// What is known of a pairing; without `status` its secondary could not be asked, or there is no
/// pairing at all.
struct Standing {
  std::string name;
  std::optional<state::Pulse> pulse;
  std::optional<sync::Status> status;
  std::optional<Error> failed;
  std::optional<std::vector<sync::PeerStatus>> peers;  // empty: the configuration has none
  std::vector<std::filesystem::path> own;              // what no two pairings may share
};

Json drift_of(const std::vector<drift::Event>& events) {
  auto array = Json::array();
  for (const auto& event : events) {
    array.push_back(Json::parse(report::json_line(event)));
  }
  return array;
}

Json json_of(const std::optional<Error>& error) {
  return error ? Json::parse(report::json_line(*error))["error"] : Json(nullptr);
}

/// The fields that come from the secondary and the primary.
Json json_of(const sync::Status& status) {
  return {{"run", status.last ? Json(status.last->id) : nullptr},
          {"finished", status.last ? Json(status.last->finished) : nullptr},
          {"age_seconds", status.last ? Json(status.age) : nullptr},
          {"tables", status.tables},
          {"open", {{"conflicts", status.conflicts}, {"quarantined", status.quarantined}}},
          {"rare",
           {{"never_left", status.rare - status.rare_still_there},
            {"still_there", status.rare_still_there}}},
          {"paused", status.head && status.head->paused ? Json(*status.head->paused) : nullptr},
          {"drift", status.drift_unknown ? Json(nullptr) : drift_of(status.drift)},
          {"damaged", status.damaged},
          {"refused", json_of(status.refused)}};
}

Json json_of(const std::vector<sync::PeerStatus>& peers) {
  const auto moment = [](const std::optional<std::int64_t>& at) {
    return at ? Json(utc_of(*at)) : Json(nullptr);
  };
  auto json = Json::object();
  for (const auto& peer : peers) {
    json[peer.peer] = {{"heard", moment(peer.heard)},
                       {"waiting_since", moment(peer.waiting)},
                       {"unsigned_files", peer.noise},
                       {"open", {{"conflicts", peer.conflicts}, {"quarantined", peer.quarantined}}},
                       {"drift", peer.drift},
                       {"code", static_cast<int>(peer.code)},
                       {"error", json_of(peer.error)}};
  }
  return json;
}

Json json_of(const Standing& standing) {
  Json json = {{"schema", "abgleich.status/1"}, {"pairing", standing.name}};
  if (standing.status) {
    json.update(json_of(*standing.status));
  } else {
    for (const char* name : {"run", "finished", "age_seconds", "tables", "open", "rare", "paused",
                             "drift", "damaged", "refused"}) {
      json[name] = nullptr;
    }
  }
  json["heartbeat"] = standing.pulse ? report::json_of(*standing.pulse) : Json(nullptr);
  json["error"] = json_of(standing.failed);
  if (standing.peers) {
    json["peers"] = json_of(*standing.peers);
  }
  return json;
}

std::string drift_text(const sync::Status& status) {
  if (status.drift_unknown) {
    return fmt::format("drift: not known: {}\n", status.drift_unknown->message);
  }
  if (status.drift.empty()) {
    return "drift: none\n";
  }
  const auto blocked = report::blocked_tables(status.drift);
  return fmt::format("drift: {} {}{}; see it: abgleich drift\n", status.drift.size(),
                     status.drift.size() == 1 ? "thing" : "things",
                     blocked.empty() ? ""
                                     : fmt::format(", not synchronised until it is decided: {}",
                                                   fmt::join(blocked, ", ")));
}

std::string text_of(const sync::Status& status) {
  std::string text;
  if (status.damaged) {
    text += "the bookkeeping was found damaged, and no run writes; see: abgleich verify\n";
  }
  if (status.refused) {
    text += fmt::format("no run goes on from here: {}; hint: {}\n", status.refused->message,
                        status.refused->hint);
  }
  if (!status.last) {
    return text + "no run yet; the first one: abgleich sync\n";
  }
  text += fmt::format("last run: {} ({}) finished {}, {}\n", visible(status.last->id),
                      visible(status.last->kind), report::with_local(status.last->finished),
                      report::age_text(status.age));
  text += fmt::format("tables: {}\n", visible(fmt::format("{}", fmt::join(status.tables, ", "))));
  text += fmt::format("open conflicts: {}{}\n", status.conflicts,
                      status.conflicts > 0 ? "; see them: abgleich conflicts" : "");
  text += fmt::format("rows held back: {}{}{}\n", status.quarantined,
                      status.rare == 0 ? ""
                                       : fmt::format(" (by min_k: {} never left, {} still there)",
                                                     status.rare - status.rare_still_there,
                                                     status.rare_still_there),
                      status.quarantined > 0 ? "; see them: abgleich quarantine" : "");
  text += drift_text(status);
  if (status.head->paused) {
    text += fmt::format("paused: {}; go on: abgleich resume --reason TEXT\n",
                        visible(*status.head->paused));
  }
  return text;
}

/// Everything that can be found out. The record of attempts can be read even where no database
/// answers.
Standing look_at(const Context& context, const std::filesystem::path& file) {
  Standing standing{.name = contract::name_of_pairing(file)};
  try {
    const auto config = sync::load_config(file);
    standing.own = {config.state_directory.lexically_normal()};
    if (!config.alert.metrics.empty()) {
      standing.own.push_back(config.alert.metrics.lexically_normal());
    }
    standing.pulse =
        state::pulse_of(config.state_directory, state::patience_of(config.alert.max_age));
    if (config.pairs) {
      standing.status =
          sync::status(sync::load_pairing(file, contract::Trust::needed, context.on_statement()));
    }
    if (!config.exchange.peers.empty()) {
      standing.peers = sync::peer_status(config, context.on_statement());
    }
  } catch (const Failure& failure) {
    standing.failed = failure.error();
  }
  return standing;
}

/// The severest exit code of what is open or in the way.
Code code_of(const Standing& standing) {
  auto code = standing.pulse ? report::code_of(*standing.pulse) : Code::done;
  for (const auto& peer : standing.peers.value_or(std::vector<sync::PeerStatus>())) {
    code = severer(code, peer.code);
  }
  if (!standing.status) {
    return code;
  }
  const auto& status = *standing.status;
  const auto add = [&](bool holds, Code one) { code = holds ? severer(code, one) : code; };
  add(status.conflicts > 0, Code::conflicts_open);
  add(status.quarantined > 0 || !status.drift.empty(), Code::quarantine_or_drift);
  add(status.head && status.head->paused, Code::paused);
  add(!report::blocked_tables(status.drift).empty(), Code::drift_decision);
  add(status.damaged, Code::integrity);
  return status.refused ? severer(code, status.refused->code) : code;
}

std::string text_of(const sync::PeerStatus& peer) {
  const auto ago = [](std::int64_t at) {
    return report::age_text(std::max<std::int64_t>(0, now_seconds() - at));
  };
  auto text = fmt::format("peer {}: {}{}", peer.peer,
                          peer.heard        ? fmt::format("last heard {}", ago(*peer.heard))
                          : peer.begun != 0 ? "never heard"
                                            : "no run yet",
                          peer.code == Code::overdue ? ", which is overdue" : "");
  if (peer.waiting) {
    text +=
        fmt::format("; rows wait for its answer since {}",
                    report::span_text(std::max<std::int64_t>(0, now_seconds() - *peer.waiting)));
  }
  if (peer.conflicts + peer.quarantined > 0) {
    text +=
        fmt::format("; open conflicts: {}, rows held back: {}; see: abgleich conflicts --peer {}",
                    peer.conflicts, peer.quarantined, peer.peer);
  }
  if (!peer.drift.empty()) {
    text += fmt::format("; drift; see: abgleich --peer {} drift",
                        fmt::join(peer.drift, " drift, abgleich --peer "));
  }
  if (peer.noise > 0) {
    text += fmt::format("; files in its boxes that it has not signed: {}", peer.noise);
  }
  if (peer.error) {
    text += fmt::format("; {}; hint: {}", peer.error->message, peer.error->hint);
  }
  return text + "\n";
}

std::string text_of(const Standing& standing) {
  auto text = (standing.pulse ? report::text_of(*standing.pulse) : std::string()) +
              (standing.status ? text_of(*standing.status) : std::string());
  for (const auto& peer : standing.peers.value_or(std::vector<sync::PeerStatus>())) {
    text += text_of(peer);
  }
  return text;
}

/// Prints what is known, then throws Failure where the secondary could not be asked.
Code print_status(const Context& context, const Arguments& arguments) {
  const auto standing = look_at(context, context.config_file());
  if (context.json && (standing.pulse || !standing.failed)) {
    print_json(json_of(standing));
  } else if (!context.json) {
    print(text_of(standing));
  }
  if (standing.failed) {
    throw Failure(*standing.failed);
  }
  return arguments.exit_code ? code_of(standing) : Code::done;
}

std::string indented(const std::string& text) {
  std::string all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    all += "    " + line + "\n";
  }
  return all;
}

/// The pairing that owns a path which no other may use.
using Owners = std::map<std::filesystem::path, std::string>;

/// Two pairings that share a state directory lock each other out, and each takes the other's
/// secondary for a restored one.
void expect_own(Owners& owners, Standing& standing) {
  for (const auto& path : standing.own) {
    const auto [owner, alone] = owners.emplace(path, standing.name);
    if (!alone && !standing.failed) {
      standing.failed =
          Error{.code = Code::configuration,
                .message = fmt::format(
                    "the pairings {} and {} have the same {}", contract::in_quotes(owner->second),
                    contract::in_quotes(standing.name), contract::in_quotes(path.string())),
                .hint = "give each its own: [state] directory, [alert] metrics"};
    }
  }
}

/// Every pairing of the directory; one that cannot be asked does not hide the others.
Code print_all(const Context& context, const Arguments& arguments) {
  auto code = Code::done;
  Owners owners;
  for (const auto& file : contract::all_profiles(context.profiles)) {
    auto standing = look_at(context, file);
    expect_own(owners, standing);
    if (context.json) {
      print_json(json_of(standing));
    } else {
      print(fmt::format("{}:\n{}{}", visible(standing.name), indented(text_of(standing)),
                        standing.failed
                            ? indented(report::text_of(*standing.failed, report::Colour::off))
                            : std::string()));
    }
    if (standing.failed) {
      code = severer(code, standing.failed->code);
    } else if (arguments.exit_code) {
      code = severer(code, code_of(standing));
    }
  }
  return code;
}

}  // namespace

void setup_status(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "status",
      "when syncing last worked, the last run, what is open, and whether a run would be refused");
  const auto arguments = std::make_shared<Arguments>();
  command.add_flag("--exit-code", arguments->exit_code,
                   "end with what is open or in the way (10, 11, 13, 2x, 41), and with 14 where "
                   "no run has succeeded within [alert] max_age");
  command.add_flag("--all", arguments->all, "of every pairing: all NAME.toml, see --profiles");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] {
      return arguments->all ? print_all(context, *arguments) : print_status(context, *arguments);
    };
  });
}

}  // namespace abgleich::cmd
