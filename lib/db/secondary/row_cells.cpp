#include "db/secondary/row_cells.hpp"

namespace abgleich::db {

const Type& read_as(const Dialect& dialect, const RelationColumn& column) {
  return dialect.traits().has_strict_types ? column.stored : column.type;
}

void decode_row(const Dialect& dialect, const Relation& relation, std::span<const Cell> cells,
                Row& row) {
  row.cells.resize(relation.columns.size());
  std::string scratch;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (cells[i].storage == Cell::Storage::null) {
      row.cells[i].set_null();
      continue;
    }
    const auto value = dialect.decode(read_as(dialect, relation.columns[i]), cells[i], scratch);
    row.cells[i].set(value.kind, value.bytes);
  }
}

void decode_key(const Dialect& dialect, const Relation& relation, std::span<const Cell> cells,
                Row& row) {
  row.cells.resize(relation.columns.size());
  std::string scratch;
  for (std::size_t i = 0; i < relation.key.size(); ++i) {
    const auto at = relation.key[i];
    const auto value = dialect.decode(read_as(dialect, relation.columns[at]), cells[i], scratch);
    row.cells[at].set(value.kind, value.bytes);
  }
}

void encode_row(const Dialect& dialect, const Relation& relation, const Row& row,
                std::vector<Cell>& cells, std::vector<std::string>& scratch) {
  scratch.resize(relation.columns.size());
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    cells.push_back(row.cells[i].is_null()
                        ? Cell{}
                        : dialect.encode(relation.columns[i].type, row.cells[i], scratch[i]));
  }
}

std::vector<Cell> key_cells(const Dialect& dialect, const Relation& relation, const Row& key,
                            std::vector<std::string>& scratch) {
  std::vector<Cell> cells;
  scratch.resize(relation.key.size());
  for (std::size_t i = 0; i < relation.key.size(); ++i) {
    const auto at = relation.key[i];
    cells.push_back(dialect.encode(relation.columns[at].type, key.cells[at], scratch[i]));
  }
  return cells;
}

Cell blob_or_null(std::string_view bytes) {
  return bytes.empty() ? Cell{} : Cell{Cell::Storage::blob, bytes};
}

std::string_view packed_or_empty(const Dialect& dialect, const Cell& cell, std::string& scratch) {
  return cell.storage == Cell::Storage::null ? std::string_view() : packed(dialect, cell, scratch);
}

}  // namespace abgleich::db
