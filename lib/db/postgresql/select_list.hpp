// How many columns the rows of a statement have to have, by its text. The server is not trusted: if
// it sends fewer or more, it is not the one that we want.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace abgleich::db::postgresql {

/// Of the SELECT list of a query, or of the RETURNING list of another statement. Empty where the
/// text does not tell: there is no such list, or an asterisk in it.
std::optional<std::size_t> selected_columns(std::string_view sql);

}  // namespace abgleich::db::postgresql
