// What every command is made of: options parsed in `setup_…`, work done in the function that it
// hands to `Cli`. One file a command.
#pragma once

#include "command_line.hpp"
#include "contract/config.hpp"
#include "core/error.hpp"
#include "core/trace.hpp"
#include "report/text.hpp"
#include "sync/pairing.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::cmd {

enum class Loudness : std::uint8_t { problems, normal, more };

/// What is the same for every command.
struct Context {
  std::optional<std::filesystem::path> config;
  std::optional<std::string> profile;
  std::filesystem::path profiles{contract::kProfiles};
  bool json = false;
  bool no_progress = false;
  bool no_pager = false;
  bool quiet = false;
  int verbose = 0;
  std::string colour = "auto";

  /// What the chosen command does; returns the exit code.
  std::function<Code()> run;
  /// How the chosen command reports a failure on stdout as well; empty: it does not. Says whether
  /// stderr is to be told, too.
  enum class OnStderr : std::uint8_t { told, silent };
  std::function<OnStderr(const Error&)> failed;
  /// The run that the chosen command has applied, and the exit code that it earns: both stand, even
  /// where that cannot be printed.
  struct Applied {
    std::string run;
    Code code = Code::done;
  };
  std::optional<Applied> applied;

  [[nodiscard]] Loudness loudness() const;
  /// Whether that stream (1 stdout, 2 stderr) is to be coloured.
  [[nodiscard]] report::Colour colour_of(int stream) const;
  [[nodiscard]] std::filesystem::path config_file() const;
  [[nodiscard]] sync::Pairing pairing(contract::Trust trust = contract::Trust::needed) const;
  /// Prints statements for -vv, and is empty otherwise.
  [[nodiscard]] OnStatement on_statement() const;
};

/// For Context::failed: the closing line of a command whose JSON ends with an outcome.
std::function<Context::OnStderr(const Error&)> failed_line(const Context& context,
                                                           std::string_view schema,
                                                           report::Run kind);

/// Throws Failure{usage}, with the nearest name, where the contract has no such table.
void expect_table(const sync::Pairing& pairing, const std::string& table);

/// Thrown where whoever read standard output has gone (`abgleich log | head -1`).
class ReaderGone : public std::exception {};

// These three are the only places that write to a terminal or a log. What others have written (the
// vendor, the secondary's people, a server, the command line) goes through `visible` there.

/// To stdout. Throws Failure{out_of_space} where it cannot be written, or ReaderGone.
void print(std::string_view text);
/// What the command prints may be long: on a terminal a pager shows it once the command is done,
/// unless --no-pager, --json, -q or -vv say otherwise. A pager that is quit early is no error.
void page(const Context& context);
/// The same, as one line. Bytes that are no UTF-8 are replaced: JSON stays JSON.
void print_json(const nlohmann::ordered_json& json);
/// What was printed and is still kept or buffered; throws like `print`. REQUIRES: no database is
/// open, for a person may read for an hour.
void finish_output();
/// To stderr; behind what waits for a pager, where there is something.
void complain(std::string_view text);
/// Puts one line in the place of the one that was drawn before, on stderr; an empty one clears it.
/// REQUIRES: stderr is a terminal.
void redraw(std::string_view line);

void setup_init(CommandLine app, Context& context);
void setup_check(CommandLine app, Context& context);
void setup_grants(CommandLine app, Context& context);
void setup_diff(CommandLine app, Context& context);
void setup_sync(CommandLine app, Context& context);
void setup_status(CommandLine app, Context& context);
void setup_log(CommandLine app, Context& context);
void setup_show(CommandLine app, Context& context);
void setup_revert(CommandLine app, Context& context);
void setup_resume(CommandLine app, Context& context);
void setup_conflicts(CommandLine app, Context& context);
void setup_resolve(CommandLine app, Context& context);
void setup_quarantine(CommandLine app, Context& context);
void setup_drift(CommandLine app, Context& context);
void setup_keys(CommandLine app, Context& context);
void setup_peer(CommandLine app, Context& context);
void setup_reveal(CommandLine app, Context& context);
void setup_token(CommandLine app, Context& context);
void setup_privacy(CommandLine app, Context& context);
void setup_adopt(CommandLine app, Context& context);
void setup_rekey(CommandLine app, Context& context);
void setup_contract(CommandLine app, Context& context);
void setup_verify(CommandLine app, Context& context);
void setup_complete(CommandLine app, Context& context);

}  // namespace abgleich::cmd
