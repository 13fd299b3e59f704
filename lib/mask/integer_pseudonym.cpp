#include "mask/integer_pseudonym.hpp"

#include "core/locked_memory.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace abgleich::mask {

namespace {

constexpr unsigned kShort = 9;
constexpr unsigned kLong = 18;
constexpr std::uint64_t kShortEnd = 1'000'000'000;
constexpr std::uint64_t kLongEnd = 1'000'000'000'000'000'000;

bool is_canonical_integer(std::string_view text) {
  const auto digits = text.starts_with('-') ? text.substr(1) : text;
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         (digits.front() != '0' || text == "0");
}

}  // namespace

IntegerPseudonym::IntegerPseudonym(std::span<const std::uint8_t> key, std::string_view identity,
                                   IntegerDomain domain)
    : domain_(domain),
      short_(key, {.radix = 10, .length = kShort}),
      long_(key, {.radix = 10, .length = kLong}) {
  start_sodium();
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(identity.data()),
                     identity.size());
  std::copy_n(hash.begin(), tweak_.size(), tweak_.begin());
}

Reason IntegerPseudonym::make(std::string_view digits, std::uint64_t& pseudonym) const {
  return walk(Direction::make, digits, pseudonym);
}

Reason IntegerPseudonym::find(std::string_view pseudonym, std::uint64_t& number) const {
  return walk(Direction::find, pseudonym, number);
}

Reason IntegerPseudonym::walk(Direction direction, std::string_view digits,
                              std::uint64_t& out) const {
  if (!is_canonical_integer(digits)) {
    return Cause::not_integer;
  }
  std::uint64_t number = 0;
  const auto* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number >= kLongEnd ||
      (domain_ == IntegerDomain::digits_9 && number >= kShortEnd)) {
    return Cause::outside_domain;
  }
  const bool is_short = number < kShortEnd;
  const auto& cipher = is_short ? short_ : long_;
  std::array<std::uint8_t, kLong> buffer{};
  const std::span<std::uint8_t> numerals(buffer.data(), is_short ? kShort : kLong);
  // Cycle walking: of 18 digits, about one result in 10^9 is below 10^9. It is encrypted again.
  do {
    for (auto at = numerals.size(); at-- > 0;) {
      numerals[at] = static_cast<std::uint8_t>(number % 10);
      number /= 10;
    }
    if (direction == Direction::make) {
      cipher.encrypt(tweak_, numerals);
    } else {
      cipher.decrypt(tweak_, numerals);
    }
    number = 0;
    for (const auto numeral : numerals) {
      number = number * 10 + numeral;
    }
  } while (!is_short && number < kShortEnd);
  out = number;
  return std::nullopt;
}

}  // namespace abgleich::mask
