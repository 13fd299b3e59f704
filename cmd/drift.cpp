// `abgleich drift`: the primary's schema against the accepted one.
#include "drift/drift.hpp"

#include "command.hpp"
#include "contract/endpoint_url.hpp"
#include "core/visible_text.hpp"
#include "db/primary/source.hpp"
#include "drift/accept.hpp"
#include "drift/catalog_file.hpp"
#include "progress.hpp"
#include "report/annotation.hpp"
#include "report/json.hpp"
#include "state/anchor.hpp"
#include "sync/check/hypotheses.hpp"
#include "sync/check/schema_ddl.hpp"
#include "sync/check/secondary_look.hpp"
#include "sync/detect/same_values.hpp"
#include "sync/mapping/key_change.hpp"
#include "sync/run/accepted.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::filesystem::path catalog;
  bool exit_code = false;
  bool sql = false;
  std::string format;
  std::filesystem::path snapshot;
  std::vector<std::string> tables;
};

Catalog live_catalog(const sync::Pairing& pairing) {
  db::Source source(pairing.config.primary);
  return source.catalog();
}

/// Relative to the working directory, as a forge names the files of a repository.
std::string contract_name(const sync::Pairing& pairing) {
  const auto& file = pairing.config.contract;
  const auto relative = std::filesystem::proximate(file);
  return relative.empty() || *relative.begin() == ".." ? file.filename().string()
                                                       : relative.string();
}

void print_events(const Context& context, const std::vector<drift::Event>& events) {
  for (const auto& event : events) {
    print(context.json ? report::json_line(event) + "\n"
                       : context.named(report::text_of(event, context.colour_of(1))));
  }
  if (!context.json && context.loudness() != Loudness::problems) {
    const auto blocked = report::blocked_text(events);
    print(events.empty()    ? "no drift\n"
          : blocked.empty() ? "nothing of it blocks a table\n"
                            : context.named(blocked));
  }
}

void print_script(const sync::SchemaDdl& script) {
  const auto statements = [](std::string_view title, const std::vector<std::string>& ddl) {
    print(fmt::format("-- {}{}\n", title, ddl.empty() ? ": nothing" : ""));
    for (const auto& statement : ddl) {
      print(statement + ";\n");
    }
  };
  for (const auto& table : script.blocked) {
    print(fmt::format("-- left out until its drift is decided: {}\n", visible(table)));
  }
  statements("the secondary follows the primary", script.forward);
  statements("and back again", script.back);
}

/// The drift as a run would judge it: where only the values can tell, by the values.
std::vector<drift::Event> weighed_events(const Context& context, const sync::Pairing& pairing,
                                         const Catalog& live) {
  auto events = drift::compare(pairing.contract, *pairing.accepted, live,
                               contract::user_of(pairing.config.primary));
  const auto progress = make_progress(context);
  sync::rehearse_hypotheses(pairing, live, *progress, events);
  progress->done();
  return events;
}

/// Adds what people have done to the secondary's tables; warns where that cannot be found out.
void add_secondary(const Context& context, const sync::Pairing& pairing, const Catalog& live,
                   std::vector<drift::Event>& events) {
  auto look = sync::look_at_secondary(pairing, live, events);
  std::ranges::move(look.events, std::back_inserter(events));
  if (look.why_not) {
    const auto message = "of the secondary: " + look.why_not->message;
    complain(context.json
                 ? report::warning_line(message, look.why_not->hint) + "\n"
                 : fmt::format("warning: {}\nhint: {}\n", visible(message), look.why_not->hint));
  }
}

