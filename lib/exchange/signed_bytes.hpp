// What a bundle's signature covers: the sealed bytes without the signature at their end, piece by
// piece, and their hash.
#pragma once

#include "seal/age_reader.hpp"
#include "seal/signature.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace abgleich::exchange {

/// Reads one file from its start. Holds some chunks of 64 KiB. All functions throw
/// NotApplied{altered} where the file does not open, was changed, or was cut off.
class SignedBytes {
 public:
  SignedBytes(const seal::Identity& opens, seal::Feed file);

  /// The next piece, valid until the next call; empty at the end.
  std::span<const std::uint8_t> next();

  /// What follows is known once `next` has reported the end.
  struct End {
    seal::Hash hash{};
    seal::Signature signature{};  // not checked
    std::uint64_t size = 0;       // of the pieces and the signature

    bool operator==(const End&) const = default;
  };
  [[nodiscard]] const End& end() const { return end_; }

 private:
  std::optional<seal::AgeReader> reader_;
  seal::Hasher hasher_;
  /// What was handed out last, and behind it what may be the signature.
  std::vector<std::uint8_t> buffer_;
  std::size_t handed_out_ = 0;
  bool ended_ = false;
  End end_;
};

}  // namespace abgleich::exchange
