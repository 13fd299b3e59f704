// `abgleich check`: is everything in place for a run?
#include "sync/check/check.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace abgleich::cmd {

namespace {

Code run(const Context& context) {
  return sync::check(context.config_file(), context.on_statement(), [&](const sync::Checked& line) {
    const bool fine = line.code == Code::done && !line.warning;
    if (context.json) {
      nlohmann::ordered_json json = {{"check", line.what},
                                     {"ok", fine},
                                     {"result", line.result},
                                     {"code", static_cast<int>(line.code)},
                                     {"hint", line.hint}};
      if (line.warning) {
        json["warning"] = true;
      }
      if (line.note) {
        json["note"] = true;
      }
      print_json(json);
      return;
    }
    if (fine && context.loudness() == Loudness::problems) {
      return;
    }
    print(fmt::format("{} {}: {}\n",
                      line.note                                                ? "note"
                      : fine                                                   ? "ok  "
                      : line.warning || line.code == Code::quarantine_or_drift ? "WARN"
                                                                               : "FAIL",
                      visible(line.what), visible(line.result)));
    if (!line.hint.empty()) {
      print(fmt::format("     hint: {}\n", visible(line.hint)));
    }
  });
}

}  // namespace

void setup_check(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "check",
      "whether a run can go on, and what leaves that should not: a line each, ok or what to do");
  command.callback([&context] { context.run = [&context] { return run(context); }; });
}

}  // namespace abgleich::cmd
