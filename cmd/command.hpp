// What every command is made of: options are declared in `setup_…`, and the work is done in the
// function that it stores in `Context::run`. One file for each command.
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
  std::optional<std::string> peer;  // whose pairing is meant, as sync::peer_way_from reads it
  bool json = false;
  bool no_progress = false;
  bool no_pager = false;
  bool quiet = false;
  int verbose = 0;
  std::string colour = "auto";

  /// What the chosen command does; returns the exit code.
  std::function<Code()> run;
  /// Whether a failure is to be reported on stderr too.
  enum class OnStderr : std::uint8_t { told, silent };
  /// Reports a failure of the chosen command on stdout as well; empty: it does not.
  std::function<OnStderr(const Error&)> failed;
  /// The run that the chosen command has applied (may be empty), and its exit code. Both stay as
  /// they are even where the result cannot be printed.
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
  /// A text that names commands: with --peer, those about this peer.
  [[nodiscard]] std::string named(const std::string& text) const;
  /// Prints statements for -vv, and is empty otherwise.
  [[nodiscard]] OnStatement on_statement() const;
};

/// For Context::failed: the last line of a command whose JSON ends with an outcome.
std::function<Context::OnStderr(const Error&)> failed_line(const Context& context,
                                                           std::string_view schema,
                                                           report::Run kind);

/// Throws Failure{usage}, with the nearest name, where the contract has no such table.
void expect_table(const sync::Pairing& pairing, const std::string& table);

/// Thrown where the reader of standard output has gone (`abgleich log | head -1`).
class ReaderGone : public std::exception {};

// Only `print`, `complain` and `redraw` write to a terminal or a log. What others have written (the
// vendor, the secondary's people, a server, the command line) goes through `visible` there.

/// To stdout. Throws Failure{out_of_space} where it cannot be written, or ReaderGone.
void print(std::string_view text);
/// For a command whose output may be long: on a terminal a pager shows it once the command is done,
/// unless --no-pager, --json, -q or -vv say otherwise. It is no error to quit the pager early.
void page(const Context& context);
/// Prints JSON as one line. Bytes that are not UTF-8 are replaced, so that it stays JSON.
void print_json(const nlohmann::ordered_json& json);
/// Writes or shows what was printed and is still kept or buffered; throws like `print`. REQUIRES:
/// no database is open, since a person may read for an hour.
void finish_output();
/// To stderr; where text waits for a pager, only after that was shown.
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
void setup_report(CommandLine app, Context& context);
void setup_adopt(CommandLine app, Context& context);
void setup_rekey(CommandLine app, Context& context);
void setup_contract(CommandLine app, Context& context);
void setup_verify(CommandLine app, Context& context);
void setup_backup(CommandLine app, Context& context);
void setup_restore(CommandLine app, Context& context);
void setup_complete(CommandLine app, Context& context);

}  // namespace abgleich::cmd
