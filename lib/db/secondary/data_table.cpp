#include "db/secondary/data_table.hpp"

#include "db/engine/clauses.hpp"
#include "db/engine/engine.hpp"
#include "db/secondary/base_statements.hpp"
#include "db/secondary/plan_statements.hpp"
#include "db/secondary/row_bytes.hpp"
#include "db/secondary/row_cells.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/secondary/target.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace abgleich::db {

DataTable::DataTable(Target& target, const LocatedRelation& relation)
    : target_(target), relation_(relation) {}

bool DataTable::is_empty() {
  return target_.count(count_to_one(target_.stand_ins().names(relation_).data)) == 0;
}

bool DataTable::stores_as_sent() {
  const auto* table = target_.catalog().find_table(relation_.name);
  if (!target_.dialect().stores_as_sent() || table == nullptr ||
      target_.stand_ins().has_data(relation_) || table->kind != TableKind::table ||
      table->triggers || table->row_security ||
      std::ranges::any_of(relation_.columns, [](const RelationColumn& column) {
        return column.type != column.stored;
      })) {
    return false;
  }
  for (const auto& [parent, hanging] : target_.all_dependants()) {
    if (std::ranges::any_of(hanging, [&](const Dependant& dependant) {
          return dependant.table == relation_.name && dependant.schema == target_.session().schema;
        })) {
      return false;
    }
  }
  return !target_.backend().has_heirs(target_.session(), *table);
}

std::optional<Row> DataTable::find(const Row& key) {
  const auto& dialect = target_.dialect();
  std::optional<Row> row;
  std::vector<std::string> scratch;
  const auto cells = key_cells(dialect, relation_, key, scratch);
  target_.connection().query(select_row(dialect, target_.stand_ins().names(relation_), relation_),
                             cells, [&](std::span<const Cell> found) {
                               row.emplace();
                               decode_row(dialect, relation_, found, *row);
                             });
  return row;
}

void DataTable::read(const OnRow& on_row) {
  const auto& dialect = target_.dialect();
  const auto sql = select_data(dialect, target_.stand_ins().names(relation_), relation_);
  RowBytes bytes(dialect, relation_);
  Row row;
  std::vector<Cell> cells;
  const auto* lines = bytes.lines();
  if (lines == nullptr) {
    const auto order = relation_.key_first();
    cells.resize(order.size());
    target_.connection().read(sql, [&](std::span<const Cell> found) {
      for (std::size_t i = 0; i < order.size(); ++i) {
        cells[order[i]] = found[i];
      }
      decode_row(dialect, relation_, cells, row);
      on_row(row, bytes.of(row));
    });
    return;
  }
  std::string key;
  target_.connection().read_unknown(
      sql, {.keys = relation_.key.size()},
      [&](std::string_view /*place*/, std::string_view fields, std::string_view copied) {
        key = fields;  // a copy: `split` works in place
        lines->split(key, cells);
        decode_key(dialect, relation_, cells, row);
        on_row(row, copied);
        return true;
      },
      {});
}

void DataTable::empty_column(const std::string& column) {
  const auto* table = target_.catalog().find_table(relation_.name);
  if (table != nullptr && table->find_column(column) != nullptr) {
    const auto& dialect = target_.dialect();
    target_.write(db::empty_column(dialect, dialect.table(target_.session().schema, relation_.name),
                                   column, relation_));
  }
}

std::string DataTable::lay_down() {
  const auto* table = target_.catalog().find_table(relation_.name);
  if (table == nullptr || table->kind != TableKind::table ||
      target_.stand_ins().has_data(relation_)) {
    return {};
  }
  const auto& dialect = target_.dialect();
  RowsToLayDown rows{.table = target_.stand_ins().names(relation_).data,
                     .name = relation_.name,
                     .people_have = table,
                     .key = {},
                     .order = data_key_order(dialect, "", relation_),
                     .temporary = temporary_name(dialect, "order", target_.next_temporary())};
  for (const auto i : relation_.key) {
    rows.key.push_back(relation_.columns[i].name);
  }
  return target_.backend().lay_down(target_.session(), rows);
}

}  // namespace abgleich::db
