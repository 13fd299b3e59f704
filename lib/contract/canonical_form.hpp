// How the values of one identity are written before pseudonyms are made of them, so that values
// that the primary takes for the same have the same pseudonym whatever the types of their columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::contract {

struct CanonicalForm {
  enum class Of : std::uint8_t {
    written,      // as the value's own canonical form has it
    number,       // decimal digits, with `scale` of them behind the point
    real,         // the shortest text of a floating point number of `bits`
    date,         // a moment at midnight is its day
    timestamp,    // a day is its midnight
    timestamptz,  // the same, in UTC
    uuid,         // lower case with hyphens
    text,         // without what the primary does not compare: see `fold`, `trimmed`
  };
  enum class Fold : std::uint8_t { none, ascii, unicode };  // capitals do not count

  Of of = Of::written;
  std::optional<int> scale;  // of a number; none: as few as it takes
  int bits = 64;             // of a real
  Fold fold = Fold::none;
  bool trimmed = false;  // blanks at the end do not count
  /// The column refers to another by a foreign key of the primary: text that reads as a number is
  /// one, as the primary itself takes it.
  bool refers = false;

  bool operator==(const CanonicalForm&) const = default;
};

/// "number 2", "text ascii trimmed", "number refers", and the inverse. Empty for what it did not
/// write.
std::string text_of(const CanonicalForm& form);
std::optional<CanonicalForm> canonical_form_from(std::string_view text);

}  // namespace abgleich::contract
