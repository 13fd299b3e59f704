// Cells of catalogues, of the bookkeeping and of our own queries, as plain values and back.
#pragma once

#include "db/engine/connection.hpp"
#include "db/engine/dialect.hpp"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

template <class Number>
Number number(std::string_view digits, int radix = 10) {
  Number value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, radix);
  return value;
}

inline std::int64_t number(const Cell& cell) {
  return number<std::int64_t>(cell.bytes);
}

inline std::string text(const Cell& cell) {
  return std::string(cell.bytes);
}

inline std::optional<std::string> optional_text(const Cell& cell) {
  return cell.storage == Cell::Storage::null ? std::nullopt : std::optional(text(cell));
}

inline std::optional<std::string> optional_packed(const Dialect& dialect, const Cell& cell) {
  std::string scratch;
  return cell.storage == Cell::Storage::null
             ? std::nullopt
             : std::optional(std::string(packed(dialect, cell, scratch)));
}

inline Cell cell_of(const std::optional<std::string>& value) {
  return value ? text_cell(*value) : Cell{};
}

inline Cell blob_of(const std::optional<std::string>& bytes) {
  return bytes ? Cell{Cell::Storage::blob, *bytes} : Cell{};
}

/// A number as a parameter: bound as text, SQLite would store text. The digits must outlive it.
inline Cell number_cell(std::string_view digits) {
  return {Cell::Storage::integer, digits};
}

}  // namespace abgleich::db
