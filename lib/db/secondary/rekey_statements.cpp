#include "db/secondary/rekey_statements.hpp"

#include "db/engine/clauses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

bool is_integer(const RekeyWork& work, std::size_t column) {
  return std::ranges::find(work.integers, column) != work.integers.end();
}

/// The value of a column after the first step. An integer pseudonym then has a value that no other
/// row has.
std::string aside(const Dialect& dialect, const RekeyWork& work, std::size_t column) {
  if (!is_integer(work, column)) {
    return fmt::format("r.c{}", column);
  }
  return fmt::format("CASE WHEN r.c{0} {1} 0 THEN -1 {2} r.c{0} ELSE r.c{0} END", column,
                     dialect.operation(">="), dialect.operation("-"));
}

std::string update(const Dialect& dialect, const RekeyWork& work, RekeyStep step) {
  const auto& relation = *work.relation;
  const auto& columns = step == RekeyStep::aside ? work.columns : work.integers;
  std::string set;
  for (const auto i : columns) {
    set +=
        fmt::format("{}{} = {}", set.empty() ? "" : ", ", dialect.quote(relation.columns[i].name),
                    step == RekeyStep::aside && is_integer(work, i) ? aside(dialect, work, i)
                                                                    : value_for("r.", relation, i));
  }
  std::string where;
  for (const auto i : relation.key) {
    const auto& column = relation.columns[i];
    where += " AND " + same_value(dialect, column,
                                  step == RekeyStep::aside ? fmt::format("r.k{}", i)
                                                           : aside(dialect, work, i),
                                  "t." + dialect.quote(column.name));
  }
  return dialect.update_from({.table = work.data,
                              .alias = "t",
                              .set = set,
                              .from = rekey_name(dialect, relation) + " r",
                              .where = fmt::format("r.in_data {} 1{}", equal(dialect), where),
                              .of_people = true});
}

std::string index_name(const RekeyWork& work, std::size_t key) {
  return fmt::format("abgleich_rekey_{}_{}", work.relation->id, key);
}

}  // namespace

std::string create_key_index(const Dialect& dialect, const RekeyWork& work, std::size_t key) {
  std::string columns;
  for (const auto i : work.relation->foreign_keys[key].columns) {
    columns += (columns.empty() ? "" : ", ") + dialect.quote(work.relation->columns[i].name);
  }
  return fmt::format("CREATE INDEX {} ON {} ({})", dialect.quote(index_name(work, key)), work.data,
                     columns);
}

std::string drop_key_index(const Dialect& dialect, const std::string& schema, const RekeyWork& work,
                           std::size_t key) {
  return "DROP INDEX " + dialect.table(schema, index_name(work, key));
}

std::string rekey_name(const Dialect& dialect, const Relation& relation) {
  return temporary_name(dialect, "rekey", relation.id);
}

std::string create_rekey(const Dialect& dialect, const Relation& relation) {
  std::string columns;
  for (const auto i : relation.key) {
    columns += fmt::format("k{} {}, ", i, key_type(dialect, relation.columns[i]));
  }
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    columns +=
        fmt::format("c{} {}, ", i,
                    relation.is_key(i) ? key_type(dialect, column) : stored_type(dialect, column));
  }
  return fmt::format("CREATE TEMPORARY TABLE {} ({}in_data integer NOT NULL, cells {}{}",
                     rekey_name(dialect, relation), columns, dialect.blob_type(),
                     table_end(dialect, Lifetime::temporary));
}

std::vector<std::string> rekey_columns(const Relation& relation) {
  std::vector<std::string> columns;
  for (const auto i : relation.key) {
    columns.push_back(fmt::format("k{}", i));
  }
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns.push_back(fmt::format("c{}", i));
  }
  columns.emplace_back("in_data");
  columns.emplace_back("cells");
  return columns;
}

std::string finish_rekey(const Dialect& dialect, const Relation& relation) {
  std::string key;
  for (const auto i : relation.key) {
    key += fmt::format("{}k{}", key.empty() ? "" : ", ", i);
  }
  return dialect.ready_to_join(rekey_name(dialect, relation), key, {});
}

RekeyUpdates rekey_data(const Dialect& dialect, const std::vector<RekeyWork>& work,
                        RekeyStep step) {
  std::vector<std::string> updates;
  for (const auto& one : work) {
    if (!(step == RekeyStep::aside ? one.columns : one.integers).empty()) {
      updates.push_back(update(dialect, one, step));
    }
  }
  if (updates.empty()) {
    return {};
  }
  if (auto all = dialect.all_in_one(updates); !all.empty()) {
    return {.statements = {std::move(all)}, .counted = true};
  }
  std::ranges::reverse(updates);  // children first: `work` has the parents first
  return {.statements = std::move(updates)};
}

std::string count_rekeyed(const Dialect& dialect, const Relation& relation) {
  return fmt::format("SELECT count(*) FROM {} WHERE in_data = 1", rekey_name(dialect, relation));
}

std::string select_distinct(const Dialect& dialect, const std::string& data,
                            const CatalogColumn& column) {
  const auto name = dialect.quote(column.name);
  return fmt::format("SELECT DISTINCT {} FROM {} t WHERE t.{} IS NOT NULL",
                     dialect.text_bytes("t." + name), data, name);
}

std::string create_kept_map(const Dialect& dialect, const std::string& map) {
  return fmt::format("CREATE TEMPORARY TABLE {0} (was {1}, now {1}{2}", map,
                     dialect.key_text_type(), table_end(dialect, Lifetime::temporary));
}

std::string rekey_kept_column(const Dialect& dialect, const std::string& data,
                              const CatalogColumn& column, const std::string& map) {
  const auto name = dialect.quote(column.name);
  return dialect.update_from(
      {.table = data,
       .alias = "t",
       .set = fmt::format("{} = {}", name, dialect.cast("m.now", column.type.native)),
       .from = map + " m",
       .where = fmt::format("{} {} m.was", dialect.text_bytes("t." + name), equal(dialect)),
       .of_people = true});
}

std::string clear_base(const RekeyWork& work) {
  return "DELETE FROM " + work.base;
}

std::string fill_base(const Dialect& dialect, const RekeyWork& work, const Relation& by) {
  std::string base_key;
  std::string key;
  for (std::size_t i = 0; i < by.key.size(); ++i) {
    base_key += fmt::format("k{}, ", i);
    key += fmt::format("c{}, ", by.key[i]);
  }
  return fmt::format(
      "INSERT INTO {} ({}cells) SELECT {}cells FROM {} WHERE cells IS NOT NULL ORDER BY {}",
      work.base, base_key, key, rekey_name(dialect, *work.relation), key_order(dialect, "", by));
}

}  // namespace abgleich::db
