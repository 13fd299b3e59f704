// Pseudonyms of integers that are integers: a permutation of the numbers of up to 9 digits, and one
// of the longer numbers of up to 18 digits.
#pragma once

#include "mask/ff1.hpp"
#include "mask/reason.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace abgleich::mask {

/// The non-negative integers that a column can hold as pseudonyms: 32 bits hold all numbers of 9
/// digits, 64 bits all of 18.
enum class IntegerDomain : std::uint8_t { digits_9, digits_18 };

/// Numbers below 10^9 are permuted among themselves, the rest up to 10^18 among themselves. So a
/// number has the same pseudonym in columns of 32 and of 64 bits, and joins hold.
class IntegerPseudonym {
 public:
  IntegerPseudonym(std::span<const std::uint8_t> key, std::string_view identity,
                   IntegerDomain domain);

  /// Writes the pseudonym of a canonical integer ("42"). Returns a reason for any other text, and
  /// for a number that is negative or too large.
  Reason make(std::string_view digits, std::uint64_t& pseudonym) const;

  /// The inverse of `make`: writes the number. Returns a reason where the text is not such a
  /// pseudonym.
  Reason find(std::string_view pseudonym, std::uint64_t& number) const;

 private:
  enum class Direction : std::uint8_t { make, find };
  Reason walk(Direction direction, std::string_view digits, std::uint64_t& out) const;

  IntegerDomain domain_;
  Ff1 short_, long_;
  std::array<std::uint8_t, 8> tweak_{};
};

}  // namespace abgleich::mask
