// Ten million pseudonyms without a duplicate.
#include "mask/known_keyring.hpp"
#include "mask/pseudonym.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace abgleich::mask {
namespace {

constexpr std::size_t kValues = 10'000'000;

/// 60 bits of a text pseudonym ("p1_" and 26 base32 digits): by chance, two of ten million have
/// them in common once in 20,000 keys, and this key is none of those.
std::uint64_t beginning_of(const std::string& pseudonym) {
  std::uint64_t bits = 0;
  for (std::size_t i = 3; i < 15; ++i) {
    const char c = pseudonym[i];
    bits = bits << 5U | static_cast<std::uint64_t>(c >= 'a' ? c - 'a' : c - '2' + 26);
  }
  return bits;
}

std::uint64_t number_of(const std::string& digits) {
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

template <class Read>
std::vector<std::uint64_t> sorted_pseudonyms(contract::Format format, const Read& read) {
  std::vector<std::uint64_t> seen(kValues);
  const auto fill = [&](std::size_t from, std::size_t to) {
    const auto keyring = known_keyring();
    Pseudonymiser pseudonymiser(keyring, {.identity = "person", .format = format});
    Value value;
    Value out;
    for (std::size_t i = from; i < to; ++i) {
      value.set(Kind::integer, std::to_string(i));
      if (pseudonymiser.make(value, out)) {
        return;
      }
      seen[i] = read(out.bytes());
    }
  };
  std::jthread half(fill, 0, kValues / 2);
  fill(kValues / 2, kValues);
  half.join();
  std::ranges::sort(seen);
  return seen;
}

TEST_CASE("10,000,000 values have 10,000,000 text pseudonyms") {
  const auto seen = sorted_pseudonyms(contract::Format::text, beginning_of);
  CHECK(std::ranges::adjacent_find(seen) == seen.end());
}

TEST_CASE("10,000,000 values have 10,000,000 integer pseudonyms, of the same digits") {
  const auto seen = sorted_pseudonyms(contract::Format::integer, number_of);
  CHECK(std::ranges::adjacent_find(seen) == seen.end());
  CHECK(seen.back() < 1'000'000'000);
  CHECK(seen.back() > 999'000'000);  // and they are all over the domain
}

}  // namespace
}  // namespace abgleich::mask
