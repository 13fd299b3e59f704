// What `-` stands for where an option takes a text: others on the machine see arguments, and shells
// keep them.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::cmd {

/// Standard input to its end, without the line end that a shell puts there. `option` is whose text
/// it is. Throws Failure{usage} where it is too long, or was read for another option.
std::string read_standard_input(std::string_view option);

}  // namespace abgleich::cmd
