// Rows in the order of their keys, however many: what is more than a few mebibytes waits on disk,
// encrypted, in files that have no name and end with the process.
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
  /// The files are made in `directory`. Up to `memory` bytes of rows are held at a time, and one
  /// row, however large it is.
  explicit SortedRows(std::filesystem::path directory, std::size_t memory = kMemory);
  SortedRows(const SortedRows&) = delete;
  SortedRows& operator=(const SortedRows&) = delete;
  ~SortedRows();

  /// `key`: rows come in the order of its bytes. Throws RowsNotKept.
  void add(std::string_view key, std::span<const Cell> cells);
  /// Gives every row once; its cells live until the next one. Throws RowsNotKept, and what `on_row`
  /// throws. Nothing is added or taken afterwards.
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
  /// Writes what is held to a file of its own.
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
