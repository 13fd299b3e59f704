// From pg_type to Type.
#pragma once

#include "core/type.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

/// What pg_type says of a column's type, domains resolved to their base.
struct ServerType {
  std::string name;            // pg_type.typname
  bool built_in = true;        // in pg_catalog
  std::string native;          // format_type with its modifier
  std::int32_t modifier = -1;  // pg_attribute.atttypmod, or of the domain
};

/// The type, without the labels of an enumeration, which are in pg_enum.
Type type_from(const ServerType& server);

}  // namespace abgleich::db::postgresql
