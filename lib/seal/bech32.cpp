#include "seal/bech32.hpp"

#include <array>

namespace abgleich::seal {

namespace {

constexpr std::string_view kBech32Digits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t kChecksumDigits = 6;
constexpr std::size_t kLongest = 90;
constexpr unsigned kBitsOfDigit = 5;
constexpr unsigned kDigitMask = 31;

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_capital(char c) {
  return c >= 'A' && c <= 'Z';
}

bool is_small(char c) {
  return c >= 'a' && c <= 'z';
}

/// The BCH code of BIP 173, digit by digit.
class Checksum {
 public:
  explicit Checksum(std::string_view prefix) {
    for (const char c : prefix) {
      add(static_cast<unsigned char>(small(c)) >> kBitsOfDigit);
    }
    add(0);
    for (const char c : prefix) {
      add(static_cast<unsigned char>(small(c)) & kDigitMask);
    }
  }

  void add(unsigned digit) {
    constexpr std::array<std::uint32_t, 5> kGenerator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                      0x3d4233dd, 0x2a1462b3};
    const auto top = state_ >> 25U;
    state_ = ((state_ & 0x1ffffffU) << kBitsOfDigit) ^ digit;
    for (unsigned i = 0; i < kGenerator.size(); ++i) {
      // without a branch: the digits may belong to a secret
      state_ ^= (0U - ((top >> i) & 1U)) & kGenerator[i];
    }
  }

  [[nodiscard]] bool is_right() const { return state_ == 1; }

  /// The checksum of the digits that were added.
  std::array<unsigned, kChecksumDigits> finish() {
    for (std::size_t i = 0; i < kChecksumDigits; ++i) {
      add(0);
    }
    state_ ^= 1U;
    std::array<unsigned, kChecksumDigits> digits{};
    for (unsigned i = 0; i < kChecksumDigits; ++i) {
      digits[i] = (state_ >> (kBitsOfDigit * (kChecksumDigits - 1 - i))) & kDigitMask;
    }
    return digits;
  }

 private:
  std::uint32_t state_ = 1;
};

}  // namespace

std::optional<Bech32> read_bech32(std::string_view text) {
  const auto separator = text.rfind('1');
  if (text.size() > kLongest || separator == std::string_view::npos || separator == 0 ||
      text.size() - separator - 1 < kChecksumDigits) {
    return std::nullopt;
  }
  bool small_letters = false;
  bool capital_letters = false;
  for (const char c : text) {
    if (c < '!' || c > '~') {
      return std::nullopt;
    }
    small_letters |= is_small(c);
    capital_letters |= is_capital(c);
  }
  if (small_letters && capital_letters) {
    return std::nullopt;
  }
  Checksum checksum(text.substr(0, separator));
  for (const char c : text.substr(separator + 1)) {
    const auto digit = kBech32Digits.find(small(c));
    if (digit == std::string_view::npos) {
      return std::nullopt;
    }
    checksum.add(static_cast<unsigned>(digit));
  }
  if (!checksum.is_right()) {
    return std::nullopt;
  }
  const auto digits = text.substr(separator + 1);
  return Bech32{.prefix = text.substr(0, separator),
                .digits = digits.substr(0, digits.size() - kChecksumDigits)};
}

bool bytes_of(const Bech32& text, std::span<std::uint8_t> out) {
  if (text.digits.size() != (8 * out.size() + kBitsOfDigit - 1) / kBitsOfDigit) {
    return false;
  }
  unsigned held = 0;
  unsigned count = 0;
  std::size_t filled = 0;
  for (const char c : text.digits) {
    held = (held << kBitsOfDigit) | static_cast<unsigned>(kBech32Digits.find(small(c)));
    count += kBitsOfDigit;
    if (count >= 8) {
      count -= 8;
      out[filled++] = static_cast<std::uint8_t>(held >> count);
    }
    held &= (1U << count) - 1;
  }
  return held == 0;
}

std::size_t bech32_size(std::string_view prefix, std::size_t bytes) {
  return prefix.size() + 1 + (8 * bytes + kBitsOfDigit - 1) / kBitsOfDigit + kChecksumDigits;
}

void write_bech32(std::string_view prefix, std::span<const std::uint8_t> bytes, Letters letters,
                  std::span<char> out) {
  std::size_t filled = 0;
  const auto put = [&](char c) {
    out[filled++] =
        letters == Letters::capital && is_small(c) ? static_cast<char>(c - 'a' + 'A') : c;
  };
  Checksum checksum(prefix);
  const auto put_digit = [&](unsigned digit) {
    checksum.add(digit);
    put(kBech32Digits[digit]);
  };
  for (const char c : prefix) {
    put(c);
  }
  put('1');
  unsigned held = 0;
  unsigned count = 0;
  for (const auto byte : bytes) {
    held = (held << 8U) | byte;
    count += 8;
    while (count >= kBitsOfDigit) {
      count -= kBitsOfDigit;
      put_digit((held >> count) & kDigitMask);
    }
    held &= (1U << count) - 1;
  }
  if (count > 0) {
    put_digit((held << (kBitsOfDigit - count)) & kDigitMask);
  }
  for (const auto digit : checksum.finish()) {
    put(kBech32Digits[digit]);
  }
}

}  // namespace abgleich::seal
