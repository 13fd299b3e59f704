// `abgleich status` and `abgleich log`: what the runs have left.
#include "sync/status.hpp"

#include "command.hpp"
#include "report/json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

Code print_status(const Context& context) {
  const auto pairing = context.pairing();
  const auto status = sync::status(pairing);
  if (context.json) {
    const nlohmann::ordered_json json = {
        {"schema", "abgleich.status/1"},
        {"run", status.last ? nlohmann::ordered_json(status.last->id) : nullptr},
        {"finished", status.last ? nlohmann::ordered_json(status.last->finished) : nullptr},
        {"tables", status.tables},
        {"open", {{"conflicts", status.conflicts}, {"quarantined", status.quarantined}}},
        {"paused", status.head && status.head->paused ? nlohmann::ordered_json(*status.head->paused)
                                                      : nullptr}};
    print(json.dump() + "\n");
    return Code::done;
  }
  if (!status.last) {
    print("no run yet; the first one: abgleich sync\n");
    return Code::done;
  }
  print(fmt::format("last run: {} ({}) finished {}\n", status.last->id, status.last->kind,
                    status.last->finished));
  print(fmt::format("tables: {}\n", fmt::join(status.tables, ", ")));
  print(fmt::format("open conflicts: {}{}\n", status.conflicts,
                    status.conflicts > 0 ? "; see them: abgleich conflicts" : ""));
  print(fmt::format("rows held back: {}{}\n", status.quarantined,
                    status.quarantined > 0 ? "; see them: abgleich quarantine" : ""));
  if (status.head->paused) {
    print(fmt::format("paused: {}; go on: abgleich resume --reason TEXT\n", *status.head->paused));
  }
  return Code::done;
}

Code print_log(const Context& context, std::int64_t limit) {
  const auto pairing = context.pairing();
  for (const auto& run : sync::runs(pairing, limit)) {
    if (context.json) {
      print(report::json_line(run) + "\n");
      continue;
    }
    std::string line = fmt::format("{}  {}  {}  {}", run.id, run.finished, run.kind, run.operator_);
    if (run.reason) {
      line += "  \"" + *run.reason + "\"";
    }
    print(line + "\n");
    const auto counts = nlohmann::ordered_json::parse(run.counts, nullptr, false);
    for (const auto& [table, numbers] : counts.items()) {
      std::string text;
      for (const auto& [name, number] : numbers.items()) {
        if (number.is_number_integer() && number.get<std::int64_t>() != 0) {
          text +=
              fmt::format("{}{} {}", text.empty() ? "" : ", ", number.get<std::int64_t>(), name);
        }
      }
      if (!text.empty()) {
        print(fmt::format("    {}: {}\n", table, text));
      }
    }
  }
  return Code::done;
}

}  // namespace

void setup_status(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("status", "the last run and what is open");
  command->callback([&context] { context.run = [&context] { return print_status(context); }; });
}

void setup_log(CLI::App& app, Context& context) {
  constexpr std::int64_t kShown = 20;
  auto* command = app.add_subcommand("log", "the runs, newest first");
  const auto limit = std::make_shared<std::int64_t>(kShown);
  command->add_option("-n", *limit, "how many")->check(CLI::PositiveNumber);
  command->callback([&context, limit] {
    context.run = [&context, limit] { return print_log(context, *limit); };
  });
}

}  // namespace abgleich::cmd
