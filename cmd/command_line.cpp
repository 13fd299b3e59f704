#include "command_line.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "standard_input.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <utility>

namespace abgleich::cmd {

namespace {

/// Leaves the environment variables out of the list of options; the footer explains them.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    auto text = CLI::Formatter::make_option_opts(option);
    const auto variable = fmt::format(" ({}:{})", get_label("Env"), option->get_envname());
    if (const auto at = text.find(variable); at != std::string::npos) {
      text.erase(at, variable.size());
    }
    return text;
  }
};

constexpr std::size_t kWidth = 80;

/// The column in which further lines begin when this line is broken: that of its text.
std::size_t hanging(std::string_view line) {
  const auto begin = line.find_first_not_of(' ');
  if (const auto gap = line.find("  ", begin); gap != std::string_view::npos) {
    return std::min(line.find_first_not_of(' ', gap), kWidth / 2);
  }
  return begin;
}

/// The line, broken between words where it is too long.
std::string folded(const std::string& line) {
  const auto margin = line.size() > kWidth ? hanging(line) : 0;
  const auto end = line.size() > kWidth ? line.rfind(' ', kWidth) : std::string::npos;
  if (end == std::string::npos || end <= margin) {
    return line + "\n";  // it fits, or is one word
  }
  return line.substr(0, line.find_last_not_of(' ', end) + 1) + "\n" +
         folded(std::string(margin, ' ') + line.substr(line.find_first_not_of(' ', end)));
}

/// Fits a text to 80 columns: indented lines stay lines, other paragraphs are filled anew where one
/// of their lines is too long.
std::string fitted(const std::string& text) {
  std::string all;
  std::string paragraph;
  bool too_long = false;
  std::string kept;  // the paragraph, with its lines as they are
  const auto end_paragraph = [&] {
    all += too_long ? folded(paragraph) : kept;
    paragraph.clear();
    kept.clear();
    too_long = false;
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.front() == ' ') {
      end_paragraph();
      all += folded(line);
      continue;
    }
    if (line.starts_with("Usage: ")) {  // comes right after the description
      end_paragraph();
    }
    paragraph += (paragraph.empty() ? "" : " ") + line;
    kept += line + "\n";
    too_long = too_long || line.size() > kWidth;
  }
  end_paragraph();
  return all;
}

/// The environment variable of `--dry-run`: ABGLEICH_DRY_RUN.
std::string variable_of(std::string_view option) {
  std::string name = "ABGLEICH_";
  for (const char c : option) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

/// Gives every long option its environment variable, also those of the commands.
void mirror_in_environment(CLI::App& app) {
  for (auto* option : app.get_options()) {
    const auto& names = option->get_lnames();
    if (!names.empty() && option != app.get_help_ptr() && option != app.get_version_ptr()) {
      option->envname(variable_of(names.front()));
    }
  }
  for (auto* command : app.get_subcommands({})) {
    mirror_in_environment(*command);
  }
}

/// Every `--reason` may come from standard input, except that of `token`, whose value comes from
/// there.
void read_reasons_from_input(CLI::App& app) {
  auto* const option = app.get_option_no_throw("--reason");
  if (option != nullptr && app.get_name() != "token") {
    option->description(option->get_description() + "; -: from standard input");
    option->transform(CLI::Validator(
        [](std::string& text) {
          if (text == "-") {
            text = read_standard_input("--reason");
          }
          return std::string();
        },
        ""));
  }
  for (auto* command : app.get_subcommands({})) {
    read_reasons_from_input(*command);
  }
}

/// A parse error of CLI11 as a Failure in our words, with the command whose help to read.
Failure typed_wrong(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "abgleich";
  const CLI::App* inner = &app;
  while (!inner->get_subcommands().empty()) {
    inner = inner->get_subcommands().front();
    command += " " + inner->get_name();
  }
  std::string message = error.what();
  std::string hint = "see what there is: " + command + " --help";
  const auto left = app.remaining(true);
  if (!left.empty() && (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
                        error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError))) {
    const auto& word = left.front();
    std::vector<std::string> names;
    for (const auto* known : inner->get_subcommands({})) {
      names.push_back(known->get_name());
    }
    message = fmt::format("{} '{}'",
                          word.starts_with('-') ? "unknown option"
                          : names.empty()       ? "unexpected argument"
                                                : "unknown command",
                          word);
    const std::vector<std::string_view> words(names.begin(), names.end());
    if (const auto near = contract::nearest(word, words)) {
      hint = fmt::format("did you mean '{}'? {}", *near, hint);
    }
  } else if (!message.empty()) {
    message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
  }
  return {Code::usage, message, hint};
}

}  // namespace

Option Option::required() {
  option_->required();
  return *this;
}

Option Option::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Option Option::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option Option::check(std::function<std::string(const std::string&)> wrong) {
  option_->check(std::move(wrong));
  return *this;
}

