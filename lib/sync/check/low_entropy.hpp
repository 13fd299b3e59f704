// Pseudonyms that hide too little: where a column has few values, the frequency of each pseudonym
// tells which value it stands for, even without the key.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "db/primary/source.hpp"
#include "mask/keyring.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

/// A pseudonym column that hides too little, and why: "it is true or false".
struct LowEntropy {
  const contract::Table* table = nullptr;
  const contract::Column* column = nullptr;
  std::string why;
};

/// The pseudonym columns of few values, except those that the contract accepts with a reason. Where
/// type, contract and name do not decide, all rows of the primary are read and the values counted.
/// An identity that is the key of some table may have fewer values than other identities.
std::vector<LowEntropy> low_entropy_columns(const contract::Contract& contract,
                                            const Catalog& primary, db::Source& source,
                                            const mask::Keyring& keyring);

/// Throws Failure{configuration} where there are any: it names the first with its place in the
/// contract, and then the others.
void expect_entropy(const std::vector<LowEntropy>& columns);

}  // namespace abgleich::sync
