// What a run did to one row of a base, as the journal keeps it. Of a row that stays, most cells do
// not move, and only those that do are kept: a record of a few bytes, not of two rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

struct BaseMove {
  /// '1' for each cell that `before` and `after` hold, '0' for those that did not move; absent:
  /// they hold all cells.
  std::optional<std::string> moved{};
  std::optional<std::string> before{};  // packed digests; absent: the base did not have the row
  std::optional<std::string> after{};   // absent: it has it no longer
};

/// The move between two rows of packed digests, of only those cells that moved. Of all cells where
/// one of the rows is absent, or where they are not of one length.
BaseMove base_move(std::optional<std::string_view> before, std::optional<std::string_view> after);

/// Makes the move one of all cells: those that did not move are 0 in both. False, and nothing done,
/// where the record does not fit together.
[[nodiscard]] bool widen(BaseMove& move);

}  // namespace abgleich::db
