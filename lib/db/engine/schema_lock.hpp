// The schema lock, which keeps DDL from the primary's tables while they are read: what an engine is
// asked (Backend::hold), and its answers.
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
  locked,  // others have locked it, to change it or for another reason
};

struct SchemaLock {
  Hold hold = Hold::held;
  std::string table;  // the one that is not held, where that is known
};

/// What a missing name or right means: DDL that is still under way, or a lasting state.
enum class Gone : std::uint8_t { by_ddl, for_good };

}  // namespace abgleich::db
