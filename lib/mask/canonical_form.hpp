// Values in the canonical form of their identity.
#pragma once

#include "contract/canonical_form.hpp"
#include "core/type.hpp"
#include "core/value.hpp"

#include <string>
#include <string_view>

namespace abgleich::mask {

/// The form that the values of a column have by its own type: values that the primary takes for
/// equal become the same text.
contract::CanonicalForm natural_form(const Type& type, std::string_view collation);

/// Whether this form leaves every value of the type as it is. Pseudonyms that were made before
/// there were forms are made of such values.
bool is_written(const contract::CanonicalForm& form, const Type& type);

/// Bits of the floating point numbers of a column; 64 for columns of other types.
int real_bits(const Type& type);

/// The bytes of a value in this form; what cannot be read as such a value stays as it is. `bits`:
/// those of the value's own column. Returns the value's own bytes, or `scratch`. REQUIRES: not
/// NULL, text is valid UTF-8.
std::string_view in_form(const contract::CanonicalForm& form, int bits, const Value& value,
                         std::string& scratch);

}  // namespace abgleich::mask
