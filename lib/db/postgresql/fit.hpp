// Whether a PostgreSQL column gives a value back as it got it, and the form in which it does.
#pragma once

#include "core/type.hpp"
#include "core/value.hpp"

#include <optional>
#include <string_view>

namespace abgleich::db::postgresql {

/// See Dialect::fit.
std::optional<std::string_view> fit(const Type& column, Value& value);

/// Whether the type is time or timestamp with time zone, by its native name.
bool has_zone(const Type& type);

}  // namespace abgleich::db::postgresql
