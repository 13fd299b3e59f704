// Copies of a SQLite secondary: SQLite's online backup, and a file that is restored beside it.
#pragma once

#include "db/engine/engine.hpp"

#include <filesystem>
#include <memory>
#include <string_view>

struct sqlite3;

namespace abgleich::db::sqlite {

/// Makes `file` (mode 0600) a copy of the whole database, as the connection's transaction sees it.
/// Throws Failure{out_of_space}, or Failure{try_again} with the name of SQLite's result.
void copy_database(sqlite3* from, const std::filesystem::path& file);

/// See Backend::restore_copy.
std::unique_ptr<RestoredCopy> restore_file(const CopyToRestore& copy);

}  // namespace abgleich::db::sqlite
