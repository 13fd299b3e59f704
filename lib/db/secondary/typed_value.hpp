// Values that people type.
#pragma once

#include "core/value.hpp"
#include "db/engine/relation.hpp"

#include <optional>
#include <string>

namespace abgleich::db {

class Target;

/// A value that somebody has typed, as the column will hold it; no text: NULL. Throws
/// Failure{usage} where the column cannot.
Value typed_value(Target& target, const RelationColumn& column,
                  const std::optional<std::string>& text);

}  // namespace abgleich::db
