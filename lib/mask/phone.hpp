// Phone numbers to E.164, strictly: what is not plainly a number is refused, never guessed.
#pragma once

#include "mask/reason.hpp"

#include <string>
#include <string_view>

namespace abgleich::mask {

/// "+" and 7 to 15 digits, the first not 0. `text` starts with + or 00 (international) or one 0
/// (Germany), and has digits, white space, and - / ( ) . only; a "(0)" in an international number,
/// as in "+43 (0) 1 …", is the trunk prefix and left out, and so is any 0 behind +49.
Reason normalise_phone(std::string_view text, std::string& out);

}  // namespace abgleich::mask
