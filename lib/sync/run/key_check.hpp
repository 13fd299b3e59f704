// Whether a key is the one that made the secondary's pseudonyms.
#pragma once

#include "contract/config.hpp"
#include "core/error.hpp"
#include "mask/keyring.hpp"

#include <cstdint>
#include <optional>

namespace abgleich::sync {

struct KeyCheck {
  enum class Is : std::uint8_t { unknown, none_yet, this_one };
  Is is = Is::unknown;
  std::optional<Error> why;  // where unknown
};

/// Asks the secondary; `unknown` where it cannot be reached. Throws Failure{key_or_trust} where its
/// pseudonyms are of another key, or of an older epoch of this one.
KeyCheck check_key(const contract::Config& config, const mask::Keyring& keyring);

}  // namespace abgleich::sync
