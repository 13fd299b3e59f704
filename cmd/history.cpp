// `abgleich log`, `show`, `revert` and `resume`: the runs, what each changed, and taking one back.
#include "sync/history/history.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"
#include "report/json.hpp"
#include "sync/history/revert.hpp"

#include <fmt/format.h>

#include <memory>

namespace abgleich::cmd {

namespace {

Code print_log(const Context& context, std::int64_t limit) {
  const auto pairing = context.pairing();
  page(context);
  for (const auto& run : sync::runs(pairing, limit)) {
    print(context.json ? report::json_line(run) + "\n" : report::text_of(run));
  }
  return Code::done;
}

Code print_run(const Context& context, const std::string& called, const std::string& table) {
  page(context);
  std::int64_t changes = 0;
  const auto on_run = [&](const db::RunRow& run) {
    if (!context.json && context.loudness() != Loudness::problems) {
      print(report::text_of(run));
    }
  };
  const auto run =
      sync::show(context.pairing(), called, table, on_run, [&](const report::Change& change) {
        ++changes;
        print(context.json ? report::history_line(change) + "\n"
                           : report::text_of(change, context.colour_of(1)));
      });
  if (!context.json && context.loudness() != Loudness::problems) {
    print(changes == 0 ? fmt::format("it changed no row{}\n",
                                     table.empty() ? "" : " of '" + visible(table) + "'")
                       : fmt::format("take it back: abgleich revert {} --reason TEXT\n", run.id));
  }
  return Code::done;
}

Code take_back(Context& context, const std::string& called, const std::string& reason) {
  const auto outcome = sync::revert(context.pairing(), called, reason);
  context.applied = {outcome.run.value_or(""), outcome.code};
  for (const auto& note : outcome.notes) {
    complain("note: " + visible(note) + "\n");
  }
  if (context.json) {
    print(report::json_line(outcome, "abgleich.revert/1") + "\n");
  } else if (context.loudness() != Loudness::problems || outcome.code != Code::done) {
    print(report::text_of(outcome, context.colour_of(1)));
    print("sync is paused now; when the primary is correct again: abgleich resume --reason TEXT\n");
  }
  return outcome.code;
}

}  // namespace

void setup_log(CommandLine app, Context& context) {
  constexpr std::int64_t kShown = 20;
  auto command = app.add_subcommand("log", "the runs, newest first");
  const auto limit = std::make_shared<std::int64_t>(kShown);
  command.add_option("-n", *limit, fmt::format("how many; without it, {}", kShown))
      .check([](const std::string& text) {
        const bool number = !text.empty() && text.size() < 10 &&
                            text.find_first_not_of("0123456789") == std::string::npos;
        return number && std::stol(text) > 0 ? std::string()
                                             : fmt::format("'{}' is not a number of runs", text);
      });
  command.callback([&context, limit] {
    context.run = [&context, limit] { return print_log(context, *limit); };
  });
}

void setup_show(CommandLine app, Context& context) {
  auto command = app.add_subcommand("show", "what one run changed, row by row, before and after");
  const auto called = std::make_shared<std::string>();
  const auto table = std::make_shared<std::string>();
  command.add_option("RUN", *called, "its id, the beginning of it, or \"latest\"")
      .required()
      .type_name("");
  command.add_option("TABLE", *table, "only this table's changes").type_name("");
  command.callback([&context, called, table] {
    context.run = [&context, called, table] { return print_run(context, *called, *table); };
  });
}

void setup_revert(CommandLine app, Context& context) {
  auto command = app.add_subcommand("revert", "take one run's changes back; then sync is paused");
  const auto called = std::make_shared<std::string>();
  const auto reason = std::make_shared<std::string>();
  command.add_option("RUN", *called, "its id, the beginning of it, or \"latest\"")
      .required()
      .type_name("");
  command.add_option("--reason", *reason, "why, for the journal").required().type_name("TEXT");
  command.callback([&context, called, reason] {
    context.run = [&context, called, reason] { return take_back(context, *called, *reason); };
    context.failed = failed_line(context, "abgleich.revert/1", report::Run::real);
  });
}

void setup_resume(CommandLine app, Context& context) {
  auto command = app.add_subcommand("resume", "let sync go on after a revert");
  const auto reason = std::make_shared<std::string>();
  command.add_option("--reason", *reason, "why, for the journal").required().type_name("TEXT");
  command.callback([&context, reason] {
    context.run = [&context, reason] {
      const auto run = sync::resume(context.pairing(), *reason);
      context.applied = {run};
      if (context.json) {
        print(fmt::format(R"({{"schema":"abgleich.resume/1","run":"{}"}})", run) + "\n");
      } else if (context.loudness() != Loudness::problems) {
        print(fmt::format("run {} applied: sync goes on; try it first: abgleich diff\n", run));
      }
      return Code::done;
    };
  });
}

}  // namespace abgleich::cmd
