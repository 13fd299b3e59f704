// Copies of the secondary for backups: made in a transaction, restored beside it.
#pragma once

#include "db/engine/secondary_copy.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace abgleich::db {

class Target;

/// How many rows each of these tables of the data has; tables that are not there are left out.
/// REQUIRES: the target's catalogue is loaded.
std::map<std::string, std::int64_t> count_rows(Target& target, const std::set<std::string>& tables);

/// See Backend::copy_out.
void copy_out(Target& target, const std::set<std::string>& tables,
              const std::filesystem::path& file);

/// See Backend::restore_copy, of the original's engine. REQUIRES: `to` is of that engine as well.
std::unique_ptr<RestoredCopy> restore_copy(const CopyToRestore& copy);

}  // namespace abgleich::db
