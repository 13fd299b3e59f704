// Is everything in place for a run? Each thing a line, ok or what to do.
#pragma once

#include "core/error.hpp"
#include "core/trace.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace abgleich::sync {

struct Checked {
  std::string what;    // "contract", "primary", …
  std::string result;  // what was found
  Code code = Code::done;
  bool warning = false;  // nothing stops a run, but somebody has to look at it
  bool note = false;     // nothing is wrong, and something could be better
  std::string hint;      // what to do, where the code is not done or one of the two is set
};

/// Checks configuration, contract, key, both databases, rights, drift, versions, disk; goes on
/// after a failed check as far as the later ones do not need it. Writes nothing. Returns the
/// severest code.
Code check(const std::filesystem::path& config, const OnStatement& on_statement,
           const std::function<void(const Checked&)>& on_line);

}  // namespace abgleich::sync
