// The columns of the bookkeeping tables, in the order in which they are read and written, and rows
// of them as plain values. The MAC is read behind these columns.
#pragma once

#include "db/bookkeeping/books_rows.hpp"
#include "db/bookkeeping/sealer.hpp"
#include "db/engine/cell_values.hpp"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::db {

inline constexpr std::string_view kRunColumns =
    "epoch, id, kind, started, finished, operator, reason, counts, nonce, deeds, previous, hash, "
    "purged, entries, sum";
inline constexpr std::size_t kRunWidth = 15;
inline constexpr std::string_view kTrackedColumns =
    "id, source, target, key_columns, columns, since";
inline constexpr std::size_t kTrackedWidth = 6;
inline constexpr std::string_view kFactColumns = "kind, name, value, epoch";
inline constexpr std::size_t kFactWidth = 4;
inline constexpr std::string_view kConflictColumns = "id, tracked, key_text, kind, detail, epoch";
inline constexpr std::size_t kConflictWidth = 6;
inline constexpr std::string_view kQuarantineColumns =
    "tracked, key_text, column_name, reason, rows, epoch";
inline constexpr std::size_t kQuarantineWidth = 6;
inline constexpr std::string_view kJournalColumns =
    "epoch, tracked, n, key_text, fate, before, after, moved, base_before, base_after";
inline constexpr std::size_t kJournalWidth = 10;

inline RunRow run_row(std::span<const Cell> cells) {
  return {.epoch = number(cells[0]),
          .id = text(cells[1]),
          .kind = text(cells[2]),
          .started = text(cells[3]),
          .finished = text(cells[4]),
          .operator_ = text(cells[5]),
          .reason = optional_text(cells[6]),
          .counts = text(cells[7]),
          .nonce = text(cells[8]),
          .deeds = text(cells[9]),
          .previous = text(cells[10]),
          .hash = text(cells[11]),
          .purged = optional_text(cells[12]),
          .entries = number(cells[13]),
          .sum = text(cells[14])};
}

inline TrackedRow tracked_row(std::span<const Cell> cells) {
  return {.id = number(cells[0]),
          .source = text(cells[1]),
          .target = text(cells[2]),
          .key_columns = text(cells[3]),
          .columns = text(cells[4]),
          .since = number(cells[5])};
}

inline FactRow fact_row(std::span<const Cell> cells) {
  return {.kind = text(cells[0]),
          .name = text(cells[1]),
          .value = text(cells[2]),
          .epoch = number(cells[3])};
}

inline ConflictRow conflict_row(std::span<const Cell> cells) {
  return {.id = text(cells[0]),
          .tracked = number(cells[1]),
          .key_text = text(cells[2]),
          .kind = text(cells[3]),
          .detail = text(cells[4]),
          .epoch = number(cells[5])};
}

inline QuarantineRow quarantine_row(std::span<const Cell> cells) {
  return {.tracked = number(cells[0]),
          .key_text = text(cells[1]),
          .column = text(cells[2]),
          .reason = text(cells[3]),
          .rows = number(cells[4]),
          .epoch = number(cells[5])};
}

inline JournalRow journal_row(const Dialect& dialect, std::span<const Cell> cells) {
  return {.epoch = number(cells[0]),
          .tracked = number(cells[1]),
          .n = number(cells[2]),
          .key_text = text(cells[3]),
          .fate = text(cells[4]),
          .before = optional_text(cells[5]),
          .after = optional_text(cells[6]),
          .base = {.moved = optional_text(cells[7]),
                   .before = optional_packed(dialect, cells[8]),
                   .after = optional_packed(dialect, cells[9])}};
}

/// What the MAC of a journal entry is made of. The fields point into the cells or, for the base's
/// digests before and after, into `scratch`.
inline JournalFields journal_fields(const Dialect& dialect, std::span<const Cell> cells,
                                    std::array<std::string, 2>& scratch) {
  using View = std::optional<std::string_view>;
  const auto view = [](const Cell& cell) {
    return cell.storage == Cell::Storage::null ? View() : View(cell.bytes);
  };
  const auto digests = [&](const Cell& cell, std::string& memory) {
    return cell.storage == Cell::Storage::null ? View() : View(packed(dialect, cell, memory));
  };
  return {.epoch = number(cells[0]),
          .tracked = number(cells[1]),
          .key_text = cells[3].bytes,
          .fate = cells[4].bytes,
          .before = view(cells[5]),
          .after = view(cells[6]),
          .moved = view(cells[7]),
          .base_before = digests(cells[8], scratch[0]),
          .base_after = digests(cells[9], scratch[1])};
}

}  // namespace abgleich::db
