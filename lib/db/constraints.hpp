// What the secondary's own constraints make of a table's rows: which columns are unique, what they
// refer to, and whose rows hang on them. People declare them, so every run reads them anew.
#pragma once

#include "core/catalog.hpp"
#include "db/session.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace abgleich::db {

/// A foreign key by which rows of another table (or the same one) hang on a table's rows and change
/// with them.
struct Dependant {
  enum class Effect : std::uint8_t {
    none,     // NO ACTION, RESTRICT: the database refuses
    follows,  // ON UPDATE CASCADE: the reference goes on pointing to the same row
    loses,    // ON DELETE CASCADE, SET NULL, SET DEFAULT: a row or a value vanishes
  };
  std::string schema;                   // empty in SQLite
  std::string table;                    // the one that hangs on the other
  std::vector<std::string> columns;     // its columns
  std::vector<std::string> referenced;  // and the other's
  // PostgreSQL: how the key compares each, and what goes behind a column of another collation
  std::vector<std::string> equal{};
  std::vector<std::string> collations{};
  Effect on_delete = Effect::none;
  Effect on_update = Effect::none;
  bool readable = true;  // by this role
};

/// The dependants of every table of the session's schema, by its name; only those with an effect.
std::map<std::string, std::vector<Dependant>> read_dependants(Session& session,
                                                              const Catalog& catalog);

/// The columns of every unique index and exclusion constraint of a table over plain columns, those
/// with a WHERE included.
std::vector<std::vector<std::string>> read_uniques(Session& session, const std::string& table);

}  // namespace abgleich::db
