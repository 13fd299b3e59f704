#include "db/secondary/secondary_constraints.hpp"

#include "db/engine/engine.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::db {

namespace {

/// Whether a change of a table was refused because of the table itself: its rows, types or rights,
/// or a key that a foreign key would refer to and that is not there.
bool is_refusal(const Backend& backend, const Fault& fault) {
  return fault.cause() == Fault::Cause::constraint || fault.cause() == Fault::Cause::data ||
         fault.cause() == Fault::Cause::rights || fault.cause() == Fault::Cause::missing ||
         backend.refuses_definition(fault);
}

/// Columns that are NOT NULL in the primary from now on and may still be NULL in the secondary,
/// where that can be changed.
std::vector<std::string> loose_columns(const Dialect& dialect, const Catalog& catalog,
                                       const Relation& relation) {
  std::vector<std::string> loose;
  const auto* table = catalog.find_table(relation.name);
  for (const auto& column : relation.columns) {
    const auto* there = table == nullptr ? nullptr : table->find_column(column.name);
    if (column.tightened && there != nullptr && there->nullable &&
        dialect.traits().alters_columns) {
      loose.push_back(column.name);
    }
  }
  return loose;
}

}  // namespace

bool SecondaryConstraints::is_ours(const std::string& table, const CatalogForeignKey& key) const {
  return target_.backend().is_ours(target_.session(), table, key);
}

std::vector<std::string> SecondaryConstraints::new_key_ddl(const Relation& relation,
                                                           std::size_t key) const {
  return target_.backend().add_key(target_.session(), relation, relation.foreign_keys[key]);
}

bool SecondaryConstraints::keeps(const Relation& relation, const RelationForeignKey& key) {
  return target_.catalog().find_table(relation.name) != nullptr &&
         target_.catalog().find_table(key.table) != nullptr &&
         target_.count(count_orphans(target_.dialect(), target_.session().schema, relation, key)) ==
             0;
}

std::vector<std::string> SecondaryConstraints::lacking(
    const std::vector<LocatedRelation>& relations) {
  std::vector<std::string> ddl;
  for (const auto& relation : relations) {
    for (const auto key : relation.new_keys) {
      if (keeps(relation, relation.foreign_keys[key])) {
        std::ranges::move(new_key_ddl(relation, key), std::back_inserter(ddl));
      }
    }
    const auto table = target_.dialect().table(target_.session().schema, relation.name);
    for (const auto& column : loose_columns(target_.dialect(), target_.catalog(), relation)) {
      if (target_.count(fmt::format("SELECT count(*) FROM {} WHERE {} IS NULL", table,
                                    target_.dialect().quote(column))) == 0) {
        ddl.push_back(set_not_null(target_.dialect(), table, column));
      }
    }
  }
  return ddl;
}

bool SecondaryConstraints::try_ddl(const std::vector<std::string>& statements) {
  auto& connection = target_.connection();
  connection.execute("SAVEPOINT ddl");
  bool done = !statements.empty();
  try {
    connection.edit_definitions([&] {
      for (const auto& sql : statements) {
        connection.execute(sql);
      }
    });
  } catch (const Fault& fault) {
    if (!is_refusal(target_.backend(), fault)) {
      throw;
    }
    connection.execute("ROLLBACK TO SAVEPOINT ddl");
    done = false;
  }
  connection.execute("RELEASE SAVEPOINT ddl");
  return done;
}

std::vector<std::string> SecondaryConstraints::add(const std::vector<LocatedRelation>& relations) {
  std::vector<std::string> executed;
  const auto execute = [&](const std::vector<std::string>& statements) {
    if (try_ddl(statements)) {
      executed.insert(executed.end(), statements.begin(), statements.end());
    }
  };
  for (const auto& relation : relations) {
    for (const auto key : relation.new_keys) {
      if (keeps(relation, relation.foreign_keys[key])) {
        execute(new_key_ddl(relation, key));
      }
    }
    for (const auto& column : loose_columns(target_.dialect(), target_.catalog(), relation)) {
      execute(
          {set_not_null(target_.dialect(),
                        target_.dialect().table(target_.session().schema, relation.name), column)});
    }
  }
  if (!executed.empty()) {
    target_.load_catalog();
  }
  return executed;
}

}  // namespace abgleich::db
