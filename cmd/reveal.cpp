// `abgleich reveal`: finds the primary's keys behind pseudonyms, for those who may know.
#include "sync/history/reveal.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::string table;
  std::vector<std::string> pseudonyms;
  std::string reason;
};

Code run(const Context& context, const Arguments& arguments) {
  sync::reveal(context.pairing(), arguments.table, arguments.pseudonyms, arguments.reason,
               [&](const sync::Revealed& revealed) {
                 if (context.json) {
                   const nlohmann::ordered_json json = {{"table", arguments.table},
                                                        {"pseudonym", revealed.pseudonym},
                                                        {"column", revealed.column},
                                                        {"value", revealed.value}};
                   print_json(json);
                 } else {
                   print(fmt::format("{} {}={}\n", revealed.pseudonym, visible(revealed.column),
                                     visible(revealed.value)));
                 }
               });
  return Code::done;
}

}  // namespace

void setup_reveal(CommandLine app, Context& context) {
  auto command = app.add_subcommand(
      "reveal", "whose a pseudonym is, by masking the primary's keys again; logged");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("TABLE", arguments->table, "its name in the contract")
      .required()
      .type_name("");
  command.add_option("PSEUDONYM", arguments->pseudonyms, "as the secondary has it")
      .required()
      .type_name("");
  command.add_option("--reason", arguments->reason, "why, for the log")
      .required()
      .type_name("TEXT");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
