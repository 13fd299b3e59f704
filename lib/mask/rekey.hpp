// Pseudonyms of one epoch to those of a later one, when the key is rotated.
#pragma once

#include "core/type.hpp"
#include "core/value.hpp"
#include "mask/integer_pseudonym.hpp"
#include "mask/keyring.hpp"
#include "mask/pseudonym.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::mask {

/// What becomes of the pseudonyms of one recipe. Text and UUIDs are one-way: the values of the
/// primary are learned, 32 bytes of memory each, and what nobody there has any more (an orphan)
/// gets a pseudonym that is made of the old one. Integers lead back, and need no learning. Not
/// thread-safe.
class Rekeying {
 public:
  Rekeying(const Keyring& before, const Keyring& now, const Recipe& recipe);

  /// Whether values have to be learned at all.
  [[nodiscard]] bool learns() const { return !before_numbers_; }

  /// Learns one value of the primary, of a column of type `source` whose pseudonyms are made of
  /// this form. What has no pseudonym is nothing to be learned. REQUIRES: `learns()`.
  void learn(const RawValue& raw, const Type& source, const contract::CanonicalForm& form = {});
  /// After the last value.
  void finish();

  /// Puts the new pseudonym in the place of the old one, of whatever kind the value is. What is
  /// none of the old epoch (NULL, a value that somebody has entered in the secondary) stays as it
  /// is.
  void rekey(Value& value);

  /// How many of the pseudonyms that were rekeyed belong to nobody in the primary any more.
  [[nodiscard]] std::int64_t orphans() const { return orphans_; }

 private:
  using Digits = std::array<std::uint8_t, 16>;
  struct Pair {
    Digits before, now;
  };

  [[nodiscard]] bool read(std::string_view text, std::string_view prefix, Digits& digits) const;
  [[nodiscard]] std::string write(const Digits& digits) const;
  [[nodiscard]] Digits orphan(const Digits& before) const;
  void sort();

  contract::Format format_;
  std::string before_prefix_, now_prefix_;  // of the text format: "p1_", "p2_"
  Pseudonymiser before_, now_;
  std::optional<IntegerPseudonym> before_numbers_, now_numbers_;
  Subkey orphan_key_;
  std::vector<Pair> pairs_;  // sorted up to sorted_
  std::size_t sorted_ = 0;
  std::int64_t orphans_ = 0;
  Value unpadded_, formed_, old_, fresh_;
  std::string scratch_;
};

}  // namespace abgleich::mask
