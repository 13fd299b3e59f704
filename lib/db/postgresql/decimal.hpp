// Decimal numbers of any size as digits, to move them between integer, numeric and float columns
// without arithmetic.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

struct Decimal {
  bool negative = false;
  std::string integer;   // digits before the point, without leading zeros; empty for 0
  std::string fraction;  // digits after it, trailing zeros kept

  [[nodiscard]] bool is_zero() const;
  /// As numeric prints it: no exponent, no negative zero, the scale as it is.
  [[nodiscard]] std::string text() const;
  /// The same number, whatever the scale.
  [[nodiscard]] bool same_number(const Decimal& other) const;
};

/// Parses `[+-]digits[.digits][e[+-]digits]` with digits on at least one side of the point. Empty
/// for anything else, and where the exponent alone is beyond what numeric can hold.
std::optional<Decimal> decimal_from(std::string_view text);

}  // namespace abgleich::db::postgresql
