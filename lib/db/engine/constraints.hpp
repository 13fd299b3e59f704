// What the secondary's own constraints demand of a table's rows: which columns are unique, and
// which rows refer to them. People declare them, so every run reads them again.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace abgleich::db {

/// A foreign key by which rows of another table (or the same one) refer to a table's rows and
/// change with them.
struct Dependant {
  enum class Effect : std::uint8_t {
    none,     // NO ACTION, RESTRICT: the database refuses
    follows,  // ON UPDATE CASCADE: the reference goes on pointing to the same row
    loses,    // ON DELETE CASCADE, SET NULL, SET DEFAULT: a row or a value vanishes
  };
  std::string schema;                   // empty where there are none
  std::string table;                    // the referring one
  std::vector<std::string> columns;     // its columns
  std::vector<std::string> referenced;  // the columns that they refer to
  // Of each column: the operator by which the key compares, empty for "="; and the COLLATE clause,
  // where the referenced column's collation has to be named (see Dialect::same_collated).
  std::vector<std::string> equal{};
  std::vector<std::string> collations{};
  Effect on_delete = Effect::none;
  Effect on_update = Effect::none;
  bool readable = true;  // by this role
};

/// The dependants of every table of the session's schema, by its name. Only those with an effect:
/// foreign keys that refuse every change are left out.
using Dependants = std::map<std::string, std::vector<Dependant>>;
Dependants read_dependants(Session& session, const Catalog& catalog);

/// The columns of every unique index and exclusion constraint of a table over plain columns, those
/// with a WHERE included.
std::vector<std::vector<std::string>> read_uniques(Session& session, const std::string& table);

}  // namespace abgleich::db
