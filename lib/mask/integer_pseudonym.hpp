// Integers for integers: a permutation of the numbers of up to 9, and of up to 18 digits.
#pragma once

#include "mask/ff1.hpp"
#include "mask/reason.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace abgleich::mask {

/// The non-negative integers that a column can take as pseudonyms: the largest powers of ten that
/// 32 and 64 bits hold whole.
enum class IntegerDomain : std::uint8_t { digits_9, digits_18 };

/// Numbers below 10^9 are permuted among themselves, the rest up to 10^18 among themselves. So a
/// number has the same pseudonym in columns of 32 and of 64 bits, and joins hold.
class IntegerPseudonym {
 public:
  IntegerPseudonym(std::span<const std::uint8_t> key, std::string_view identity,
                   IntegerDomain domain);

  /// `digits` is a canonical integer ("42"). REQUIRES nothing: refuses what is none, what is
  /// negative and what is too large.
  Reason make(std::string_view digits, std::uint64_t& pseudonym) const;

  /// The inverse of `make`. Empty where no number has this pseudonym.
  Reason find(std::string_view pseudonym, std::uint64_t& number) const;

 private:
  enum class Direction : std::uint8_t { make, find };
  Reason walk(Direction direction, std::string_view digits, std::uint64_t& out) const;

  IntegerDomain domain_;
  Ff1 short_, long_;
  std::array<std::uint8_t, 8> tweak_{};
};

}  // namespace abgleich::mask
