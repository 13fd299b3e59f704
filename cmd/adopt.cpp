// `abgleich adopt`: go on with a restored primary or secondary.
#include "command.hpp"
#include "sync/check/status.hpp"
#include "sync/peers/exchange.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

void setup_adopt(CommandLine app, Context& context) {
  auto command = app.add_subcommand("adopt",
                                    "go on with the databases as they are: restored ones (after "
                                    "exit 21 or 22), columns that people have changed");
  const auto reason = std::make_shared<std::string>();
  command.add_option("--reason", *reason, "why, for the journal").required().type_name("TEXT");
  command.callback([&context, reason] {
    context.run = [&context, reason] {
      const auto adopted =
          context.peer
              ? sync::adopt(sync::load_config(context.config_file()),
                            sync::peer_way_from(*context.peer), *reason, context.on_statement())
              : sync::Adopted{.run = sync::adopt(context.pairing(), *reason)};
      const auto& run = adopted.run;
      context.applied = {run.value_or(std::string())};
      if (context.json) {
        const nlohmann::ordered_json json = {{"schema", "abgleich.adopt/1"},
                                             {"run", run ? nlohmann::ordered_json(*run) : nullptr}};
        print_json(json);
      } else if (context.loudness() != Loudness::problems) {
        print(run ? fmt::format("run {}: the databases are accepted as they are now\n", *run)
              : context.peer ? "there is no history of this peer's rows\n"
                             : "the secondary has no history; the next sync begins one\n");
        if (adopted.asked_for_all) {
          print("the peer was asked for all of its rows; until they come, none are merged\n");
        }
        if (adopted.begun_anew) {
          print("this node's messages begin anew, and the peer gets all rows\n");
        }
      }
      return Code::done;
    };
  });
}

}  // namespace abgleich::cmd
