// The text format of COPY (PostgreSQL manual, COPY, "Text Format"): fields between tabs, backslash
// escapes, \N for NULL. Pure.
#pragma once

#include "db/engine/connection.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// Appends one line, newline included, as COPY … TO writes it. Blobs are written in bytea's
/// hexadecimal form.
void append_copy_line(std::span<const Cell> row, std::string& out);

/// The first `count` fields of a line, without the tab after them.
std::string_view copy_fields(std::string_view line, std::size_t count);

/// Splits one line of COPY … TO, with or without its newline, into `cells`, which then point into
/// the line: escapes are resolved in place.
void split_copy_line(std::span<char> line, std::vector<Cell>& cells);

}  // namespace abgleich::db::postgresql
