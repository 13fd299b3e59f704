// A word of a command that a message offers to paste into a shell.
#pragma once

#include <string>
#include <string_view>

namespace abgleich {

/// The word as it is where no shell would interpret it, otherwise in single quotes.
std::string in_shell(std::string_view word);

}  // namespace abgleich
