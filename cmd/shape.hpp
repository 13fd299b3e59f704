// The program's commands and options as data: what --help, completions and manual pages are made
// of, so that they cannot differ.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace abgleich::cmd {

/// An option, or an argument that is known by its place.
struct OptionShape {
  std::vector<std::string> names;  // "-q", "--quiet"; of an argument: "TABLE"
  std::string description;
  std::string value;               // what it takes: "FILE"; empty: nothing
  std::vector<std::string> words;  // it takes one of these only
  std::string variable;            // the environment variable that can set it
  bool argument = false;
  bool required = false;
  bool several = false;  // an argument that may be given again
};

struct CommandShape {
  std::string name;
  std::string description;
  std::string more;  // its own text after the options in --help, without what all have
  std::vector<OptionShape> options;
  std::vector<CommandShape> commands;
  bool needs_command = false;  // it does nothing without one of `commands`
};

/// The shape of a command and all inside it; hidden commands are left out.
CommandShape shape_of(const CLI::App& app);

}  // namespace abgleich::cmd
