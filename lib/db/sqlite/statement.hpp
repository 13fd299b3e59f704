// One prepared statement on SQLite's own interface: cells in and out by storage class.
#pragma once

#include "db/engine/connection.hpp"
#include "db/sqlite/database_file.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3_stmt;

namespace abgleich::db::sqlite {

class Statement {
 public:
  /// Prepares one statement; throws Fault, and Failure{bug} where there are several. `file`
  /// outlives this.
  Statement(DatabaseFile& file, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  /// Binds $1, $2, … The bytes are not copied: they have to live until `reset` or the destructor.
  void bind(std::span<const Cell> parameters);

  /// Whether there is a row. Throws Fault.
  bool step();

  /// The row that `step` found, valid until the next `step` or `reset`.
  std::span<const Cell> row();

  /// Appends the row's columns from `first` on as they are stored (type, length, bytes), which is
  /// faster than `row`; the same values give the same bytes. Returns how many bytes the first
  /// `keys` of these columns have.
  std::size_t append_stored(std::size_t first, std::size_t keys, std::string& out);

  /// Makes the statement ready to be bound and run again.
  void reset() noexcept;

 private:
  void bind_cell(int position, const Cell& cell);
  std::string_view text_of(int column, std::string& converted);

  DatabaseFile& file_;
  sqlite3_stmt* raw_ = nullptr;
  std::optional<DatabaseFile::Clock::time_point> deadline_;  // while it runs
  std::vector<int> positions_;                               // of $1, $2, … as SQLite counts them
  std::vector<Cell> cells_;
  std::vector<std::string> scratch_;  // for converted cells, one per column
};

}  // namespace abgleich::db::sqlite
