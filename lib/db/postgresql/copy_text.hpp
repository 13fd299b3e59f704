// The text format of COPY (PostgreSQL manual, COPY, "Text Format"): fields between tabs, backslash
// escapes, \N for NULL. Pure.
#pragma once

#include "db/connection.hpp"

#include <span>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// Appends one line, newline included. Blobs are written in bytea's hexadecimal form.
void append_copy_line(std::span<const Cell> row, std::string& out);

/// Splits one line of COPY … TO, with or without its newline, into `cells`, which then point into
/// it: escapes are resolved in place.
void split_copy_line(std::span<char> line, std::vector<Cell>& cells);

}  // namespace abgleich::db::postgresql
