// The one text form of a floating-point number that every engine's dialect uses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

/// The canonical text of the double that `text` denotes: what std::to_chars prints without a
/// precision, so the shortest decimal that reads back to the same double ("5", "0.1", "1e+22",
/// "-0"), or "NaN", "Infinity", "-Infinity". Accepts decimal and exponent forms and the names of
/// the special values in any case ("inf", "nan"). Empty where `text` is no such number or is beyond
/// the range of a double. The view points into `scratch` or at a constant.
std::string_view canonical_real(std::string_view text, std::string& scratch);

/// The same for a double that is there already.
std::string_view canonical_real(double number, std::string& scratch);

/// The double that `text` denotes, under the same rules.
std::optional<double> real_from(std::string_view text);

}  // namespace abgleich::db
