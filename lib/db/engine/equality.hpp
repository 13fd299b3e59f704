// What a column of the secondary takes for equal. A row's key is its bytes: what a collation or a
// type of the secondary equates beyond them is a collision, and never the same row.
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
    bytes,      // as good as
    collation,  // the column's collation takes different bytes for equal
    type,       // its type does: where it is a key, bookkeeping and temporary tables have text
  };
  By by = By::bytes;
  /// The column's own, as an operator between it and a value: what its indexes know. Empty: none
  /// that can be used.
  std::string own = "=";
  std::string collate{};  // what goes behind a value of ours that is to be compared so
};

/// By table and column, of the session's schema: those that equate more than bytes.
using Equalities = std::map<std::pair<std::string, std::string>, Equality>;
Equalities read_equalities(Session& session, const Catalog& catalog);

}  // namespace abgleich::db
