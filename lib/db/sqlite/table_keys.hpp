// Adds and drops constraints of an existing table. SQLite has no statement for that, but the text
// of the table's definition can be edited (table_definition.hpp). See Backend.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <string>
#include <vector>

namespace abgleich::db::sqlite {

bool is_ours(const Session& session, const std::string& table, const CatalogForeignKey& key);
/// Empty where the table is not defined by a list of columns.
std::vector<std::string> add_key(const Session& session, const Relation& relation,
                                 const RelationForeignKey& key);
/// Also drops the outgrown primary key, by the same change of the definition. Drops only what is
/// written as this program writes its own.
std::vector<std::string> drop_keys(const Session& session, const TableKeys& keys);
std::vector<std::string> put_back_keys(const Session& session, const TableKeys& keys);

}  // namespace abgleich::db::sqlite
