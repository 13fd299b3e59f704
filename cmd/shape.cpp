#include "shape.hpp"

#include <CLI/CLI.hpp>

#include <sstream>
#include <tuple>
#include <utility>

namespace abgleich::cmd {

namespace {

/// What an option takes, and its words to choose from. The parser gives both in one text:
/// "TEXT:{auto,always,never}".
std::pair<std::string, std::vector<std::string>> value_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto open = type.find(":{");
  std::vector<std::string> words;
  if (open != std::string::npos && type.ends_with('}')) {
    std::istringstream list(type.substr(open + 2, type.size() - open - 3));
    for (std::string word; std::getline(list, word, ',');) {
      words.push_back(word);
    }
  }
  auto value = type.substr(0, open);
  if (value.empty() && !option.get_positional() && option.get_items_expected_max() > 0) {
    value = "VALUE";
  }
  return {value, words};
}

OptionShape shape_of(const CLI::Option& option) {
  OptionShape shape{.description = option.get_description(),
                    .variable = option.get_envname(),
                    .argument = option.get_positional(),
                    .required = option.get_required(),
                    .several = option.get_items_expected_max() > 1};
  if (shape.argument) {
    shape.names = {option.get_name(true)};
  } else {
    for (const auto& name : option.get_snames()) {
      shape.names.push_back("-" + name);
    }
    for (const auto& name : option.get_lnames()) {
      shape.names.push_back("--" + name);
    }
  }
  std::tie(shape.value, shape.words) = value_of(option);
  if (shape.argument) {
    shape.value = shape.names.front();
  }
  return shape;
}

}  // namespace

CommandShape shape_of(const CLI::App& app) {
  CommandShape shape{.name = app.get_name(),
                     .description = app.get_description(),
                     .more = {},
                     .needs_command = app.get_require_subcommand_min() > 0};
  if (const auto* outer = app.get_parent(); outer != nullptr) {
    // a command's own text comes before the footer that it inherits from the enclosing command
    const auto own = app.get_footer();
    const auto at = own.find("\n\nEverywhere: ");
    shape.more = at == std::string::npos ? std::string() : own.substr(0, at + 1);
  }
  for (const auto* option : app.get_options({})) {
    shape.options.push_back(shape_of(*option));
  }
  for (const auto* inner : app.get_subcommands({})) {
    if (!inner->get_group().empty()) {
      shape.commands.push_back(shape_of(*inner));
    }
  }
  return shape;
}

}  // namespace abgleich::cmd
