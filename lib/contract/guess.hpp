// Columns that a contract lets leave although `abgleich init` would have withheld them, or made
// pseudonyms of them, by its own guess.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"

#include <string>
#include <vector>

namespace abgleich::contract {

struct Doubt {
  std::string table;
  std::string column;
  std::string why;
  std::string hint;
};

/// What to do about a doubt.
std::string how_to_settle(const Column& column);

/// The columns, in the contract's order, that leave plain or generalised although their name sounds
/// personal or `init` would have made a pseudonym of them (keys and foreign keys), and whose line
/// gives no reason (`because`). Not among them: what init itself proposes (a birth date by year,
/// month or age band), and columns of which only values written in the contract leave (a map, a
/// constant, codes).
std::vector<Doubt> doubtful_columns(const Contract& contract, const Catalog& primary);

}  // namespace abgleich::contract
