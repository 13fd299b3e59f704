// How many columns the rows of a statement have by its own text. A server is not believed: one that
// sends fewer or more is none of ours.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace abgleich::db::postgresql {

/// Of the SELECT list of a query, or of the RETURNING list of another statement. Empty where the
/// text does not tell: there is no such list, or an asterisk in it.
std::optional<std::size_t> selected_columns(std::string_view sql);

}  // namespace abgleich::db::postgresql
