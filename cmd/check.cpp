// `abgleich check`: is everything in place for a run?
#include "sync/check/check.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"
#include "sync/peers/peer_check.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace abgleich::cmd {

namespace {

sync::OnChecked printer(const Context& context) {
  return [&context](const sync::Checked& line) {
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
  };
}

/// The configuration, if it can be read; else `sync::check` says why not.
std::optional<contract::Config> configuration(const std::filesystem::path& file) {
  try {
    return sync::load_config(file);
  } catch (const Failure&) {
    return std::nullopt;
  }
}

Code run(const Context& context) {
  const auto file = context.config_file();
  const auto on_line = printer(context);
  const auto node = configuration(file);
  auto worst = Code::done;
  if (!context.peer || !node) {
    worst = sync::check(file, context.on_statement(), on_line);
  }
  if (node && (context.peer || !node->exchange.peers.empty())) {
    const auto only =
        context.peer ? std::optional(sync::peer_way_from(*context.peer)) : std::nullopt;
    worst = severer(worst, sync::check_peers(*node, only, context.on_statement(), on_line));
  }
  return worst;
}

}  // namespace

void setup_check(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "check",
      "whether a run can go on, and what leaves that should not: a line each, ok or what to do");
  command.callback([&context] { context.run = [&context] { return run(context); }; });
}

}  // namespace abgleich::cmd
