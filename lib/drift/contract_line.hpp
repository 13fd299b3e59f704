// What to write into the contract, or to type, so that a drift is decided: exact text to paste.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"

#include <string>
#include <string_view>

namespace abgleich::drift {

/// The column's line for its new name: `geschlecht = { class = "plain", was = "sex" }`. All options
/// are kept. A withheld column needs no `was`: `vorname = "withhold"`.
std::string contract_line(const contract::Column& column, std::string_view name,
                          std::string_view was);

/// `geschlecht = "withhold"`.
std::string withhold_line(std::string_view name);

/// The command that names a column in the contract, quoted for the shell where it must be.
std::string add_command(std::string_view table, std::string_view column);

/// What else of the table (`live`, as the primary has it) names a column that is called otherwise
/// now: ", and in key and together write …"; empty: nothing.
std::string elsewhere_in_table(const contract::Table& table, const CatalogTable& live,
                               std::string_view was, std::string_view now);

/// What is to be done about a condition that the table cannot be asked any more.
std::string where_anew(const contract::Table& table);

}  // namespace abgleich::drift
