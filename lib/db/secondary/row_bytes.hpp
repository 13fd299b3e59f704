// A row of the secondary as bytes that are equal only where all of its cells are: whole rows are
// compared faster than cells. Where the engine hands rows over as lines (Dialect::row_lines), these
// bytes are such a line, so that rows that are read need not be split into cells.
#pragma once

#include "core/value.hpp"
#include "db/engine/dialect.hpp"
#include "db/engine/relation.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// Makes the bytes of one relation's rows, one after the other, reusing its memory.
class RowBytes {
 public:
  /// `relation`: as it was located in the secondary.
  RowBytes(const Dialect& dialect, const Relation& relation);

  /// Of a row in the form in which the secondary gives it back (Dialect::fit); valid until the next
  /// call. Equal rows may have different bytes, where a type has several texts for a value.
  std::string_view of(const Row& row);

  /// Not null where the bytes are the lines that the engine hands over.
  [[nodiscard]] const RowLines* lines() const { return lines_; }

 private:
  const RowLines* lines_;
  std::vector<std::size_t> order_;
  std::vector<Cell> cells_;
  std::string bytes_;
};

}  // namespace abgleich::db
