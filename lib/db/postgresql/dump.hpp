// Copies of a PostgreSQL secondary: pg_dump's custom format, in the snapshot of the session that
// asks for it, and a database beside the original that pg_restore fills.
#pragma once

#include "db/engine/engine.hpp"

#include <filesystem>
#include <memory>
#include <set>
#include <string>

namespace abgleich::db::postgresql {

/// See Backend::copy_out.
void dump(Session& session, const std::set<std::string>& tables, const std::filesystem::path& file);

/// See Backend::restore_copy.
std::unique_ptr<RestoredCopy> restore_dump(const CopyToRestore& copy);

/// What pg_restore shall restore: the archive's list of contents without what every database has
/// (the schema public, the language plpgsql), and without comments on these.
std::string list_to_restore(std::string_view contents);

}  // namespace abgleich::db::postgresql
