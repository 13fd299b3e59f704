// `abgleich verify`: the proof that both sides agree, or where they do not; `--repair-base` repairs
// a base that was damaged, `--lay-down-anew` puts rows in an order that tells nothing.
#include "sync/verify/verify.hpp"

#include "command.hpp"
#include "core/visible_text.hpp"
#include "progress.hpp"
#include "report/json.hpp"
#include "sync/verify/lay_down.hpp"
#include "sync/verify/repair.hpp"

#include <fmt/format.h>

#include <memory>

namespace abgleich::cmd {

namespace {

constexpr const char* kExplained =
    R"(Every row that differs is explained (an edit of the secondary, a rule of the contract, an open
conflict, quarantine), not yet synced, or unexplained. -v lists them all, --json too. Exit code 0: both
sides agree, or every difference is explained or not yet synced; 1: with --exit-code, rows are not yet
synced; 41: bookkeeping or base are damaged, and sync refuses from now on, until `verify` finds them
whole or `verify --repair-base --reason TEXT` has repaired them. `verify --lay-down-anew` puts the rows of
a secondary that was written in the primary's order into that of their keys; it reads no primary, and no
row changes (23: what the tables' owners have to run is left). Only these two options write to the secondary.

)";

struct Arguments {
  bool exit_code = false;
  bool repair = false;
  bool lay_down = false;
  std::string reason;
};

Code repair(Context& context, const Arguments& arguments) {
  const auto progress = make_progress(context);
  const auto repaired = sync::repair_base(context.pairing(), arguments.reason, *progress);
  progress->done();
  if (repaired.run) {
    context.applied = {*repaired.run};
  }
  if (context.json) {
    print(report::json_line(repaired) + "\n");
  } else if (context.loudness() != Loudness::problems) {
    print(repaired.run ? fmt::format("{} base rows rewritten, {} removed; run {} applied; now run: "
                                     "abgleich sync\n",
                                     repaired.rewritten, repaired.removed, *repaired.run)
                       : "nothing to repair: bookkeeping and base are what the runs have left\n");
  }
  return Code::done;
}

Code verify(const Context& context, const Arguments& arguments) {
  const auto progress = make_progress(context);
  const auto verification =
      sync::verify(context.pairing(), *progress, [&](const report::Difference& difference) {
        if (context.json) {
          print(report::json_line(difference) + "\n");
        } else if (difference.standing == merge::Standing::unexplained ||
                   context.loudness() == Loudness::more) {
          progress->done();
          print(report::text_of(difference, context.colour_of(1)));
        }
      });
  progress->done();
  for (const auto& note : verification.notes) {
    complain("note: " + visible(note) + "\n");
  }
  auto code = verification.code;
  if (arguments.exit_code && sync::differs(verification)) {
    code = severer(code, Code::differences);
  }
  if (context.json) {
    print(report::json_line(verification, code) + "\n");
  } else if (code != Code::done || context.loudness() != Loudness::problems) {
    print(report::text_of(verification, context.colour_of(1)));
  }
  if (verification.code == Code::integrity) {
    const Error error{.code = Code::integrity,
                      .message = "the bookkeeping in the secondary is damaged",
                      .hint =
                          "sync refuses until that is repaired; what to do is said above. Nothing "
                          "was changed"};
    complain(context.json ? report::json_line(error) + "\n"
                          : report::text_of(error, context.colour_of(2)));
  }
  return code;
}

Code lay_down(Context& context, const Arguments& arguments) {
  const auto laid = sync::lay_down(context.pairing(), arguments.reason);
  const auto code = laid.left.empty() ? Code::done : Code::drift_decision;
  context.applied = {laid.run, code};
  if (context.json) {
    print(report::json_line(laid) + "\n");
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("the rows of {} {} lie in the order of their keys, run {} applied\n",
                      laid.tables, laid.tables == 1 ? "table" : "tables", laid.run));
  }
  if (!laid.left.empty()) {
    complain("note: " + sync::text_of(laid.left) + "\n");
  }
  return code;
}

Code run(Context& context, const Arguments& arguments) {
  if (arguments.repair) {
    return repair(context, arguments);
  }
  if (arguments.lay_down) {
    return lay_down(context, arguments);
  }
  if (!arguments.reason.empty()) {
    throw Failure(Code::usage, "--reason is for --repair-base and --lay-down-anew",
                  "see: abgleich verify --help");
  }
  return verify(context, arguments);
}

}  // namespace

void setup_verify(CommandLine app, Context& context) {
  auto command = app.add_subcommand("verify", "prove that both sides agree, or list where not");
  command.explain(kExplained);
  const auto arguments = std::make_shared<Arguments>();
  const auto exit_code = command.add_flag("--exit-code", arguments->exit_code,
                                          "exit with 1 where rows are not synced");
  auto repair_base = command.add_flag("--repair-base", arguments->repair,
                                      "repair a damaged base, in a run of its own");
  auto reason =
      command.add_option("--reason", arguments->reason, "why, for the journal").type_name("TEXT");
  repair_base.needs(reason);
  repair_base.excludes(exit_code);
  auto lay_down = command.add_flag("--lay-down-anew", arguments->lay_down,
                                   "put the rows in the order of their keys, in a run of its own");
  lay_down.excludes(exit_code);
  lay_down.excludes(repair_base);
  command.callback([&context, arguments] {
    context.run = [&context, arguments] { return run(context, *arguments); };
  });
}

}  // namespace abgleich::cmd
