#include "db/engine/engine.hpp"

#include "db/engine/clauses.hpp"
#include "db/postgresql/postgresql.hpp"
#include "db/primary/readers.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/sqlite/sqlite.hpp"

#include <fmt/format.h>

namespace abgleich::db {

const Backend& backend(Engine engine) {
  switch (engine) {
    case Engine::postgresql:
      return postgresql::backend();
    case Engine::sqlite:
      return sqlite::backend();
  }
  throw Failure(Code::bug, "an engine that nobody knows");
}

const Dialect& dialect(Engine engine) {
  return backend(engine).dialect();
}

Fault Backend::locked(Session& /*session*/, const std::string& table) const {
  return {Fault::Cause::unreachable,
          {},
          Error{.code = Code::try_again,
                .message = fmt::format("'{}' of the primary is locked by somebody else", table),
                .hint = "run the same command again when it is free"}};
}

std::unique_ptr<Readers> Backend::readers(const Endpoint& /*endpoint*/,
                                          Session& /*session*/) const {
  return nullptr;
}

// The defaults for an engine that adds and drops constraints by ALTER TABLE.

std::vector<std::string> Backend::add_key(const Session& session, const Relation& relation,
                                          const RelationForeignKey& key) const {
  return {add_foreign_key(dialect(), session.schema, relation, key)};
}

std::vector<std::string> Backend::drop_keys(const Session& session, const TableKeys& keys) const {
  std::vector<std::string> ddl;
  for (const auto& key : keys.relation->lost_keys) {
    ddl.push_back(drop_constraint(dialect(), session.schema, keys.table->name, key.name));
  }
  return ddl;
}

std::vector<std::string> Backend::drop_outgrown_key(const Session& session,
                                                    const TableKeys& keys) const {
  if (keys.outgrown == nullptr) {
    return {};
  }
  return {drop_constraint(dialect(), session.schema, keys.table->name, keys.outgrown->name)};
}

std::vector<std::string> Backend::put_back_keys(const Session& session,
                                                const TableKeys& keys) const {
  std::vector<std::string> ddl;
  const auto add = [&](const std::string& name, const std::string& clause) {
    ddl.push_back(add_constraint(dialect(), session.schema, keys.table->name, name, clause));
  };
  if (keys.outgrown != nullptr) {
    const auto& columns = keys.outgrown->columns;
    add(keys.outgrown->name,
        fmt::format("PRIMARY KEY ({})", list(columns.size(), [&](std::size_t i) {
                      return dialect().quote(columns[i]);
                    })));
  }
  for (const auto& key : keys.relation->lost_keys) {
    add(key.name, foreign_key(dialect(), session.schema, key.columns, key.table, key.referenced));
  }
  return ddl;
}

}  // namespace abgleich::db
