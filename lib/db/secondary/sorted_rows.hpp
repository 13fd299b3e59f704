// Rows in the order of their keys, however many there are: what is more than a few mebibytes waits
// on disk, encrypted, in files that have no name and vanish with the process.
#pragma once

#include "core/locked_memory.hpp"
#include "db/engine/connection.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// The disk does not take the rows, or does not give them back as they were.
class RowsNotKept : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class SortedRows {
 public:
  /// The files are made in `directory`. At most about `memory` bytes of rows are in memory at a
  /// time, or one row that is larger.
  explicit SortedRows(std::filesystem::path directory, std::size_t memory = kMemory);
  SortedRows(const SortedRows&) = delete;
  SortedRows& operator=(const SortedRows&) = delete;
  ~SortedRows();

  /// `key`: `take` gives the rows in the order of its bytes. Throws RowsNotKept.
  void add(std::string_view key, std::span<const Cell> cells);
  /// Gives every row once; its cells are valid during the call. Throws RowsNotKept, and what
  /// `on_row` throws. Nothing can be added or taken afterwards.
  void take(const std::function<void(std::span<const Cell>)>& on_row);

 private:
  static constexpr std::size_t kMemory = std::size_t{4} << 20U;

  using Key = Locked<std::array<std::uint8_t, 32>>;
  using OnRecord = std::function<void(std::string_view)>;
  /// A record in `buffer_`, with the first bytes of its key.
  struct Place {
    std::uint64_t first = 0;
    std::size_t at = 0;
  };
  class File;
  class Writer;
  class Reader;

  void sort();
  /// Writes the rows that are in memory to a file of their own.
  void spill();
  void keep(File&& file, std::size_t level);
  void merge(std::vector<File> files, const OnRecord& on_record) const;

  std::filesystem::path directory_;
  std::size_t memory_;
  Key key_;
  std::uint32_t files_made_ = 0;
  std::string buffer_;  // records
  std::vector<Place> places_;
  std::vector<std::vector<File>> levels_;  // the files of a level were merged from the one below
};

}  // namespace abgleich::db
