// The rights of a pairing's roles as SQL, with comments for whoever runs it.
#pragma once

#include "core/catalog.hpp"
#include "core/error.hpp"
#include "db/engine/grants.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::report {

/// Statements, each on its line, and comments. `database` is "primary" or "secondary"; `grants` is
/// empty where the database has no roles.
std::string text_of(std::string_view database, const std::optional<db::Grants>& grants);

/// What could be learnt of one side.
struct Rights {
  std::string_view database;  // "primary" or "secondary"
  std::optional<db::Grants> grants;
  DatabaseIdentity identity;
  std::optional<Error> unknown;  // why nothing could be learnt
};

/// The file grants.sql: both sides for psql, each part for its own database only.
std::string grants_file(const Rights& primary, const Rights& secondary);
/// Whether a file is one of these, of whatever contract.
bool is_grants_file(std::string_view text);

}  // namespace abgleich::report
