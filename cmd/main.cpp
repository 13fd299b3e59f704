// abgleich: keeps a second system in step with a database that it may only read.
#include "command.hpp"
#include "completion.hpp"
#include "core/replace_file.hpp"
#include "core/visible_text.hpp"
#include "mask/keyring.hpp"
#include "mask/locked_openssl.hpp"
#include "pager.hpp"
#include "report/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <vector>

namespace abgleich::cmd {

namespace {

/// Opens those of the three standard streams that the caller has closed. Otherwise the next file
/// that is opened, such as a database, would get the number, and messages would be written into it.
/// They are opened in the wrong direction, so that using one fails.
void open_standard_streams() {
  for (int number = 0; number <= 2; ++number) {
    if (::fcntl(number, F_GETFD) == -1 && errno == EBADF) {
      (void)::open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY);
    }
  }
}

/// Returns freed memory to the system, whichever thread has used it, to keep the promise about peak
/// memory. By default glibc keeps large blocks, and a heap for every thread.
void keep_memory_small() {
#ifdef __GLIBC__
  constexpr int kLargeBlock = 128 * 1024;
  (void)::mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  (void)::mallopt(M_ARENA_MAX, 1);
#endif
}

constexpr const char* kExitCodes = R"(Exit codes (the severest wins):
  0   done, or nothing to do       1   differences found (--exit-code)
  10  applied; conflicts are open  11  applied; rows held back or harmless drift
  12  another run holds the lock   13  paused
  14  overdue: no success within [alert] max_age, or a silent peer
  20  refused: mass change         21  refused: another primary
  22  refused: another secondary   23  needs a decision: drift, or more leaves
  24  refused: source incomplete   25  refused: key or trust
  26  refused: secondary           27  refused: a peer's bundle
  30  untouched, try again         31  untouched: disk or memory
  40  outcome unknown; the next run finds out
  41  damaged state or base        64  usage  70  bug  78  configuration
  128+n  ended by signal n
2x, 3x: nothing in the secondary has changed (23: in the blocked tables;
27 and any code of a peer: of its rows).)";

constexpr const char* kEverywhere =
    "Everywhere: --config FILE, --profile NAME, --peer NAME, --json, -q, -v, --color WHEN, "
    "--no-progress, --no-pager; see abgleich --help\n\n";

constexpr const char* kVariables =
    "Every --option can come from a variable: ABGLEICH_DRY_RUN=1 is --dry-run.\n\n";

/// Reports that a run was applied, but its result could not be printed. The exit code is still that
/// of the run.
int report_untold(const Context& context, const Error& error) {
  const auto& [run, code] = *context.applied;
  const auto message = fmt::format(
      "{}done, but that could not be told: {}",
      run.empty() ? std::string() : fmt::format("run {} was applied: ", run), error.message);
  const auto hint = context.named("see what it did: abgleich log -n 1");
  complain(context.json ? report::warning_line(message, hint) + "\n"
                        : fmt::format("warning: {}\nhint: {}\n", visible(message), hint));
  return static_cast<int>(code);
}

int report(const Context& context, Error error) {
  finish_pager();
  error.hint = context.named(error.hint);
  if (context.applied) {
    return report_untold(context, error);
  }
  auto on_stderr = Context::OnStderr::told;
  if (context.failed) {
    try {
      on_stderr = context.failed(error);
    } catch (const std::exception&) {
      // stdout cannot be written: the failure that led here matters more, and is reported on stderr
      std::clearerr(stdout);
    }
  }
  if (on_stderr == Context::OnStderr::told) {
    complain(context.json ? report::json_line(error) + "\n"
                          : report::text_of(error, context.colour_of(2)));
  }
  return static_cast<int>(error.code);
}

void setup(CommandLine app, Context& context) {
  app.require_subcommand();
  app.fallthrough();
  app.footer(
      fmt::format("{}{}{}", kEverywhere, kVariables, kExitCodes));  // what the commands inherit
  app.add_option("--config", context.config, "the pairing's abgleich.toml").type_name("FILE");
  app.add_option("--profile", context.profile,
                 "the pairing of that name: its configuration is NAME.toml, see --profiles")
      .type_name("NAME");
  app.add_option("--profiles", context.profiles, "where the NAME.toml are; /etc/abgleich")
      .type_name("DIR");
  app.add_option("--peer", context.peer,
                 "what comes from this peer, in place of the primary's rows; to:NAME: what goes to "
                 "it")
      .type_name("NAME");
  app.add_flag("--json", context.json, "machine-readable output");
  app.add_flag("-q,--quiet", context.quiet, "say nothing but problems");
  app.add_flag("-v,--verbose", context.verbose,
               "say more; twice: every SQL statement too, without values");
  app.add_option("--color", context.colour, "auto, always or never")
      .one_of({"auto", "always", "never"});
  app.add_flag("--no-progress", context.no_progress, "no progress on the terminal");
  app.add_flag("--no-pager", context.no_pager, "no pager on the terminal, whatever PAGER says");
  setup_init(app, context);
  setup_check(app, context);
  setup_grants(app, context);
  setup_keys(app, context);
  setup_peer(app, context);
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
  setup_verify(app, context);
  setup_revert(app, context);
  setup_resume(app, context);
  setup_adopt(app, context);
  setup_rekey(app, context);
  setup_privacy(app, context);
  setup_report(app, context);
  setup_reveal(app, context);
  setup_token(app, context);
  setup_backup(app, context);
  setup_restore(app, context);
  app.footer(fmt::format("{}{}", kVariables, kExitCodes));
}

