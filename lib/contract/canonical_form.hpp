// How the values of one identity are written before pseudonyms are made of them, so that values
// that are equal in the primary have the same pseudonym, whatever the types of their columns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::contract {

struct CanonicalForm {
  enum class Of : std::uint8_t {
    written,      // the value's own canonical form (core/value.hpp)
    number,       // decimal digits, with `scale` of them or more after the point
    real,         // the shortest text of a floating point number of `bits`
    date,         // a moment at midnight is written as its day
    timestamp,    // a day is written as its midnight
    timestamptz,  // the same, in UTC
    uuid,         // lower case with hyphens
    text,         // without what the primary ignores when it compares: `fold`, `trimmed`
  };
  enum class Fold : std::uint8_t { none, ascii, unicode };  // upper and lower case are equal

  Of of = Of::written;
  std::optional<int> scale;  // of a number; empty: as few digits as it needs
  int bits = 64;             // of a real
  Fold fold = Fold::none;
  bool trimmed = false;  // blanks at the end do not count
  /// The column refers to another by a foreign key of the primary. Text that can be read as a
  /// number is then written as that number, since the primary compares it as one.
  bool refers = false;

  bool operator==(const CanonicalForm&) const = default;
};

/// "number 2", "text ascii trimmed", "number refers", and the inverse, which is empty for any other
/// text.
std::string text_of(const CanonicalForm& form);
std::optional<CanonicalForm> canonical_form_from(std::string_view text);

}  // namespace abgleich::contract
