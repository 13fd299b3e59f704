// abgleich: keeps a second system in step with a database that it may only read.
#include "command.hpp"
#include "mask/keyring.hpp"
#include "report/json.hpp"

#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace abgleich::cmd {

namespace {

constexpr const char* kExitCodes = R"(
Exit codes (the severest wins):
  0   done, or nothing to do          1   differences found (--exit-code)
  10  applied; conflicts are open     11  applied; rows held back or harmless drift
  12  another run holds the lock      13  paused
  20  refused: mass change            21  refused: another primary
  22  refused: another secondary      23  drift needs a decision
  24  refused: source incomplete      25  refused: key or trust
  26  refused: secondary              30  untouched, try again
  31  untouched: disk or memory       40  outcome unknown; the next run finds out
  41  damaged state or base           64  usage  70  bug  78  configuration
2x, 3x: nothing in the secondary has changed (23: in the blocked tables).
)";

int report(const Context& context, const Error& error) {
  if (context.failed) {
    context.failed(error);
  }
  std::fflush(stdout);
  if (context.json) {
    complain(report::json_line(error) + "\n");
  } else {
    complain(report::text_of(error, context.colour_of(2)));
  }
  return static_cast<int>(error.code);
}

void setup(CLI::App& app, Context& context) {
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kExitCodes);
  app.set_version_flag("--version", "abgleich " ABGLEICH_VERSION);
  app.add_option("--config", context.config, "the pairing's abgleich.toml")
      ->envname("ABGLEICH_CONFIG")
      ->type_name("FILE");
  app.add_flag("--json", context.json, "machine-readable output")->envname("ABGLEICH_JSON");
  app.add_flag("-q,--quiet", context.quiet, "say nothing but problems")->envname("ABGLEICH_QUIET");
  app.add_flag("-v,--verbose", context.verbose, "say more")->envname("ABGLEICH_VERBOSE");
  app.add_option("--color", context.colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->envname("ABGLEICH_COLOR");
  app.add_flag("--no-progress", context.no_progress, "no progress on the terminal")
      ->envname("ABGLEICH_NO_PROGRESS");
  setup_init(app, context);
  setup_check(app, context);
  setup_keys(app, context);
  setup_drift(app, context);
  setup_contract(app, context);
  setup_diff(app, context);
  setup_sync(app, context);
  setup_status(app, context);
  setup_log(app, context);
  setup_show(app, context);
  setup_conflicts(app, context);
  setup_resolve(app, context);
  setup_quarantine(app, context);
  setup_revert(app, context);
  setup_resume(app, context);
  setup_adopt(app, context);
}

int run(int argc, char** argv) {
  CLI::App app("keeps a second system in step with a database that it may only read", "abgleich");
  Context context;
  try {
    setup(app, context);
    app.parse(argc, argv);
    const auto code = context.run();
    if (std::fflush(stdout) != 0) {
      throw Failure(Code::out_of_space, "cannot write to standard output",
                    "look at where the output goes: a full disk or a closed pipe");
    }
    return static_cast<int>(code);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return report(context, {.code = Code::usage,
                            .message = error.what(),
                            .hint = "see what there is: abgleich --help"});
  } catch (const Failure& failure) {
    return report(context, failure.error());
  } catch (const std::bad_alloc&) {
    return report(context, {.code = Code::out_of_space,
                            .message = "out of memory",
                            .hint = "nothing was changed; free some memory and run it again"});
  } catch (const std::exception& error) {
    // Its text could quote a value: only its kind is told.
    return report(context,
                  {.code = Code::bug,
                   .message = std::string("a bug in abgleich: unexpected ") + typeid(error).name(),
                   .hint = "an open transaction was rolled back; please report this with "
                           "the command that you ran"});
  }
}

}  // namespace

}  // namespace abgleich::cmd

int main(int argc, char** argv) {
  std::setlocale(LC_ALL, "C");
  std::signal(SIGPIPE, SIG_IGN);
  abgleich::mask::protect_process();
  return abgleich::cmd::run(argc, argv);
}
