// Editing a contract in place: comments, order and everything else stay as they are.
#pragma once

#include "contract/contract.hpp"

#include <string>
#include <string_view>

namespace abgleich::contract {

/// A column as it is to be written, words as in the contract; empty: not written.
struct NewColumn {
  std::string table = {};
  std::string column = {};
  std::string cls = {};
  std::string identity = {};
  std::string normalise = {};
  std::string to = {};
  std::string reference = {};
};

/// The contract's text with one line more, behind the table's last column. Throws Failure{usage}
/// where the table is not in the contract or the column already is, Failure{configuration} where
/// the result would not be a valid contract or the columns are written in another form than lines.
std::string add_column(std::string_view text, const std::filesystem::path& file,
                       const NewColumn& column);

/// The same with a line (`name = value`, and perhaps a comment) as it is to stand there; `column`
/// says only which one it names.
std::string add_line(std::string_view text, const std::filesystem::path& file,
                     const NewColumn& column, const std::string& line);

/// What is to be another in a column's line; empty: as it is.
struct ColumnEdit {
  std::string table = {};
  std::string column = {};
  std::string cls = {};  // "withhold", without any option
  std::string as = {};   // its name in the secondary
};

/// The contract's text with the column's line changed. Throws Failure{usage} where the contract
/// does not name the column, Failure{configuration} where the result would not be a valid contract
/// or the column is written in another form than one line.
std::string edit_column(std::string_view text, const std::filesystem::path& file,
                        const ColumnEdit& edit);

/// Splits "TABLE.COLUMN" at the point that leaves a table of the contract in front, so that names
/// may hold points themselves. Throws Failure{usage}.
NewColumn named_column(const Contract& contract, std::string_view name);

}  // namespace abgleich::contract
