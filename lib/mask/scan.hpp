// Reading a text from its front.
#pragma once

#include <string_view>

namespace abgleich::mask {

/// Takes the character `wanted` off the front. False where the text does not begin with it.
inline bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace abgleich::mask