/// `abgleich help`: the same text as --help.
void setup_help(Parser& parser, Context& context) {
  auto command = parser.top().add_subcommand("help", "the help of a command");
  const auto words = std::make_shared<std::vector<std::string>>();
  command.add_option("COMMAND", *words, "its name, such as: drift accept").type_name("");
  command.callback([&parser, &context, words] {
    context.run = [&parser, words] {
      print(parser.help(*words));
      return Code::done;
    };
  });
}

/// `abgleich completion`: a script that a shell sources, or the build installs.
void setup_completion(Parser& parser, Context& context) {
  auto command = parser.top().add_subcommand("completion", "what a shell completes: a script");
  const auto shell = std::make_shared<std::string>();
  command.add_option("SHELL", *shell, "which").required().one_of({"bash", "zsh", "fish"});
  command.callback([&parser, &context, shell] {
    context.run = [&parser, shell] {
      const auto shape = parser.shape();
      print(*shell == "bash"  ? bash_completion(shape)
            : *shell == "zsh" ? zsh_completion(shape)
                              : fish_completion(shape));
      return Code::done;
    };
  });
}

/// `abgleich manual`: for packages, the manual pages that the build installs below `share`.
void setup_manual(Parser& parser, Context& context) {
  struct Where {
    std::optional<std::filesystem::path> directory;
    std::filesystem::path schemas = "schemas";
  };
  auto command = parser.top().add_subcommand("manual", "the manual page, as roff");
  command.hide();
  const auto where = std::make_shared<Where>();
  command.add_option("--directory", where->directory, "all pages, into man1, man5 and man7 there")
      .type_name("DIR");
  command.add_option("--schemas", where->schemas, "what those of the files are made of")
      .type_name("DIR");
  command.callback([&parser, &context, where] {
    context.run = [&parser, where] {
      if (!where->directory) {
        print(parser.manual(kExitCodes));
        return Code::done;
      }
      for (const auto& page : parser.manual_pages(kExitCodes, where->schemas)) {
        const auto file = *where->directory / page.file;
        std::filesystem::create_directories(file.parent_path());
        replace_file(file, page.text, 0644);
      }
      return Code::done;
    };
  });
}

/// Whether --json was typed: a command line that cannot be parsed has set no option yet.
bool asked_for_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc,
                     [](const char* word) { return std::string_view(word) == "--json"; });
}

/// Commands about the node as a whole, which --peer would not change.
constexpr std::array<std::string_view, 6> kOfNode{"init",   "keys",   "peer",
                                                  "status", "backup", "restore"};

void expect_fitting_peer(const Context& context, const std::string& command) {
  if (context.peer && std::ranges::find(kOfNode, command) != kOfNode.end()) {
    throw Failure(Code::usage, fmt::format("'{}' is not about one peer", command),
                  "leave --peer out ($ABGLEICH_PEER counts as well); how it stands with each peer: "
                  "abgleich status");
  }
}

Code parse_and_run(Parser& parser, Context& context, int argc, char** argv) {
  try {
    if (const auto asked = parser.parse(argc, argv)) {
      print(*asked);
      return Code::done;
    }
  } catch (const Failure&) {
    context.json = context.json || asked_for_json(argc, argv);
    throw;
  }
  expect_fitting_peer(context, parser.chosen());
  return context.run();
}

int run(int argc, char** argv) {
  Parser parser("abgleich", "keeps a second system in step with a database that it may only read",
                "abgleich " ABGLEICH_VERSION);
  Context context;
  auto code = Code::done;
  open_standard_streams();
  keep_memory_small();
  try {
    setup(parser.top(), context);
    setup_help(parser, context);
    setup_completion(parser, context);
    setup_complete(parser.top(), context);
    setup_manual(parser, context);
    code = parse_and_run(parser, context, argc, argv);
    finish_output();
    return static_cast<int>(code);
  } catch (const ReaderGone&) {
    if (context.applied) {
      return report_untold(context, {.message = "whoever read standard output has gone"});
    }
    // End as any program in a pipe does; open transactions were rolled back on the way here.
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);
    return 128 + SIGPIPE;
  } catch (const Failure& failure) {
    // the code of a result that could not be printed may be the severer one
    const int told = report(context, failure.error());
    return context.applied ? told : static_cast<int>(severer(code, failure.error().code));
  } catch (const std::bad_alloc&) {
    return report(context, {.code = Code::out_of_space,
                            .message = "out of memory",
                            .hint = "nothing was changed; free some memory and run it again"});
  } catch (const std::exception& error) {
    // Its text could quote a value, so only its type is named.
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
  // files made here can be written by their owner only: they decide what leaves, and would be
  // refused if others could write them
  ::umask(::umask(0) | S_IWGRP | S_IWOTH);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is reported like a full disk
  abgleich::mask::serve_openssl();
  abgleich::mask::protect_process();
  return abgleich::cmd::run(argc, argv);
}
