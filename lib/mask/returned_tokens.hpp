// Tokens of this node that have come back, and what they were made of. Some 50 bytes of memory for
// each: a queue of a million people fits.
#pragma once

#include "contract/contract.hpp"
#include "core/fingerprint.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "mask/keyring.hpp"
#include "mask/reveal.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::mask {

/// First all tokens are asked for, then each epoch's are looked for, then they can be used. Not
/// thread-safe before.
class ReturnedTokens {
 public:
  /// `issuer`: this node's mark in its tokens.
  explicit ReturnedTokens(std::string issuer) : issuer_(std::move(issuer)) {}

  /// Notes a token that is to be resolved. One of another issuer, and what is no token, is ignored.
  void ask(const RawValue& raw);

  /// The epochs of the tokens that were asked for, from which on no more can be.
  [[nodiscard]] std::vector<int> epochs();

  /// Looks for the tokens of one epoch in a column, whose rows come as `rows` gives them. The
  /// keyring is that of the epoch, and of the peer.
  struct Column {
    const contract::Column& column;
    const Type& source;
    const Keyring& keyring;
  };
  using Rows = std::function<void(const std::function<void(const RawRow&)>&)>;
  void look(int epoch, const Column& column, const Rows& rows);

  /// What the token was made of; empty: it was not found. Valid as long as this object is not
  /// moved.
  [[nodiscard]] std::optional<std::string_view> value_of(std::string_view token) const;

  /// Changes with what is found.
  [[nodiscard]] std::uint64_t mark(const Fingerprinter& fingerprinter) const;

 private:
  using Digits = std::array<std::uint8_t, 16>;
  struct Found {
    Digits digits{};
    std::size_t begin = 0;  // of the value, in `values_`
    std::size_t size = 0;
  };
  [[nodiscard]] std::string_view value_at(const Found& found) const;

  std::string issuer_;
  std::map<int, std::vector<Digits>> asked_;  // by epoch
  std::map<int, std::vector<Found>> found_;   // by epoch, in the order of the digits
  std::string values_;
};

}  // namespace abgleich::mask
