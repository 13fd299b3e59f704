// Writes the rows of a bundle as bytes (schemas/bundle.md, section 5).
#pragma once

#include "exchange/manifest.hpp"
#include "exchange/record.hpp"
#include "seal/age_writer.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::exchange {

/// Holds nothing of the rows. Throws Failure{configuration} where a row is too large for a bundle,
/// and Failure{bug} where something does not fit the tables.
class RecordWriter {
 public:
  /// REQUIRES: `flaw_of(tables)` is empty; they outlive the writer and do not change.
  RecordWriter(const std::vector<SentTable>& tables, seal::Sink sink);

  /// REQUIRES: no call before was for a later table, and the cells are canonical: all of the row's,
  /// or those of its key, in the order of the columns.
  void add(Record::What what, std::size_t table, const std::vector<Value>& cells);
  /// REQUIRES: of every table, as many rows and keys were added as it says.
  void end();

 private:
  struct Count {
    std::uint64_t rows = 0;
    std::uint64_t gone = 0;
  };

  void begin_table(std::size_t table);
  void write_cell(const Value& cell);

  const std::vector<SentTable>& tables_;
  seal::Sink sink_;
  std::vector<Count> written_;        // of each table
  std::optional<std::size_t> table_;  // of the record written last
};

}  // namespace abgleich::exchange
