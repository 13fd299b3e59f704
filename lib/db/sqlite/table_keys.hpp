// Constraints of a table that is there: SQLite has no statement for them, but the text by which it
// remembers the table can be edited (table_definition.hpp).
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <string>
#include <vector>

namespace abgleich::db::sqlite {

bool is_ours(const Session& session, const std::string& table, const CatalogForeignKey& key);
/// Empty where the definition is not written as this program writes its own.
std::vector<std::string> add_key(const Session& session, const Relation& relation,
                                 const RelationForeignKey& key);
/// The primary key that is outgrown with them, by one change of the definition.
std::vector<std::string> drop_keys(const Session& session, const TableKeys& keys);
std::vector<std::string> put_back_keys(const Session& session, const TableKeys& keys);

}  // namespace abgleich::db::sqlite
