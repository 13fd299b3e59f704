// The words and sizes that a bundle is made of (schemas/bundle.md, sections 2 and 3).
#pragma once

#include "seal/signature.hpp"

#include <cstddef>
#include <string_view>
#include <tuple>

namespace abgleich::exchange {

/// The first bytes of what is sealed.
inline constexpr std::string_view kBundleMagic = "abgleich.bundle/1\n";
/// What the signature at its end is made for.
inline constexpr std::string_view kBundlePurpose = "abgleich.bundle/1 signature\n";

/// The number of the manifest's bytes.
inline constexpr std::size_t kManifestLength = 4;
inline constexpr std::size_t kBundleSignature = std::tuple_size_v<seal::Signature>;

}  // namespace abgleich::exchange
