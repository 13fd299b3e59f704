// Which exit code a fault ends with, on every engine.
#pragma once

#include "core/error.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/session.hpp"

#include <optional>

namespace abgleich::db {

/// The code for a problem with the objects or the data of this side: where we read, 24; where we
/// write, 26.
Code refusal_code(Access access);

/// The code of a cause; none for `other`, where the engine decides.
std::optional<Code> code_of(Fault::Cause cause, Access access);

}  // namespace abgleich::db
