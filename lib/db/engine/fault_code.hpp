// Which exit code a fault ends with, on every engine.
#pragma once

#include "core/error.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/session.hpp"

#include <optional>

namespace abgleich::db {

/// The code that a problem with the objects or the data of this side ends with: 24 where we read,
/// 26 where we write.
Code refusal_code(Access access);

/// The code of a cause; none for `other`, of which the engine knows more.
std::optional<Code> code_of(Fault::Cause cause, Access access);

}  // namespace abgleich::db