Code show(const Context& context, const Arguments& arguments) {
  if (arguments.sql && !arguments.format.empty()) {
    throw Failure(Code::usage, "--sql and --format do not go together", "leave one of them out");
  }
  // with a catalogue from a file no database is read and nothing leaves, so the files may belong to
  // anybody, as in a forge's checkout
  const auto pairing = context.pairing(
      arguments.catalog.empty() ? contract::Trust::needed : contract::Trust::beside_the_point);
  const auto live =
      arguments.catalog.empty() ? live_catalog(pairing) : drift::read_catalog(arguments.catalog);
  if (arguments.catalog.empty()) {
    sync::expect_accepted(pairing);
  }
  if (!pairing.accepted) {
    throw Failure(
        Code::configuration,
        fmt::format("there is no accepted catalogue yet ('{}')", pairing.config.catalog.string()),
        "accept the primary's schema as it is now: abgleich drift accept");
  }
  if (!arguments.catalog.empty()) {
    drift::expect_same_database(*pairing.accepted, live, arguments.catalog);
  }
  const bool looks = arguments.catalog.empty() && !arguments.sql;
  auto events = looks ? weighed_events(context, pairing, live)
                      : drift::compare(pairing.contract, *pairing.accepted, live,
                                       contract::user_of(pairing.config.primary));
  if (arguments.catalog.empty()) {
    sync::note_other_keys(events, pairing);
  }
  if (looks) {
    add_secondary(context, pairing, live, events);
  }
  static const std::map<std::string, report::Annotation> kForms{
      {"github", report::Annotation::github},
      {"gitlab", report::Annotation::gitlab},
      {"junit", report::Annotation::junit}};
  if (arguments.sql) {
    print_script(sync::schema_ddl(pairing, live));
  } else if (const auto form = kForms.find(arguments.format); form != kForms.end()) {
    print(report::annotations(form->second, events, pairing.contract, contract_name(pairing)));
  } else {
    print_events(context, events);
  }
  return arguments.exit_code && !events.empty() ? Code::differences : Code::done;
}

Code accept(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  const state::StateLock lock(pairing.config.state_directory);
  const auto accepted = sync::last_accepted(pairing);
  const auto seen = live_catalog(pairing);
  auto accepting = seen;
  if (accepted) {
    auto weighing = pairing;
    weighing.accepted = accepted;
    const auto refuse = [](const std::optional<Error>& error) {
      if (error) {
        throw Failure(*error);
      }
    };
    // where the catalogue that was last accepted is lost, only the file is left to compare with
    const auto events = sync::counts(weighing)
                            ? weighed_events(context, weighing, accepting)
                            : drift::compare(pairing.contract, *accepted, accepting);
    refuse(drift::refusal(pairing.contract, events, arguments.tables));
    refuse(sync::not_carried_over(events, weighing, accepting));
    if (!arguments.tables.empty()) {
      accepting = drift::accept_tables(pairing.contract, *accepted, accepting, arguments.tables);
    }
    refuse(drift::refusal_of_loss(pairing.contract, events, accepting, seen));
    refuse(drift::refusal_of_where(pairing.contract, *accepted, accepting));
  } else if (!arguments.tables.empty()) {
    throw Failure(
        Code::configuration,
        fmt::format("there is no accepted catalogue yet ('{}')", pairing.config.catalog.string()),
        "accept the schema whole first: abgleich drift accept");
  }
  sync::accept_catalogue(pairing, accepting);
  if (context.json) {
    const nlohmann::ordered_json json = {{"schema", "abgleich.accept/1"},
                                         {"catalog", pairing.config.catalog.string()},
                                         {"tables", arguments.tables}};
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("accepted: '{}'{}\n", pairing.config.catalog.string(),
                      context.peer ? "" : "; keep it in git beside the contract"));
  }
  return Code::done;
}

Code snapshot(const Context& context, const Arguments& arguments) {
  drift::write_catalog(live_catalog(context.pairing()), arguments.snapshot);
  return Code::done;
}

}  // namespace

void setup_drift(CommandLine app, Context& context) {
  auto command = app.add_subcommand("drift",
                                    "the primary's schema against the accepted one, and what "
                                    "people have changed in the secondary's");
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--catalog", arguments->catalog, "a catalogue file instead of the primary")
      .type_name("FILE");
  command.add_flag("--exit-code", arguments->exit_code, "exit with 1 where there is drift");
  command.add_flag(
      "--sql", arguments->sql,
      "the statements with which the secondary follows, and those that take them back");
  command
      .add_option("--format", arguments->format,
                  "for a forge: annotations for github, a report for gitlab, or junit")
      .one_of({"github", "gitlab", "junit"});
  command.require_subcommand(CommandLine::Subcommand::optional);
  command.fallthrough();
  auto accepting = command.add_subcommand("accept", "accept the primary's schema as it is now");
  accepting
      .add_option("--table", arguments->tables, "of this table only; may be given several times")
      .type_name("TABLE")
      .one_at_a_time();
  accepting.callback([&context, arguments] {
    context.run = [&context, arguments] { return accept(context, *arguments); };
  });
  auto into =
      command.add_subcommand("snapshot", "write the primary's schema as it is now to a file");
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
