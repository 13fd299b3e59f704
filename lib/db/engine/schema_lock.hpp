// Holding the primary's tables still while they are read: what an engine is asked, and may answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db {

/// What is to be read of one table, by its names in the primary.
struct Reading {
  std::string table;
  std::vector<std::string> columns;
};

enum class Hold : std::uint8_t {
  held,    // locked until the transaction ends, and as the catalogue says
  moved,   // changed since the snapshot: a newer snapshot is needed
  locked,  // somebody else's: being changed, or locked for another reason
};

struct SchemaLock {
  Hold hold = Hold::held;
  std::string table;  // the one that is not held
};

/// What a name or a right that is gone is taken for: the vendor at work, or a lasting state.
enum class Gone : std::uint8_t { by_ddl, for_good };

}  // namespace abgleich::db
