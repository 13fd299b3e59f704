// Turns pseudonyms of one epoch into those of a later one, when the key is rotated.
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

/// Rekeys the pseudonyms of one recipe. Text and UUID pseudonyms cannot be reversed. So the values
/// of the primary are learned first, with 32 bytes of memory each; a pseudonym of a value that is
/// no longer there (an orphan) gets a new one that is made of the old one. Integer pseudonyms can
/// be reversed, and nothing has to be learned. Not thread-safe.
class Rekeying {
 public:
  Rekeying(const Keyring& before, const Keyring& now, const Recipe& recipe);

  /// Whether values have to be learned at all.
  [[nodiscard]] bool learns() const { return !before_numbers_; }

  /// Learns one value of the primary, of a column of type `source` whose pseudonyms are made of
  /// this form. A value that has no pseudonym is ignored. REQUIRES: `learns()`.
  void learn(const RawValue& raw, const Type& source, const contract::CanonicalForm& form = {});
  /// To be called after the last value.
  void finish();

  /// Replaces the old pseudonym by the new one; the kind of the value stays. What is not a
  /// pseudonym of the old epoch (NULL, a value that somebody has entered in the secondary) stays as
  /// it is.
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
  std::string before_prefix_, now_prefix_;  // see `prefix_of`
  Pseudonymiser before_, now_;
  std::optional<IntegerPseudonym> before_numbers_, now_numbers_;
  Subkey orphan_key_;
  std::vector<Pair> pairs_;  // the first `sorted_` of them are sorted
  std::size_t sorted_ = 0;
  std::int64_t orphans_ = 0;
  Value unpadded_, formed_, old_, fresh_;
  std::string scratch_;
};

}  // namespace abgleich::mask
