// The secret keys of open grants on disk: encrypted with the node's own key, so that whoever has a
// copy of the state directory, but not the node's key, opens nothing.
#pragma once

#include "exchange/channel.hpp"
#include "seal/age_key.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::exchange {

/// The secret key of `grant`, encrypted. `box` is authenticated with it: one secret cannot be put
/// in the place of another.
std::string sealed_grant(const seal::Identity& node, const BoxName& box,
                         const seal::Identity& grant);
/// The inverse; empty where the bytes were not made with this node's key for this box.
std::optional<seal::Identity> opened_grant(const seal::Identity& node, const BoxName& box,
                                           std::string_view sealed);

}  // namespace abgleich::exchange
