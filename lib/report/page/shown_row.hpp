// Conflicts and held rows as a page shows them: text only, long values cut, and nothing that the
// contract withholds.
#pragma once

#include "report/change.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::report {

struct ShownValue {
  enum class Is : std::uint8_t {
    text,
    null,
    no_row,    // that side does not have the row
    not_read,  // only the next run reads it
    withheld,  // the contract does not let the column leave (any more)
  };
  Is is = Is::text;
  std::string text{};
  std::size_t more = 0;  // bytes that were cut off

  bool operator==(const ShownValue&) const = default;
};

/// A value in whole, up to 1,000 bytes; what is not text in hexadecimal digits.
ShownValue shown_value(const Value& value);

struct ShownCell {
  std::string column;
  ShownValue primary;
  ShownValue secondary;
  bool differs = false;
};

struct ShownKey {
  std::string column;
  ShownValue value;
};

struct ShownConflict {
  std::string id;
  std::string table;
  std::vector<ShownKey> key;
  std::string kind;
  std::vector<ShownCell> cells;
  std::string since;     // UTC; empty: not known
  std::int64_t age = 0;  // seconds
  std::string obstacle;  // of a constraint: what kind
  std::string constraint;
  bool primary_has_row = true;
  bool secondary_has_row = true;
  /// Whether the primary's side can be taken, and why not.
  enum class Primary : std::uint8_t {
    can_be_taken,
    refused,   // a rule of the secondary refuses it
    not_read,  // only the next run reads it whole
  };
  Primary primary = Primary::can_be_taken;
  std::string blocking_table;  // of a constraint: of the row in the way; empty: not known
  std::vector<ShownKey> blocking_key{};
};

struct HeldRow {
  std::string table;
  std::vector<ShownKey> key;  // empty: not known, or not to be told
  std::string reason;
  std::int64_t rows = 1;
};

/// Whether what is kept of a column of the secondary may leave by the contract as it is now.
using Leaves = std::function<bool(std::string_view table, std::string_view column)>;

ShownConflict shown_conflict(const Change& change, const Leaves& leaves);
HeldRow held_row(const Change& change, const Leaves& leaves);

}  // namespace abgleich::report
