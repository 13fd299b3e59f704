// System errors that do not come from the owner or the rights of a file: the machine has run out of
// something, or fails.
#pragma once

#include "core/error.hpp"

#include <optional>
#include <string_view>

namespace abgleich {

struct Shortage {
  Code code = Code::out_of_space;
  std::string_view hint;
};

/// For an error number (errno). Empty for all other errors, which the caller has to explain.
std::optional<Shortage> shortage_of(int error);

/// Writes all of `text`. Throws std::system_error with the reason: if only a part was written, the
/// rest is tried again, and that call gives the reason.
void write_whole(int descriptor, std::string_view text);

}  // namespace abgleich
