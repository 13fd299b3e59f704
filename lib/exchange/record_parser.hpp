// Reads the rows of a bundle from bytes that come piece by piece (schemas/bundle.md, section 5).
#pragma once

#include "exchange/manifest.hpp"
#include "exchange/record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

/// Holds one record. No two streams of bytes give the same records. Nothing may be asked of it
/// after it has thrown.
class RecordParser {
 public:
  /// `on_record` gets each record as soon as it is complete; exceptions that it throws are passed
  /// on. REQUIRES: `flaw_of(tables)` is empty; they outlive the parser and do not change.
  RecordParser(const std::vector<SentTable>& tables, OnRecord on_record);

  /// Throws NotApplied: `too_large` where there are more rows than the table says, or a record is
  /// too large, as soon as that is seen; `malformed` for everything else that is wrong.
  void add(std::span<const std::uint8_t> bytes);
  /// Throws NotApplied{malformed} where the end of the records was not seen.
  void finish() const;

 private:
  enum class Step : std::uint8_t { mark, table, cell_head, cell, ended };
  struct Count {
    std::uint64_t rows = 0;
    std::uint64_t gone = 0;
  };

  void take_mark(char mark);
  void begin_record(Record::What what);
  void end_records();
  std::size_t take_head(std::span<const std::uint8_t> bytes, std::size_t size);
  void begin_table();
  void begin_cell();
  std::size_t take_cell(std::span<const std::uint8_t> bytes);
  void end_cell(std::string_view bytes);
  void release();
  [[nodiscard]] const SentColumn& column() const;

  const std::vector<SentTable>& tables_;
  OnRecord on_record_;
  std::vector<Count> seen_;        // of each table
  std::vector<std::size_t> keys_;  // of the present table: which columns are its key
  Step step_ = Step::mark;
  bool has_table_ = false;
  bool needs_record_ = false;  // a table's number is followed by a record of it
  Record record_;
  std::size_t cell_ = 0;         // the present cell's place in the record
  std::size_t record_size_ = 0;  // the bytes of its cells
  std::array<std::uint8_t, kCellHead> head_{};
  std::size_t head_size_ = 0;  // so many bytes of it are there
  Kind kind_ = Kind::null;
  std::size_t cell_size_ = 0;
  std::string content_;            // of a cell that has come in part
  std::size_t since_release_ = 0;  // bytes of cells
};

}  // namespace abgleich::exchange
