// Who runs this program.
#pragma once

#include <string>

namespace abgleich::state {

/// The person who logged in or called sudo, where that is known. Otherwise the name of the user
/// that the process runs as, or that user's number.
std::string operator_name();

}  // namespace abgleich::state
