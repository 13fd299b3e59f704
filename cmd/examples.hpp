// What people type: the examples of the manual pages.
#pragma once

#include <span>
#include <string_view>

namespace abgleich::cmd {

struct Example {
  std::string_view command;  // "drift accept"; empty: the program
  std::string_view line;     // as it is typed
  std::string_view why;
};

/// Of every command at least one, in the order in which they are shown.
std::span<const Example> examples();

}  // namespace abgleich::cmd
