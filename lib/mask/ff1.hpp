// FF1 (NIST SP 800-38G, section 5.1): encryption that maps numeral strings of one radix and length
// onto themselves, one to one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace abgleich::mask {

class Ff1 {
 public:
  struct Domain {
    unsigned radix = 10;
    unsigned length = 6;
  };

  /// `key` has 16, 24 or 32 bytes. Throws Failure{bug} unless radix^length is at least 1,000,000
  /// (the standard's minimum) and half a string fits 56 bits (which keeps the arithmetic in words).
  Ff1(std::span<const std::uint8_t> key, Domain domain);
  Ff1(const Ff1&) = delete;
  Ff1& operator=(const Ff1&) = delete;
  Ff1(Ff1&&) noexcept;
  Ff1& operator=(Ff1&&) noexcept;
  ~Ff1();

  /// In place. REQUIRES: `length` numerals below `radix`, the most significant first.
  void encrypt(std::span<const std::uint8_t> tweak, std::span<std::uint8_t> numerals) const;
  void decrypt(std::span<const std::uint8_t> tweak, std::span<std::uint8_t> numerals) const;

 private:
  struct Rounds;
  std::unique_ptr<Rounds> rounds_;
};

}  // namespace abgleich::mask
