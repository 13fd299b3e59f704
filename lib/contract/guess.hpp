// Where a contract lets leave what `abgleich init` would have kept back, by its own guess.
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
/// gives no reason (`because`). What init itself proposes (a birth date by its year or month or in
/// bands of age) and what only lets values of the contract's own leave (a map, a constant, codes)
/// contradicts nothing.
std::vector<Doubt> doubtful_columns(const Contract& contract, const Catalog& primary);

}  // namespace abgleich::contract
