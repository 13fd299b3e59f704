// What the machine has run out of, or fails at: the fault of no file's owner or rights.
#pragma once

#include "core/error.hpp"

#include <optional>
#include <string_view>

namespace abgleich {

struct Shortage {
  Code code = Code::out_of_space;
  std::string_view hint;
};

/// Of an error number (errno). Empty for every other trouble, of which the caller knows more.
std::optional<Shortage> shortage_of(int error);

/// Writes all of it. Throws std::system_error, which always has a reason: a write that was cut
/// short is tried again, and then says why.
void write_whole(int descriptor, std::string_view text);

}  // namespace abgleich
