// `abgleich diff`: what `sync` would do, in the secondary's terms.
#include "command.hpp"
#include "core/visible_text.hpp"
#include "progress.hpp"
#include "report/json.hpp"
#include "report/stat.hpp"
#include "sync/sync.hpp"

#include <memory>

namespace abgleich::cmd {

namespace {

struct Arguments {
  std::vector<std::string> tables;
  bool exit_code = false;
  bool full = false;
  bool stat = false;
};

/// Rows that fit on a screen. Where there are more, the counts are printed first.
constexpr std::int64_t kMuch = 20;

bool is_much(const report::Outcome& outcome) {
  std::int64_t rows = 0;
  for (const auto& table : outcome.tables) {
    rows += report::rows_of(table);
  }
  return rows > kMuch;
}

constexpr const char* kAbout =
    "What would become of a row is its mark: + inserted, ~ updated, - deleted, ! in conflict or "
    "held "
    "back, = gone from the primary and kept here by the contract.\n\n"
    "With --stat a table's line has how many of its rows have each mark; = only where there are "
    "any.\n\n";

Code run(const Context& context, const Arguments& arguments) {
  const auto pairing = context.pairing();
  for (const auto& table : arguments.tables) {
    expect_table(pairing, table);
  }
  page(context);
  const auto progress = make_progress(context);
  bool differences = false;
  report::Kept kept;
  const bool says_counts =
      !arguments.stat && !context.json && context.loudness() != Loudness::problems;
  const auto outcome = sync::run_counted(
      pairing,
      {.kind = report::Run::dry,
       .detail = sync::Detail::changes,
       .tables = {arguments.tables.begin(), arguments.tables.end()},
       .full = arguments.full,
       .beyond_refusal = true},
      *progress,
      [&](const report::Outcome& counted) {
        if (says_counts && is_much(counted)) {
          progress->done();
          print(report::stat_text(counted, {}, context.colour_of(1)) + "\n");
        }
      },
      [&](const report::Change& change) {
        progress->done();
        differences = true;
        if (change.fate == report::Fate::keep) {
          ++kept[change.table];
        }
        if (!arguments.stat) {
          print(context.json ? report::json_line(change) + "\n"
                             : report::text_of(change, context.colour_of(1)));
        }
      });
  progress->done();
  for (const auto& note : outcome.notes) {
    complain("note: " + visible(context.named(note)) + "\n");
  }
  for (const auto& event : outcome.drift) {
    if (!context.json) {
      complain(context.named(report::text_of(event, context.colour_of(2))));
    }
  }
  if (arguments.stat) {
    print(context.json ? report::stat_lines(outcome, kept)
                       : report::stat_text(outcome, kept, context.colour_of(1)));
  } else if (!context.json && context.loudness() != Loudness::problems) {
    print(context.named(report::text_of(outcome, context.colour_of(1))));
  }
  return differences && arguments.exit_code ? Code::differences : Code::done;
}

}  // namespace

void setup_diff(CommandLine app, Context& context) {
  auto command = app.add_subcommand("diff", "what sync would do; writes nothing anywhere");
  command.explain(kAbout);
  const auto arguments = std::make_shared<Arguments>();
  command
      .add_option("TABLE", arguments->tables, "only these tables, by their names in the contract")
      .type_name("");
  command.add_flag("--exit-code", arguments->exit_code, "exit with 1 where there are differences");
  command.add_flag("--stat", arguments->stat, "how many rows of each table, and nothing else");
  command.add_flag("--full", arguments->full, "read both sides whole");
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
