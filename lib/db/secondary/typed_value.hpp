// Values that people type.
#pragma once

#include "core/value.hpp"
#include "db/engine/relation.hpp"

#include <optional>
#include <string>

namespace abgleich::db {

class Target;

/// A value that somebody has typed, as the column will store it; without a text NULL. Throws
/// Failure{usage} where the column cannot store it.
Value typed_value(Target& target, const RelationColumn& column,
                  const std::optional<std::string>& text);

}  // namespace abgleich::db
