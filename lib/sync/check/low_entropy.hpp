// Pseudonyms that hide too little: of few values, each can be told by how often it comes, key or no
// key.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "db/primary/source.hpp"
#include "mask/keyring.hpp"

#include <string>
#include <vector>

namespace abgleich::sync {

/// A pseudonym column that is none, and why: "column 'sex' of 'person': its name says so".
struct LowEntropy {
  const contract::Table* table = nullptr;
  const contract::Column* column = nullptr;
  std::string why;
};

/// The pseudonym columns of few values that the contract does not accept with a reason. Columns
/// that carry the identity of some table's key are none. Reads the other pseudonym columns of the
/// primary whole, and counts their values, where neither type nor name says it.
std::vector<LowEntropy> low_entropy_columns(const contract::Contract& contract,
                                            const Catalog& primary, db::Source& source,
                                            const mask::Keyring& keyring);

/// Throws Failure{configuration} that names the first of them with its place, and the others.
void expect_entropy(const std::vector<LowEntropy>& columns);

}  // namespace abgleich::sync
