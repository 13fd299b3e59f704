// What a run did to one row of a base, as the journal keeps it. Most cells of a row that stays do
// not change, and only those that do are kept: a few bytes instead of two whole rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

struct BaseMove {
  /// '1' for each cell that `before` and `after` hold, '0' for each that did not change; absent:
  /// they hold all cells.
  std::optional<std::string> moved{};
  std::optional<std::string> before{};  // packed digests; absent: the base did not have the row
  std::optional<std::string> after{};   // the same; absent: the base no longer has the row
};

/// The move between two rows of packed digests, with only the cells that changed; with all cells
/// where one of the rows is absent or they are not of the same length.
BaseMove base_move(std::optional<std::string_view> before, std::optional<std::string_view> after);

/// Turns the move into one with all cells: those that did not change are 0 in both. False, and
/// nothing is done, where the record contradicts itself.
[[nodiscard]] bool widen(BaseMove& move);

}  // namespace abgleich::db
