// `abgleich status`: the last run, what is open, and whether a run would be refused.
#include "sync/status.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"
#include "report/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

nlohmann::ordered_json drift_of(const std::vector<drift::Event>& events) {
  auto array = nlohmann::ordered_json::array();
  for (const auto& event : events) {
    array.push_back(nlohmann::ordered_json::parse(report::json_line(event)));
  }
  return array;
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

Code print_status(const Context& context) {
  const auto pairing = context.pairing();
  const auto status = sync::status(pairing);
  if (context.json) {
    const nlohmann::ordered_json json = {
        {"schema", "abgleich.status/1"},
        {"run", status.last ? nlohmann::ordered_json(status.last->id) : nullptr},
        {"finished", status.last ? nlohmann::ordered_json(status.last->finished) : nullptr},
        {"age_seconds", status.last ? nlohmann::ordered_json(status.age) : nullptr},
        {"tables", status.tables},
        {"open", {{"conflicts", status.conflicts}, {"quarantined", status.quarantined}}},
        {"rare",
         {{"never_left", status.rare - status.rare_still_there},
          {"still_there", status.rare_still_there}}},
        {"paused", status.head && status.head->paused ? nlohmann::ordered_json(*status.head->paused)
                                                      : nullptr},
        {"drift", status.drift_unknown ? nlohmann::ordered_json(nullptr) : drift_of(status.drift)},
        {"damaged", status.damaged},
        {"refused", status.refused
                        ? nlohmann::ordered_json::parse(report::json_line(*status.refused))["error"]
                        : nullptr}};
    print_json(json);
    return Code::done;
  }
  if (status.damaged) {
    print("the bookkeeping was found damaged, and no run writes; see: abgleich verify\n");
  }
  if (status.refused) {
    print(fmt::format("no run goes on from here: {}; hint: {}\n", status.refused->message,
                      status.refused->hint));
  }
  if (!status.last) {
    print("no run yet; the first one: abgleich sync\n");
    return Code::done;
  }
  print(fmt::format("last run: {} ({}) finished {}, {}\n", visible(status.last->id),
                    visible(status.last->kind), status.last->finished,
                    report::age_text(status.age)));
  print(fmt::format("tables: {}\n", visible(fmt::format("{}", fmt::join(status.tables, ", ")))));
  print(fmt::format("open conflicts: {}{}\n", status.conflicts,
                    status.conflicts > 0 ? "; see them: abgleich conflicts" : ""));
  print(fmt::format("rows held back: {}{}{}\n", status.quarantined,
                    status.rare == 0 ? ""
                                     : fmt::format(" (by min_k: {} never left, {} still there)",
                                                   status.rare - status.rare_still_there,
                                                   status.rare_still_there),
                    status.quarantined > 0 ? "; see them: abgleich quarantine" : ""));
  print(drift_text(status));
  if (status.head->paused) {
    print(fmt::format("paused: {}; go on: abgleich resume --reason TEXT\n",
                      visible(*status.head->paused)));
  }
  return Code::done;
}

}  // namespace

void setup_status(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "status", "the last run, what is open, and whether a run would be refused");
  command.callback([&context] { context.run = [&context] { return print_status(context); }; });
}

}  // namespace abgleich::cmd
