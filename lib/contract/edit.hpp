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

/// Splits "TABLE.COLUMN" at the point that leaves a table of the contract in front, so that names
/// may hold points themselves. Throws Failure{usage}.
NewColumn named_column(const Contract& contract, std::string_view name);

}  // namespace abgleich::contract
