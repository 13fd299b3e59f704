// `abgleich privacy`: what leaves in which class, and how well it is hidden.
#include "sync/check/privacy.hpp"

#include "command.hpp"
#include "report/privacy.hpp"

#include <memory>

namespace abgleich::cmd {

void setup_privacy(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "privacy", "what leaves in which class; k-anonymity and l-diversity of the secondary");
  const auto markdown = std::make_shared<bool>(false);
  command.add_flag("--markdown", *markdown,
                   "as a page for the record of processing activities, every column named");
  command.callback([&context, markdown] {
    context.run = [&context, markdown] {
      const auto privacy = sync::privacy(context.pairing());
      print(context.json ? report::json_line(privacy) + "\n"
            : *markdown  ? report::markdown_of(privacy)
                         : report::text_of(privacy));
      return Code::done;
    };
  });
}

}  // namespace abgleich::cmd
