// The rows of one batch for COPY … FROM STDIN: in binary, or, where a type or a value has no binary
// form, as text.
#pragma once

#include "db/postgresql/copy_binary.hpp"
#include "db/postgresql/postgres_connection.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// Rows of one format.
class CopyRows {
 public:
  /// `copy`: the statement. `forms`: of its columns; empty: the rows are sent as text.
  CopyRows(std::string copy, std::vector<BinaryForm> forms);

  /// False, and nothing is appended: a cell has no binary form.
  [[nodiscard]] bool add(std::span<const Cell> row);

  [[nodiscard]] const std::string& statement() const { return copy_; }
  [[nodiscard]] std::size_t rows() const { return starts_.size(); }
  [[nodiscard]] std::size_t size() const { return buffer_.size(); }  // bytes

  /// What is sent after the statement, for the rows from `first` to before `last`. It points into
  /// this or into `scratch`.
  [[nodiscard]] std::string_view bytes(std::size_t first, std::size_t last, std::string& scratch);
  /// The same for all rows; afterwards there are none here.
  [[nodiscard]] std::string take();
  /// Uses the memory of `buffer` for the next rows.
  void reuse(std::string&& buffer);
  void clear();

 private:
  std::string copy_;
  std::vector<BinaryForm> forms_;
  bool closed_ = false;  // the trailer is there
  std::string buffer_;
  std::vector<std::size_t> starts_;  // of the rows
};

/// A batch in two parts: the rows that are sent in binary, and the others.
class CopyBatches {
 public:
  /// REQUIRES: `connection` outlives this.
  CopyBatches(PostgresConnection& connection, std::string_view table,
              const std::vector<std::string>& columns);

  /// Appends a row; returns which of `both` got it. With the first row, asks the server for the
  /// types of the columns.
  std::size_t add(std::span<const Cell> row);
  [[nodiscard]] std::span<CopyRows> both() { return both_; }
  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t size() const;  // bytes
  void clear();

 private:
  PostgresConnection& connection_;
  std::string table_;
  std::string columns_;  // separated by commas
  std::size_t width_;
  std::vector<CopyRows> both_;  // binary where all types have forms, and text
};

}  // namespace abgleich::db::postgresql
