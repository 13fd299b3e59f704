#include "exchange/record_writer.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <array>
#include <span>
#include <string_view>
#include <utility>

namespace abgleich::exchange {

namespace {

void require_fit(bool fits, const char* what) {
  if (!fits) {
    throw Failure(Code::bug, fmt::format("rows for a peer: {}", what));
  }
}

[[noreturn]] void refuse_size(const SentTable& table, const SentColumn& largest) {
  throw Failure(Code::configuration,
                fmt::format("a row of table '{}' has more than {} MiB, most of it in column '{}': "
                            "no bundle can hold that",
                            table.name, kMostRecord >> 20U, largest.name),
                "withhold the column in the contract of what is sent, or have the value shortened; "
                "then run `abgleich sync`. Nothing was sent");
}

/// Refuses what a reader would refuse, before anything of the record is written.
void check_cells(Record::What what, const SentTable& table, const std::vector<Value>& cells) {
  std::size_t size = 0;
  std::size_t at = 0;
  std::size_t most = 0;
  const SentColumn* largest = nullptr;
  for (const auto& column : table.columns) {
    if (what == Record::What::gone && !column.in_key) {
      continue;
    }
    require_fit(at < cells.size(), "a cell is missing");
    const auto& cell = cells[at++];
    const auto& bytes = cell.bytes();
    size += bytes.size();
    if (largest == nullptr || bytes.size() > most) {
      most = bytes.size();
      largest = &column;
    }
    if (size > kMostRecord) {
      continue;  // refused below; what comes may be larger still
    }
    const auto limit = most_bytes_of(cell.kind());
    require_fit(limit && bytes.size() <= *limit && is_canonical(cell.kind(), bytes),
                "a cell is not canonical");
    require_fit(!column.in_key || !cell.is_null(), "a key has no value");
  }
  require_fit(at == cells.size(), "there is a cell too many");
  if (size > kMostRecord) {
    refuse_size(table, *largest);
  }
}

}  // namespace

RecordWriter::RecordWriter(const std::vector<SentTable>& tables, seal::Sink sink)
    : tables_(tables), sink_(std::move(sink)), written_(tables.size()) {}

void RecordWriter::add(Record::What what, std::size_t table, const std::vector<Value>& cells) {
  require_fit(table < tables_.size(), "there is no such table");
  check_cells(what, tables_[table], cells);
  begin_table(table);
  auto& count = written_[table];
  const bool is_row = what == Record::What::row;
  auto& number = is_row ? count.rows : count.gone;
  require_fit(number < (is_row ? tables_[table].rows : tables_[table].gone),
              "there are more than the manifest says");
  ++number;
  const auto mark = static_cast<std::uint8_t>(is_row ? kRowMark : kGoneMark);
  sink_(std::span(&mark, 1));
  for (const auto& cell : cells) {
    write_cell(cell);
  }
}

void RecordWriter::begin_table(std::size_t table) {
  if (table_ == table) {
    return;
  }
  require_fit(!table_ || *table_ < table, "the tables are not in their order");
  table_ = table;
  const std::array bytes{static_cast<std::uint8_t>(kTableMark), static_cast<std::uint8_t>(table),
                         static_cast<std::uint8_t>(table >> 8U)};
  sink_(bytes);
}

void RecordWriter::write_cell(const Value& cell) {
  const auto& bytes = cell.bytes();
  std::array<std::uint8_t, kCellHead> head{static_cast<std::uint8_t>(cell.kind())};
  for (std::size_t i = 1; i < head.size(); ++i) {
    head.at(i) = static_cast<std::uint8_t>(bytes.size() >> (8 * (i - 1)));
  }
  sink_(head);
  sink_({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

void RecordWriter::end() {
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    require_fit(written_[i].rows == tables_[i].rows && written_[i].gone == tables_[i].gone,
                "there are fewer than the manifest says");
  }
  const auto mark = static_cast<std::uint8_t>(kEndMark);
  sink_(std::span(&mark, 1));
}

}  // namespace abgleich::exchange
