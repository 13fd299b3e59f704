#include "exchange/record_parser.hpp"

#include "exchange/not_applied.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace abgleich::exchange {

namespace {

void expect_form(bool holds) {
  if (!holds) {
    throw NotApplied(NotApplied::Why::malformed);
  }
}

void expect_size(bool holds) {
  if (!holds) {
    throw NotApplied(NotApplied::Why::too_large);
  }
}

}  // namespace

RecordParser::RecordParser(const std::vector<SentTable>& tables, OnRecord on_record)
    : tables_(tables), on_record_(std::move(on_record)), seen_(tables.size()) {}

void RecordParser::add(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    std::size_t taken = 1;
    switch (step_) {
      case Step::mark:
        take_mark(static_cast<char>(bytes.front()));
        break;
      case Step::table:
        taken = take_head(bytes, kTableSize);
        break;
      case Step::cell_head:
        taken = take_head(bytes, kCellHead);
        break;
      case Step::cell:
        taken = take_cell(bytes);
        break;
      case Step::ended:
        expect_form(false);
    }
    bytes = bytes.subspan(taken);
  }
}

void RecordParser::finish() const {
  expect_form(step_ == Step::ended);
}

void RecordParser::take_mark(char mark) {
  switch (mark) {
    case kTableMark:
      expect_form(!needs_record_);
      step_ = Step::table;
      break;
    case kRowMark:
      begin_record(Record::What::row);
      break;
    case kGoneMark:
      begin_record(Record::What::gone);
      break;
    case kEndMark:
      end_records();
      break;
    default:
      expect_form(false);
  }
}

void RecordParser::begin_record(Record::What what) {
  expect_form(has_table_);
  needs_record_ = false;
  const auto& table = tables_[record_.table];
  auto& seen = seen_[record_.table];
  const bool is_row = what == Record::What::row;
  auto& number = is_row ? seen.rows : seen.gone;
  expect_size(number < (is_row ? table.rows : table.gone));
  ++number;
  record_.what = what;
  record_.cells.resize(is_row ? table.columns.size() : keys_.size());
  record_size_ = 0;
  cell_ = 0;
  step_ = Step::cell_head;
}

void RecordParser::end_records() {
  expect_form(!needs_record_);
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    expect_form(seen_[i].rows == tables_[i].rows && seen_[i].gone == tables_[i].gone);
  }
  step_ = Step::ended;
}

/// Gathers a table's number or the head of a cell.
std::size_t RecordParser::take_head(std::span<const std::uint8_t> bytes, std::size_t size) {
  const auto taken = std::min(bytes.size(), size - head_size_);
  std::copy_n(bytes.begin(), taken, head_.begin() + static_cast<std::ptrdiff_t>(head_size_));
  head_size_ += taken;
  if (head_size_ == size) {
    head_size_ = 0;
    if (step_ == Step::table) {
      begin_table();
    } else {
      begin_cell();
    }
  }
  return taken;
}

void RecordParser::begin_table() {
  const auto number = std::size_t{head_[0]} | std::size_t{head_[1]} << 8U;
  expect_form(number < tables_.size() && (!has_table_ || number > record_.table));
  has_table_ = true;
  needs_record_ = true;
  record_.table = number;
  keys_.clear();
  const auto& columns = tables_[number].columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].in_key) {
      keys_.push_back(i);
    }
  }
  step_ = Step::mark;
}

const SentColumn& RecordParser::column() const {
  const auto& columns = tables_[record_.table].columns;
  return columns[record_.what == Record::What::row ? cell_ : keys_[cell_]];
}

void RecordParser::begin_cell() {
  kind_ = static_cast<Kind>(head_[0]);
  cell_size_ = 0;
  for (std::size_t i = 1; i < head_.size(); ++i) {
    cell_size_ |= std::size_t{head_.at(i)} << (8 * (i - 1));
  }
  const auto most = most_bytes_of(kind_);
  expect_form(most.has_value());
  expect_form(cell_size_ <= *most || *most == kMostRecord);
  record_size_ += cell_size_;
  expect_size(record_size_ <= kMostRecord);
  expect_form(kind_ != Kind::null || !column().in_key);
  if (cell_size_ == 0) {
    end_cell({});
  } else {
    step_ = Step::cell;
  }
}

std::size_t RecordParser::take_cell(std::span<const std::uint8_t> bytes) {
  const auto taken = std::min(bytes.size(), cell_size_ - content_.size());
  const std::string_view part(reinterpret_cast<const char*>(bytes.data()), taken);
  if (taken == cell_size_) {
    end_cell(part);
    return taken;
  }
  content_ += part;
  if (content_.size() == cell_size_) {
    end_cell(content_);
    content_.clear();
  }
  return taken;
}

void RecordParser::end_cell(std::string_view bytes) {
  expect_form(is_canonical(kind_, bytes));
  record_.cells[cell_].set(kind_, bytes);
  step_ = Step::cell_head;
  if (++cell_ == record_.cells.size()) {
    step_ = Step::mark;
    on_record_(record_);
    release();
  }
}

/// Cells keep the memory of the longest value that they have had. Without this, rows that have
/// their long value in another column each time could make every cell keep as much as the longest
/// one.
void RecordParser::release() {
  constexpr std::size_t kKept = std::size_t{16} << 20U;
  since_release_ += record_size_;
  if (since_release_ > kKept) {
    record_.cells = {};
    content_ = {};
    since_release_ = 0;
  }
}

}  // namespace abgleich::exchange
