#include "db/secondary/row_bytes.hpp"

#include "core/digest.hpp"

#include <algorithm>

namespace abgleich::db {

RowBytes::RowBytes(const Dialect& dialect, const Relation& relation)
    : lines_(dialect.row_lines()), order_(relation.key_first()), cells_(order_.size()) {
  // a server prints a real in another way than its canonical form
  if (std::ranges::any_of(relation.columns, [](const RelationColumn& column) {
        return column.stored.family == Family::real;
      })) {
    lines_ = nullptr;
  }
}

std::string_view RowBytes::of(const Row& row) {
  bytes_.clear();
  if (lines_ == nullptr) {
    for (const auto& cell : row.cells) {
      append_key_bytes(cell, bytes_);
    }
    return bytes_;
  }
  for (std::size_t at = 0; at < order_.size(); ++at) {
    // the cell that `Dialect::encode` would make
    const auto& cell = row.cells[order_[at]];
    cells_[at] = cell.is_null()               ? Cell{}
                 : cell.kind() == Kind::bytes ? Cell{Cell::Storage::blob, cell.bytes()}
                                              : text_cell(cell.bytes());
  }
  lines_->append(cells_, bytes_);
  return bytes_;
}

}  // namespace abgleich::db
