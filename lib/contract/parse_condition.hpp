// `where` of a table: a small language of its own. It looks like SQL, but has nothing that could do
// harm on a server: no function, no subquery, no statement.
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
// The words may be in upper or lower case. As in SQL, NULL is neither equal nor unequal to
// anything.
#pragma once

#include "contract/place.hpp"
#include "core/condition.hpp"

#include <string_view>

namespace abgleich::contract {

/// Throws Failure{configuration} with what is wrong, at which character, and what to write instead;
/// never with a value. `table` is the name of the table, `place` that of the string.
Condition parse_condition(std::string_view text, std::string_view table, const Place& place);

}  // namespace abgleich::contract
