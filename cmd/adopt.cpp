// `abgleich adopt`: go on with a restored primary or secondary.
#include "command.hpp"
#include "sync/status.hpp"

#include <memory>

namespace abgleich::cmd {

void setup_adopt(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "adopt", "go on with a restored primary or secondary (after exit 21 or 22)");
  const auto reason = std::make_shared<std::string>();
  command.add_option("--reason", *reason, "why, for the journal").required().type_name("TEXT");
  command.callback([&context, reason] {
    context.run = [&context, reason] {
      const auto adopted = sync::adopt(context.pairing(), *reason);
      context.applied = {adopted.run};
      print(adopted.text + "\n");
      return Code::done;
    };
  });
}

}  // namespace abgleich::cmd
