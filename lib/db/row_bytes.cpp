#include "db/row_bytes.hpp"

#include "core/digest.hpp"
#include "db/base_statements.hpp"
#include "db/postgresql/copy_text.hpp"
#include "db/target.hpp"

#include <algorithm>
#include <span>

namespace abgleich::db {

RowBytes::RowBytes(const Dialect& dialect, const Relation& relation)
    :  // how a server prints a real is not how its canonical form is written
      as_copied_(dialect.engine() == Engine::postgresql &&
                 std::ranges::none_of(relation.columns,
                                      [](const RelationColumn& column) {
                                        return column.held.family == Family::real;
                                      })),
      order_(relation.key_first()),
      cells_(order_.size()) {}

std::string_view RowBytes::of(const Row& row) {
  bytes_.clear();
  if (!as_copied_) {
    for (const auto& cell : row.cells) {
      append_key_bytes(cell, bytes_);
    }
    return bytes_;
  }
  for (std::size_t at = 0; at < order_.size(); ++at) {
    // what `Dialect::encode` makes of it
    const auto& cell = row.cells[order_[at]];
    cells_[at] = cell.is_null()               ? Cell{}
                 : cell.kind() == Kind::bytes ? Cell{Cell::Storage::blob, cell.bytes()}
                                              : text_cell(cell.bytes());
  }
  postgresql::append_copy_line(cells_, bytes_);
  return bytes_;
}

void Target::read_data(const Relation& relation, const OnData& on_row) {
  const auto sql = select_data(dialect(), names(relation), relation);
  RowBytes bytes(dialect(), relation);
  Row row;
  std::vector<Cell> cells;
  if (!bytes.as_copied()) {
    const auto order = relation.key_first();
    cells.resize(order.size());
    session_.connection->read(sql, [&](std::span<const Cell> found) {
      for (std::size_t i = 0; i < order.size(); ++i) {
        cells[order[i]] = found[i];
      }
      decode_row(relation, cells, row);
      on_row(row, bytes.of(row));
    });
    return;
  }
  std::string key;
  session_.connection->read_unknown(
      sql, {.keys = relation.key.size()},
      [&](std::string_view /*place*/, std::string_view fields, std::string_view copied) {
        key = fields;  // to be taken apart in place
        postgresql::split_copy_line(key, cells);
        decode_key(relation, cells, row);
        on_row(row, copied);
        return true;
      },
      {});
}

}  // namespace abgleich::db
