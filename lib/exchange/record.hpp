// One row in a bundle, or the key of a row that is gone, and what its cells may be
// (schemas/bundle.md, section 5).
#pragma once

#include "core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

struct Record {
  enum class What : std::uint8_t {
    row,   // all cells, in the order of the manifest's columns
    gone,  // the cells of the key, in the same order
  };

  What what = What::row;
  std::size_t table = 0;  // its place in the manifest
  std::vector<Value> cells;

  bool operator==(const Record&) const = default;
};

using OnRecord = std::function<void(const Record&)>;

/// What begins a record, and what ends them.
inline constexpr char kTableMark = 'T';
inline constexpr char kRowMark = 'S';
inline constexpr char kGoneMark = 'G';
inline constexpr char kEndMark = 'E';

/// A table's number behind its mark.
inline constexpr std::size_t kTableSize = 2;
/// What stands before a cell's bytes: its kind and their number.
inline constexpr std::size_t kCellHead = 5;

/// The most bytes of all cells of one record together: a reader holds them in memory.
inline constexpr std::size_t kMostRecord = std::size_t{64} << 20U;

/// The most bytes that a cell of this kind has; empty for kinds that no bundle has, since both
/// nodes keep the rows in a storage that knows only the others.
std::optional<std::size_t> most_bytes_of(Kind kind);

/// Whether these are the bytes of the one form that such a value has. Integers have 64 bits; a real
/// number is not NaN. REQUIRES: there are at most `most_bytes_of(kind)`.
bool is_canonical(Kind kind, std::string_view bytes);

}  // namespace abgleich::exchange
