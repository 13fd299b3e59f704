// `where` of a table: a small language of its own, which looks like SQL's and holds nothing that a
// server would have to be trusted with: no function, no subquery, no statement.
//
//   condition  = term { OR term }
//   term       = factor { AND factor }
//   factor     = NOT factor | "(" condition ")" | test
//   test       = column ( = | <> | != | < | <= | > | >= ) value
//              | column [NOT] IN "(" value { "," value } ")"
//              | column [NOT] BETWEEN value AND value
//              | column [NOT] LIKE text
//              | column IS [NOT] NULL
//   column     = name | "name in double quotes"      exactly as the primary calls it
//   value      = 'text' | number | TRUE | FALSE      a quote within a text is written twice
//
// Words may be written in any capitals. As in SQL, NULL is neither like nor unlike anything.
#pragma once

#include "contract/place.hpp"
#include "core/condition.hpp"

#include <string_view>

namespace abgleich::contract {

/// Throws Failure{configuration} with what is wrong, at which character, and what to write instead;
/// never with a value. `table` is its name, `place` that of the string.
Condition parse_condition(std::string_view text, std::string_view table, const Place& place);

}  // namespace abgleich::contract
