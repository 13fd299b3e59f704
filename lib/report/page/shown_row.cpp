#include "report/page/shown_row.hpp"

#include "core/hex.hpp"
#include "journal/record.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace abgleich::report {

namespace {

constexpr std::size_t kLongestShown = 1000;

/// The length of the beginning that is shown: no character is cut in two.
std::size_t shown_length(std::string_view text) {
  auto length = std::min(text.size(), kLongestShown);
  while (length > 0 && length < text.size() &&
         (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) {
    --length;
  }
  return length;
}

ShownValue side_of(const std::optional<Value>& value) {
  return value ? shown_value(*value) : ShownValue{.is = ShownValue::Is::no_row};
}

std::vector<ShownKey> shown_key(const std::string& table,
                                const std::vector<std::pair<std::string, Value>>& cells,
                                const Leaves& leaves) {
  std::vector<ShownKey> key;
  for (const auto& [column, value] : cells) {
    key.push_back({.column = column,
                   .value = leaves(table, column) ? shown_value(value)
                                                  : ShownValue{.is = ShownValue::Is::withheld}});
  }
  return key;
}

ShownCell shown_cell(const Change& change, const CellChange& cell, const Leaves& leaves) {
  if (!leaves(change.table, cell.column)) {
    return {.column = cell.column,
            .primary = {.is = ShownValue::Is::withheld},
            .secondary = {.is = ShownValue::Is::withheld}};
  }
  ShownCell shown{.column = cell.column,
                  .primary = side_of(cell.primary),
                  .secondary = side_of(cell.secondary),
                  .differs = cell.primary != cell.secondary};
  if (change.action == journal::ConflictAction::partly && !cell.primary) {
    shown.primary.is = ShownValue::Is::not_read;
  }
  return shown;
}

}  // namespace

ShownValue shown_value(const Value& value) {
  if (value.is_null()) {
    return {.is = ShownValue::Is::null};
  }
  if (value.kind() == Kind::boolean) {
    return {.text = value.bytes() == "t" ? "true" : "false"};
  }
  const std::string_view bytes = value.bytes();
  if (value.kind() == Kind::bytes || !is_utf8(bytes)) {
    const auto length = std::min(bytes.size(), kLongestShown / 2);
    const std::span digits(reinterpret_cast<const std::uint8_t*>(bytes.data()), length);
    return {.text = "\\x" + hex(digits), .more = bytes.size() - length};
  }
  const auto length = shown_length(bytes);
  return {.text = std::string(bytes.substr(0, length)), .more = bytes.size() - length};
}

ShownConflict shown_conflict(const Change& change, const Leaves& leaves) {
  ShownConflict shown{
      .id = change.id,
      .table = change.table,
      .key = shown_key(change.table, change.key, leaves),
      .kind = change.kind,
      .cells = {},
      .since = change.since,
      .age = change.age,
      .obstacle = change.obstacle,
      .constraint = change.constraint,
      .blocking_table = change.blocking_table,
      .blocking_key = shown_key(change.blocking_table, change.blocking_key, leaves)};
  for (const auto& cell : change.cells) {
    shown.cells.push_back(shown_cell(change, cell, leaves));
  }
  if (!change.cells.empty()) {
    shown.primary_has_row = change.cells.front().primary.has_value();
    shown.secondary_has_row = change.cells.front().secondary.has_value();
  }
  if (change.action == journal::ConflictAction::partly) {
    shown.primary = ShownConflict::Primary::not_read;
  } else if (change.kind == journal::kConstraint) {
    shown.primary = ShownConflict::Primary::refused;
  }
  return shown;
}

HeldRow held_row(const Change& change, const Leaves& leaves) {
  return {.table = change.table,
          .key = shown_key(change.table, change.key, leaves),
          .reason = change.reason,
          .rows = change.rows};
}

}  // namespace abgleich::report
