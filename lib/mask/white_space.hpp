// White space as Unicode has it (property White_Space), in UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace abgleich::mask {

/// The bytes of the white space character that `text` starts with; 0 where it starts with none.
std::size_t leading_white_space(std::string_view text);

/// Removes white space at both ends and makes every inner run of it one space, in place.
void collapse_white_space(std::string& text);

}  // namespace abgleich::mask
