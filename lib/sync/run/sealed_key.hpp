// The keys with which files of the state directory are encrypted.
#pragma once

#include "core/locked_memory.hpp"
#include "mask/keyring.hpp"
#include "state/sealed_file.hpp"

#include <string>

namespace abgleich::sync {

/// A key of its own for each purpose ("cache", "rare"), derived from the keyring's.
Locked<state::CacheKey> sealed_key(const mask::Keyring& keyring, const std::string& purpose);

}  // namespace abgleich::sync
