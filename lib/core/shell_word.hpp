// A word of a command that a message gives to paste.
#pragma once

#include <string>
#include <string_view>

namespace abgleich {

/// As it is where every shell takes it so, otherwise in single quotes.
std::string in_shell(std::string_view word);

}  // namespace abgleich
