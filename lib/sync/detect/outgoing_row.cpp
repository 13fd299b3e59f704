#include "sync/detect/outgoing_row.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::sync {

namespace {

/// The largest value that both databases and this program can handle. PostgreSQL writes a bytea as
/// text of twice its size, which is then half of the most that it can send.
constexpr std::size_t kMostValueBytes = std::size_t{256} << 20U;
constexpr std::string_view kTooLarge = "larger than 256 MiB";
// A row of the plan has the values that are written, and twice the row as the journal writes it
// (before and after): together less than the gigabyte that either engine can store in one row.
constexpr std::string_view kTooLargeRow = "its row is larger than 256 MiB as the journal writes it";
constexpr std::size_t kMostOfAByte = 6;  // bytes of JSON for one byte: \u0001

constexpr std::size_t kCellOverhead = 8;  // length and alignment
constexpr std::string_view kLongKey = "too long for a key of the secondary";

/// The size of the value as the journal writes it.
std::size_t written_size(const Value& value) {
  const std::string_view bytes = value.bytes();
  if (value.kind() == Kind::bytes) {
    return 2 * bytes.size();
  }
  std::size_t size = bytes.size();
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) < ' ') {
      size += kMostOfAByte - 1;
    } else {
      size += c == '"' || c == '\\' ? 1 : 0;
    }
  }
  return size;
}

std::vector<Type> source_types(const ExportedTable& exported) {
  std::vector<Type> types;
  types.reserve(exported.sources.size());
  for (const auto* source : exported.sources) {
    types.push_back(source->type);
  }
  return types;
}

}  // namespace

std::string largest_row_text() {
  return fmt::format("rows of which the journal would write more than {} MiB are held back",
                     kMostValueBytes >> 20U);
}

OutgoingRow::OutgoingRow(const db::Dialect& secondary, const ExportedTable& exported,
                         const mask::Keyring& keyring)
    : secondary_(secondary),
      most_key_bytes_(secondary.traits().most_key_bytes),
      exported_(exported),
      masker_(*exported.table, exported.columns, source_types(exported), keyring) {
  for (const auto& column : exported.relation.columns) {
    // a column of exactly the exported type stores every value unchanged
    fits_.push_back(column.type == column.stored);
  }
}

OutgoingRow::Made OutgoingRow::make(const RawRow& raw) {
  const auto outcome = masker_.mask(raw, row_);
  if (outcome.refusal) {
    column_ = outcome.refusal->column;
    reason_ = outcome.refusal->reason;
    if (outcome.unresolved) {
      return Made::unresolved;
    }
    return outcome.key_is_whole ? Made::held_back : Made::keyless;
  }
  for (std::size_t i = 0; i < row_.cells.size(); ++i) {
    if (row_.cells[i].bytes().size() > kMostValueBytes) {
      column_ = i;
      reason_ = kTooLarge;
      return is_key(i) || !fit_rest_of_key(i) ? Made::keyless : Made::held_back;
    }
    if (fits_[i] || row_.cells[i].is_null()) {
      continue;
    }
    if (const auto why = secondary_.fit(exported_.relation.columns[i].stored, row_.cells[i])) {
      if (exported_.columns[i]->on_unusable == contract::OnUnusable::null) {
        row_.cells[i].set_null();
        continue;
      }
      column_ = i;
      reason_ = *why;
      return fit_rest_of_key(i) ? Made::held_back : Made::keyless;
    }
  }
  if (!key_has_room()) {
    return Made::keyless;
  }
  return row_has_room() ? Made::usable : Made::held_back;
}

bool OutgoingRow::row_has_room() {
  std::size_t bytes = 0;
  for (const auto& cell : row_.cells) {
    bytes += cell.bytes().size();
  }
  if (bytes <= kMostValueBytes / kMostOfAByte) {
    return true;  // even where the journal escapes every byte
  }
  std::size_t written = 0;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < row_.cells.size(); ++i) {
    const auto size = written_size(row_.cells[i]);
    written += size;
    if (size >= longest) {
      longest = size;
      column_ = i;
    }
  }
  reason_ = kTooLargeRow;
  return written <= kMostValueBytes;
}

bool OutgoingRow::is_key(std::size_t column) const {
  return std::ranges::find(exported_.relation.key, column) != exported_.relation.key.end();
}

/// A server can index keys up to a certain size; a larger one would end the whole run. PostgreSQL
/// compresses some larger keys so that they fit, but it cannot be foreseen which.
bool OutgoingRow::key_has_room() {
  if (most_key_bytes_ == 0) {
    return true;
  }
  std::size_t bytes = 0;
  std::size_t longest = 0;
  for (const auto i : exported_.relation.key) {
    const auto size = row_.cells[i].bytes().size();
    bytes += size + kCellOverhead;
    if (size >= longest) {
      longest = size;
      column_ = i;
    }
  }
  reason_ = kLongKey;
  return bytes <= most_key_bytes_;
}

/// Fits the key cells behind the column that failed, too. False where that column is of the key, or
/// one of these cells does not fit: then the key cannot be used.
bool OutgoingRow::fit_rest_of_key(std::size_t failed) {
  return std::ranges::none_of(exported_.relation.key, [&](std::size_t i) {
    return i == failed || (!fits_[i] && i > failed &&
                           secondary_.fit(exported_.relation.columns[i].stored, row_.cells[i]));
  });
}

std::string_view OutgoingRow::digest() {
  digest_row(exported_, row_, key_bytes_, digests_);
  pack(digests_, packed_);
  return packed_;
}

}  // namespace abgleich::sync
