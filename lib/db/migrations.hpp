// The files of migrations/, embedded in the binary by CMake.
#pragma once

#include "core/type.hpp"

#include <string_view>

namespace abgleich::db {

/// DDL of the bookkeeping tables, format 2.
std::string_view books_migration(Engine engine);

}  // namespace abgleich::db
