// Checks whether everything is in place for a run. Each check gives one line: ok, or what to do.
#pragma once

#include "core/error.hpp"
#include "core/trace.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace abgleich::sync {

struct Checked {
  std::string what;    // "contract", "primary", …
  std::string result;  // what was found
  Code code = Code::done;
  bool warning = false;  // stops no run, but somebody has to look at it
  bool note = false;     // nothing is wrong, but something could be better
  std::string hint;      // what to do; set with a code other than done, `warning` or `note`
};

using OnChecked = std::function<void(const Checked&)>;

/// Checks configuration, contract, key, both databases, rights, drift, versions, disk; after a
/// failed check it goes on with those that do not need its result. Calls `on_line` for each line.
/// Writes nothing. Returns the severest code. Where primary and secondary are not paired with each
/// other, only what is the node's own is checked.
Code check(const std::filesystem::path& config, const OnStatement& on_statement,
           const OnChecked& on_line);

/// What of a peer's pairing is not in a file of our own.
enum class Outside : std::uint8_t { primary, secondary };
/// The same for a pairing with a peer, without what is the node's.
Code check(Pairing pairing, Outside outside, const OnChecked& on_line);

}  // namespace abgleich::sync
