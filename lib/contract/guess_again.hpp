// Adds to an existing contract what is new in the primary: `abgleich init --again`.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

struct GuessedAgain {
  std::string text;                  // of the contract, with what is new
  std::vector<std::string> tables;   // those that were added
  std::vector<std::string> columns;  // those added to tables that were named already: "person.fax"
  std::vector<std::string> gone;     // tables and columns that the primary no longer has
  std::vector<std::string> unfit;    // new tables whose guess contradicts the contract
};

/// Adds what a contract does not name: new tables at its end, and new columns of its tables,
/// guessed as in a first contract. The existing text stays word for word. What `accepted` (may be
/// null) has already is not new: such a table is left out, since somebody has decided that, and
/// such a column is added as withheld. A column is also added as withheld where its guess
/// contradicts the contract; a table is then left out and listed in `unfit`. Throws
/// Failure{configuration} where a table's columns are not written as lines of one section.
GuessedAgain guess_again(std::string_view text, const Contract& contract, const Catalog& live,
                         const Catalog* accepted);

}  // namespace abgleich::contract
