// A contract that is there already, against the primary as it is now: `abgleich init --again`.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

struct GuessedAgain {
  std::string text;                  // of the contract, with what is new
  std::vector<std::string> tables;   // that were added
  std::vector<std::string> columns;  // the same, of tables that were there: "person.fax"
  std::vector<std::string> gone;     // tables and columns that the primary has no longer
  std::vector<std::string> unfit;    // new tables whose guess does not go with the contract
};

/// Adds to a contract what it does not name: new tables, at its end, and new columns of its tables,
/// guessed as in a first contract. What it says stays, word for word. What `accepted` knows is not
/// new: a table is left out, as somebody has decided, and a column is withheld, as it was. So is a
/// column whose guess does not fit the contract; a table that does not is left out, and told.
/// Throws Failure{configuration} where a table's columns are not written as lines of one section.
GuessedAgain guess_again(std::string_view text, const Contract& contract, const Catalog& live,
                         const Catalog* accepted);

}  // namespace abgleich::contract
