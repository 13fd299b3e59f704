// `abgleich drift`: the primary's schema against the accepted one.
#include "drift/drift.hpp"

#include "command.hpp"
#include "db/source.hpp"
#include "drift/catalog_file.hpp"
#include "report/json.hpp"

#include <fmt/format.h>

#include <memory>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::filesystem::path catalog;
  bool exit_code = false;
  std::filesystem::path snapshot;
};

Catalog live_catalog(const sync::Pairing& pairing) {
  db::Source source(pairing.config.primary);
  return source.catalog();
}

Code show(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  const auto live =
      arguments.catalog.empty() ? live_catalog(pairing) : drift::read_catalog(arguments.catalog);
  if (!pairing.accepted) {
    throw Failure(
        Code::configuration,
        fmt::format("there is no accepted catalogue yet ('{}')", pairing.config.catalog.string()),
        "accept the primary's schema as it is now: abgleich drift accept");
  }
  const auto events = drift::compare(pairing.contract, *pairing.accepted, live);
  for (const auto& event : events) {
    print(context.json ? report::json_line(event) + "\n"
                       : report::text_of(event, context.colour_of(1)));
  }
  if (!context.json && context.loudness() != Loudness::problems) {
    const auto blocked = report::blocked_text(events);
    print(events.empty()    ? "no drift\n"
          : blocked.empty() ? "nothing of it blocks a table\n"
                            : blocked);
  }
  return arguments.exit_code && !events.empty() ? Code::differences : Code::done;
}

Code accept(const Context& context) {
  const auto pairing = context.pairing();
  drift::write_catalog(live_catalog(pairing), pairing.config.catalog);
  if (context.loudness() != Loudness::problems) {
    print(fmt::format("accepted: '{}'; keep it in git beside the contract\n",
                      pairing.config.catalog.string()));
  }
  return Code::done;
}

Code snapshot(const Context& context, const Arguments& arguments) {
  drift::write_catalog(live_catalog(context.pairing()), arguments.snapshot);
  return Code::done;
}

}  // namespace

void setup_drift(CommandLine app, Context& context) {
  auto command = app.add_subcommand("drift", "the primary's schema against the accepted one");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--catalog", arguments->catalog, "a catalogue file instead of the primary")
      .type_name("FILE");
  command.add_flag("--exit-code", arguments->exit_code, "exit with 1 where there is drift");
  command.require_subcommand(CommandLine::Subcommand::optional);
  command.fallthrough();
  command.add_subcommand("accept", "accept the schema as it is now").callback([&context] {
    context.run = [&context] { return accept(context); };
  });
  auto into = command.add_subcommand("snapshot", "write the schema as it is now to a file");
  into.add_option("FILE", arguments->snapshot, "where to").required().type_name("");
  into.callback([&context, arguments] {
    context.run = [&context, arguments] { return snapshot(context, *arguments); };
  });
  command.callback([&context, arguments, command] {
    if (!command.subcommand_given()) {
      context.run = [&context, arguments] { return show(context, *arguments); };
    }
  });
}

}  // namespace abgleich::cmd
