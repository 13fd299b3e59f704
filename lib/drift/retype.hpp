// What a change of a column's type does to the values that are there already.
#pragma once

#include "core/type.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::drift {

enum class Retype : std::uint8_t {
  none,     // the same type, or another spelling of it
  widened,  // holds more than before; every value's canonical form is provably what it was
  changed,  // nothing can be said without looking at the values
};

/// Labels that only one of two enumerations has do not count here: see `new_labels`.
Retype compare_types(const Type& was, const Type& now);

/// The labels of an enumeration that it did not have, in its order. Empty where a label is gone or
/// renamed (which changes values) or where one of the two is no enumeration.
std::vector<std::string> new_labels(const Type& was, const Type& now);

/// How messages call a type: "character varying(64)".
std::string type_text(const Type& type);

}  // namespace abgleich::drift
