// What stands behind the tokens that this node has issued to one peer.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace abgleich::contract {

class IssuedTokens {
 public:
  IssuedTokens() = default;
  IssuedTokens(const IssuedTokens&) = delete;
  IssuedTokens& operator=(const IssuedTokens&) = delete;
  virtual ~IssuedTokens() = default;

  /// The value that the token was made of: text of the primary, valid as long as this object.
  /// Empty: this node has not issued the token to this peer, or the value has left the primary, or
  /// goes to another peer now. The first call reads the primary, and throws what that throws.
  [[nodiscard]] virtual std::optional<std::string_view> value_of(std::string_view token) = 0;

  /// Changes with every token that resolves to something else than before. Reads as `value_of`.
  [[nodiscard]] virtual std::uint64_t mark() = 0;
};

}  // namespace abgleich::contract
