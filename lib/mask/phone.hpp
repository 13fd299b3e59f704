// Phone numbers to E.164 by libphonenumber, strictly: what is not clearly a number is refused,
// never guessed.
#pragma once

#include "mask/reason.hpp"

#include <string>
#include <string_view>

namespace abgleich::mask {

/// Writes "+" and 7 to 15 digits, the first not 0. `text` may have ASCII digits, white space,
/// dashes of any kind, / ( ) . and invisible marks, and at most one "tel:" in front and one +
/// before all digits. A "(0)" in an international number, as in "+43 (0) 1 …", is the trunk prefix
/// and is left out. A number without a country code is one of `country` (ISO 3166, as `is_country`
/// knows it). It has to begin with the trunk prefix where that is 0 there, since otherwise its area
/// code may be missing. A number of a length that its country does not have is refused.
Reason normalise_phone(std::string_view text, std::string_view country, std::string& out);

/// Whether libphonenumber knows the country.
bool is_country(std::string_view code);

}  // namespace abgleich::mask
