// `abgleich diff`: what `sync` would do, in the secondary's terms.
#include "command.hpp"
#include "core/visible_text.hpp"
#include "progress.hpp"
#include "report/json.hpp"
#include "sync/sync.hpp"

#include <memory>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::vector<std::string> tables;
  bool exit_code = false;
  bool full = false;
};

Code run(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  for (const auto& table : arguments.tables) {
    expect_table(pairing, table);
  }
  const auto progress = make_progress(context);
  bool differences = false;
  const auto outcome =
      sync::run(pairing,
                {.kind = report::Run::dry,
                 .detail = sync::Detail::changes,
                 .tables = {arguments.tables.begin(), arguments.tables.end()},
                 .full = arguments.full,
                 .beyond_refusal = true},
                *progress, [&](const report::Change& change) {
                  progress->done();
                  differences = true;
                  print(context.json ? report::json_line(change) + "\n"
                                     : report::text_of(change, context.colour_of(1)));
                });
  progress->done();
  for (const auto& note : outcome.notes) {
    complain("note: " + visible(note) + "\n");
  }
  for (const auto& event : outcome.drift) {
    if (!context.json) {
      complain(report::text_of(event, context.colour_of(2)));
    }
  }
  if (!context.json && context.loudness() != Loudness::problems) {
    print(report::text_of(outcome, context.colour_of(1)));
  }
  return differences && arguments.exit_code ? Code::differences : Code::done;
}

}  // namespace

void setup_diff(CommandLine app, Context& context) {
  auto command = app.add_subcommand("diff", "what sync would do; writes nothing anywhere");
  const auto arguments = std::make_shared<Arguments>();
  command
      .add_option("TABLE", arguments->tables, "only these tables, by their names in the contract")
      .type_name("");
  command.add_flag("--exit-code", arguments->exit_code, "exit with 1 where there are differences");
  command.add_flag("--full", arguments->full, "read both sides whole");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
