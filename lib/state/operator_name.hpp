// Who runs this program.
#pragma once

#include <string>

namespace abgleich::state {

/// The person who logged in or called sudo, where the process says so, and not the service's user;
/// else that user's name, or number.
std::string operator_name();

}  // namespace abgleich::state
