// `abgleich verify`: the proof that both sides agree, or where they do not; `--repair-base` mends a
// base that was damaged.
#include "sync/verify.hpp"

#include "command.hpp"
#include "progress.hpp"
#include "report/json.hpp"
#include "sync/repair.hpp"

#include <fmt/format.h>

#include <memory>

namespace abgleich::cmd {

namespace {

constexpr const char* kExplained =
    R"(Every row that differs is explained (an edit of the secondary, a rule of the contract, an open
conflict, quarantine), not yet synced, or unexplained. -v lists them all, --json too. Exit code 0: both
sides agree, or every difference is explained or not yet synced; 1: with --exit-code, rows are not yet
synced; 41: bookkeeping or base are damaged, and sync refuses from now on, until `verify` finds them
whole or `verify --repair-base --reason TEXT` has repaired them. In the secondary, only a repair writes.

)";

struct Arguments {
  bool exit_code = false;
  bool repair = false;
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
    complain("note: " + note + "\n");
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
                          "sync refuses until that is mended; what to do is said above. Nothing "
                          "was changed"};
    complain(context.json ? report::json_line(error) + "\n"
                          : report::text_of(error, context.colour_of(2)));
  }
  return code;
}

}  // namespace

void setup_verify(CommandLine app, Context& context) {
  auto command = app.add_subcommand("verify", "prove that both sides agree, or list where not");
  command.explain(kExplained);
  const auto arguments = std::make_shared<Arguments>();
  const auto exit_code = command.add_flag("--exit-code", arguments->exit_code,
                                          "exit with 1 where rows are not synced");
  auto repair_base = command.add_flag("--repair-base", arguments->repair,
                                      "rewrite what is untrue in a damaged base, in a run");
  auto reason =
      command.add_option("--reason", arguments->reason, "why, for the journal").type_name("TEXT");
  repair_base.needs(reason);
  reason.needs(repair_base);
  repair_base.excludes(exit_code);
  command.callback([&context, arguments] {
    context.run = [&context, arguments] {
      return arguments->repair ? repair(context, *arguments) : verify(context, *arguments);
    };
  });
}

}  // namespace abgleich::cmd
