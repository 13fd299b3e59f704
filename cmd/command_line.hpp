// How a command declares its name, options and arguments. The classes are handles on the parser,
// and cheap to copy. The parser's own header, which is most of the work of compiling a command, is
// not needed here.
#pragma once

#include "manual_page.hpp"
#include "shape.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace abgleich::cmd {

/// An option or argument.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required();
  /// What stands for its value in the help; empty: nothing.
  Option type_name(const std::string& name);
  Option one_of(const std::vector<std::string>& words);
  /// `wrong` returns what is wrong with a value; empty: nothing.
  Option check(std::function<std::string(const std::string&)> wrong);
  /// For a list: the option is given once for each value.
  Option one_at_a_time();
  Option needs(const Option& other);
  Option excludes(const Option& other);

 private:
  CLI::Option* option_;
};

/// A command, or the whole program. The variables that take the parsed values have to live as long
/// as the parser.
class CommandLine {
 public:
  explicit CommandLine(CLI::App* app) : app_(app) {}

  CommandLine add_subcommand(const std::string& name, const std::string& description);
  /// Exactly one of its subcommands has to be given, or, with `optional`, at most one.
  enum class Subcommand : std::uint8_t { required, optional };
  void require_subcommand(Subcommand how = Subcommand::required);
  /// Leaves it out of the help.
  void hide();
  /// Options of the enclosing command may also be given after this one.
  void fallthrough();
  void footer(const std::string& text);
  /// Puts a text before the footer, which a command inherits from the enclosing one.
  void explain(const std::string& text);
  /// `given` is called when the command, or one inside it, was typed.
  void callback(std::function<void()> given);
  [[nodiscard]] bool subcommand_given() const;

  /// Names: "-n", "--name", or a bare word for an argument.
  Option add_option(const std::string& names, std::string& value, const std::string& description);
  Option add_option(const std::string& names, std::int64_t& value, const std::string& description);
  Option add_option(const std::string& names, std::filesystem::path& value,
                    const std::string& description);
  Option add_option(const std::string& names, std::optional<std::string>& value,
                    const std::string& description);
  Option add_option(const std::string& names, std::optional<std::filesystem::path>& value,
                    const std::string& description);
  Option add_option(const std::string& names, std::vector<std::string>& values,
                    const std::string& description);
  Option add_flag(const std::string& names, bool& given, const std::string& description);
  /// Counts how often the flag was given.
  Option add_flag(const std::string& names, int& times, const std::string& description);

 private:
  CLI::App* app_;
};

/// The parser of the whole program. Every option with a long name can also be set by an environment
/// variable: ABGLEICH_DRY_RUN for --dry-run.
class Parser {
 public:
  Parser(const std::string& name, const std::string& description, const std::string& version);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  CommandLine top();
  /// Parses, and calls the callbacks of the commands that were typed. Returns the text of --help or
  /// --version where that was asked for; then no callback is called. Throws Failure{usage}, with a
  /// hint at what was probably meant.
  std::optional<std::string> parse(int argc, char** argv);
  /// The command that was typed, without its subcommands. REQUIRES: `parse` has returned nothing.
  [[nodiscard]] std::string chosen() const;
  /// The help of a command, given by its words; of the program where there are none. Throws
  /// Failure{usage} for an unknown command.
  [[nodiscard]] std::string help(const std::vector<std::string>& command) const;
  [[nodiscard]] CommandShape shape() const;
  /// See manual_page.hpp.
  [[nodiscard]] std::string manual(const std::string& exit_codes) const;
  [[nodiscard]] std::vector<ManualPage> manual_pages(const std::string& exit_codes,
                                                     const std::filesystem::path& schemas) const;

 private:
  std::string version_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace abgleich::cmd
