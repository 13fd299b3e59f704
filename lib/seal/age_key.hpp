// The keys of age: X25519, as text `age1…` and `AGE-SECRET-KEY-1…` (C2SP age.md).
#pragma once

#include "core/locked_memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::seal {

/// To whom a file is sealed: a public key, a point of Curve25519.
using Recipient = std::array<std::uint8_t, 32>;

/// The text of a public key: `age1` and 58 characters.
std::string recipient_text(const Recipient& recipient);
/// The inverse; empty where the text is not a public key.
std::optional<Recipient> recipient_from(std::string_view text);

/// The secret key for a `Recipient`: it opens what was sealed to it. In locked memory. Movable, not
/// copyable.
class Identity {
 public:
  static constexpr std::size_t kTextSize = 74;

  /// A new one, from the random numbers of the system.
  static Identity generate();
  /// The key with this text; empty where the text is not a secret key.
  static std::optional<Identity> from_text(std::string_view text);

  [[nodiscard]] const Recipient& recipient() const { return recipient_; }
  /// Fills `out` with the text, `AGE-SECRET-KEY-1` and 58 characters.
  void write_text(std::span<char, kTextSize> out) const;

  /// X25519 with the public share of another: fills `out` with the shared secret. False where the
  /// result is zero, as it is with points of low order: then there is no shared secret.
  bool agree(const Recipient& share, std::span<std::uint8_t, 32> out) const;

 private:
  explicit Identity(Subkey secret);

  Subkey secret_;
  Recipient recipient_;
};

}  // namespace abgleich::seal
