// Editing a contract in place: comments, order and everything else stay as they are.
#pragma once

#include "contract/contract.hpp"

#include <string>
#include <string_view>

namespace abgleich::contract {

/// A column to be written, with words as in the contract; an empty field is not written.
struct NewColumn {
  std::string table = {};
  std::string column = {};
  std::string cls = {};
  std::string identity = {};
  std::string normalise = {};
  std::string to = {};
  std::string reference = {};
};

/// The contract's text with one line added after the table's last column. Throws Failure{usage}
/// where the table is not in the contract or the column already is, Failure{configuration} where
/// the result would not be a valid contract or the columns are not written as lines.
std::string add_column(std::string_view text, const std::filesystem::path& file,
                       const NewColumn& column);

/// As `add_column`, with the whole line (`name = value`, and perhaps a comment) given. Of `column`,
/// only table and name count.
std::string add_line(std::string_view text, const std::filesystem::path& file,
                     const NewColumn& column, const std::string& line);

/// What to change in a column's line; an empty field changes nothing.
struct ColumnEdit {
  std::string table = {};
  std::string column = {};
  std::string cls = {};  // "withhold", without any option
  std::string as = {};   // its name in the secondary
};

/// The contract's text with the column's line changed. Throws Failure{usage} where the contract
/// does not name the column, Failure{configuration} where the result would not be a valid contract
/// or the column is not written as one line.
std::string edit_column(std::string_view text, const std::filesystem::path& file,
                        const ColumnEdit& edit);

/// Splits "TABLE.COLUMN" at the first point that has a table of the contract before it, since names
/// may contain points. Throws Failure{usage}.
NewColumn named_column(const Contract& contract, std::string_view name);

}  // namespace abgleich::contract
