// What the secondary's schema needs so that it follows the primary's, as statements to look at or
// to run by hand.
#pragma once

#include "core/catalog.hpp"
#include "sync/pairing.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

struct SchemaDdl {
  std::vector<std::string> forward;  // what the next run would execute
  std::vector<std::string> back;     // what takes that back
  std::vector<std::string> blocked;  // tables that are left out, as drift blocks them
};

/// For the primary's catalogue `live`. Changes nothing.
SchemaDdl schema_ddl(const Pairing& given, const Catalog& live);

}  // namespace abgleich::sync
