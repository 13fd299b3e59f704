#include "sync/run/sealed_key.hpp"

#include "core/digest.hpp"

#include <algorithm>

namespace abgleich::sync {

Locked<state::CacheKey> sealed_key(const mask::Keyring& keyring, const std::string& purpose) {
  Locked<state::CacheKey> key;
  const auto one = keyring.purpose_key(purpose + "/1");
  const auto two = keyring.purpose_key(purpose + "/2");
  const SipKey& first = one;
  const SipKey& second = two;
  std::ranges::copy(first, key->begin());
  std::ranges::copy(second, key->begin() + first.size());
  return key;
}

}  // namespace abgleich::sync
