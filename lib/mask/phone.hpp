// Phone numbers to E.164 by libphonenumber, strictly: what is not plainly a number is refused,
// never guessed.
#pragma once

#include "mask/reason.hpp"

#include <string>
#include <string_view>

namespace abgleich::mask {

/// "+" and 7 to 15 digits, the first not 0. `text` has ASCII digits, white space, dashes of any
/// kind, / ( ) . and marks that are not seen only, "tel:" in front and one + in front of all digits
/// at most; a "(0)" in an international number, as in "+43 (0) 1 …", is the trunk prefix and left
/// out. A number without its country is one of `country` (ISO 3166, as `is_country` knows it), and
/// begins with the trunk prefix where that is 0 there: without it, it may lack its area code. A
/// number of a length that its country does not have is refused.
Reason normalise_phone(std::string_view text, std::string_view country, std::string& out);

/// Whether libphonenumber knows the country.
bool is_country(std::string_view code);

}  // namespace abgleich::mask
