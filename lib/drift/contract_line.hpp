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

/// Which settings of the table name a column that was renamed, as a hint: ", and in key, together …
/// write …"; empty: none. `live` is the table as the primary has it.
std::string elsewhere_in_table(const contract::Table& table, const CatalogTable& live,
                               std::string_view was, std::string_view now);

/// The hint for a `where` that can no longer be used on the table.
std::string where_anew(const contract::Table& table);

}  // namespace abgleich::drift
