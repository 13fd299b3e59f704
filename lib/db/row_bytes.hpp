// A row of the secondary as bytes that are equal only where all of its cells are: whole rows are
// compared faster than cells. PostgreSQL's are those in which COPY hands the row over, so that what
// is read need not be taken apart.
#pragma once

#include "core/value.hpp"
#include "db/dialect.hpp"
#include "db/relation.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// Makes the bytes of one relation's rows, one after the other, reusing its memory.
class RowBytes {
 public:
  /// REQUIRES: `held` is filled in.
  RowBytes(const Dialect& dialect, const Relation& relation);

  /// Of a row in the form in which the secondary gives it back (Dialect::fit); valid until the next
  /// call. Equal rows may have different bytes, where a type has several texts for a value.
  std::string_view of(const Row& row);

  /// Whether they are what COPY hands over.
  [[nodiscard]] bool as_copied() const { return as_copied_; }

 private:
  bool as_copied_;
  std::vector<std::size_t> order_;
  std::vector<Cell> cells_;
  std::string bytes_;
};

}  // namespace abgleich::db
