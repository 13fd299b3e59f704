// Which values a column of the secondary takes for equal. For us a row's key is its bytes: two keys
// with different bytes that a collation or a type of the secondary takes for equal are a collision,
// never the same row.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace abgleich::db {

struct Equality {
  enum class By : std::uint8_t {
    bytes,      // equal values have equal bytes, as far as it matters here
    collation,  // the column's collation takes different bytes for equal
    type,       // its type does; a key of it is a text in bookkeeping and temporary tables
  };
  By by = By::bytes;
  /// The operator by which the column itself, and so its indexes, compare it with a value. Empty:
  /// none can be used.
  std::string own = "=";
  std::string collate{};  // the COLLATE clause for a value of ours that is compared the same way
};

/// By table and column, of the session's schema. Only those that take different bytes for equal.
using Equalities = std::map<std::pair<std::string, std::string>, Equality>;
Equalities read_equalities(Session& session, const Catalog& catalog);

}  // namespace abgleich::db
