// Reads the text of an option from standard input, where `-` is given: others on the machine can
// see arguments, and shells keep them.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::cmd {

/// Standard input to its end, without the line end that a shell puts there. `option`: the one whose
/// text it is. Throws Failure{usage} where the text is too long or empty, or standard input was
/// read for another option.
std::string read_standard_input(std::string_view option);

}  // namespace abgleich::cmd