Option Option::one_at_a_time() {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::needs(const Option& other) {
  option_->needs(other.option_);
  return *this;
}

Option Option::excludes(const Option& other) {
  option_->excludes(other.option_);
  return *this;
}

CommandLine CommandLine::add_subcommand(const std::string& name, const std::string& description) {
  return CommandLine(app_->add_subcommand(name, description));
}

void CommandLine::require_subcommand(Subcommand how) {
  app_->require_subcommand(how == Subcommand::required ? 1 : 0, 1);
}

void CommandLine::hide() {
  app_->group("");
}

void CommandLine::fallthrough() {
  app_->fallthrough();
}

void CommandLine::footer(const std::string& text) {
  app_->footer(text);
}

void CommandLine::explain(const std::string& text) {
  app_->footer(text + app_->get_footer());
}

void CommandLine::callback(std::function<void()> given) {
  app_->callback(std::move(given));
}

bool CommandLine::subcommand_given() const {
  return !app_->get_subcommands().empty();
}

Option CommandLine::add_option(const std::string& names, std::string& value,
                               const std::string& description) {
  return Option(app_->add_option(names, value, description));
}

Option CommandLine::add_option(const std::string& names, std::int64_t& value,
                               const std::string& description) {
  return Option(app_->add_option(names, value, description));
}

Option CommandLine::add_option(const std::string& names, std::filesystem::path& value,
                               const std::string& description) {
  return Option(app_->add_option(names, value, description));
}

Option CommandLine::add_option(const std::string& names, std::optional<std::string>& value,
                               const std::string& description) {
  return Option(app_->add_option(names, value, description));
}

Option CommandLine::add_option(const std::string& names,
                               std::optional<std::filesystem::path>& value,
                               const std::string& description) {
  return Option(app_->add_option(names, value, description));
}

Option CommandLine::add_option(const std::string& names, std::vector<std::string>& values,
                               const std::string& description) {
  return Option(app_->add_option(names, values, description));
}

Option CommandLine::add_flag(const std::string& names, bool& given,
                             const std::string& description) {
  return Option(app_->add_flag(names, given, description));
}

Option CommandLine::add_flag(const std::string& names, int& times, const std::string& description) {
  auto* option = app_->add_flag(names, times, description);
  option->default_str("");  // CLI11 2.4 would show "[0]"
  return Option(option);
}

Parser::Parser(const std::string& name, const std::string& description, const std::string& version)
    : version_(version), app_(std::make_unique<CLI::App>(description, name)) {
  app_->set_version_flag("-V,--version", version);
  app_->formatter(std::make_shared<HelpFormatter>());
}

Parser::~Parser() = default;

CommandLine Parser::top() {
  return CommandLine(app_.get());
}

std::optional<std::string> Parser::parse(int argc, char** argv) {
  mirror_in_environment(*app_);
  read_reasons_from_input(*app_);
  try {
    app_->parse(argc, argv);
  } catch (const CLI::Success& asked) {  // --help or --version
    std::ostringstream text;
    app_->exit(asked, text, text);
    return fitted(text.str());
  } catch (const CLI::ParseError& error) {
    throw typed_wrong(*app_, error);
  }
  return std::nullopt;
}

std::string Parser::chosen() const {
  const auto typed = app_->get_subcommands();
  return typed.empty() ? std::string() : typed.front()->get_name();
}

std::string Parser::help(const std::vector<std::string>& command) const {
  const CLI::App* found = app_.get();
  auto typed = found->get_name();
  for (const auto& word : command) {
    const auto inner =
        found->get_subcommands([&](const CLI::App* each) { return each->get_name() == word; });
    if (inner.empty()) {
      std::vector<std::string> names;
      for (const auto* known : found->get_subcommands({})) {
        names.push_back(known->get_name());
      }
      const std::vector<std::string_view> words(names.begin(), names.end());
      const auto near = contract::nearest(word, words);
      throw Failure(Code::usage, fmt::format("unknown command '{}'", word),
                    fmt::format("{}see what there is: {} --help",
                                near ? fmt::format("did you mean '{}'? ", *near) : "", typed));
    }
    found = inner.front();
    typed += " " + found->get_name();
  }
  // App::help() would give the help of the command that was typed
  return fitted(found->get_formatter()->make_help(found, typed, CLI::AppFormatMode::Normal));
}

CommandShape Parser::shape() const {
  return shape_of(*app_);
}

std::string Parser::manual(const std::string& exit_codes) const {
  return manual_page(shape_of(*app_), version_, exit_codes);
}

std::vector<ManualPage> Parser::manual_pages(const std::string& exit_codes,
                                             const std::filesystem::path& schemas) const {
  return cmd::manual_pages(shape_of(*app_), version_, exit_codes, schemas);
}

}  // namespace abgleich::cmd
