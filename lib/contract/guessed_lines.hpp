// What a first contract says of a table, guessed from names and types alone: whether the role may
// read it does not matter, since rights follow from the contract.
#pragma once

#include "contract/identities.hpp"
#include "core/catalog.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

/// One line of a table's columns. Without a key it is a comment only.
struct GuessedLine {
  std::string key;      // as TOML has it
  std::string value;    // the same
  std::string comment;  // without the #
};

/// Names in the secondary, where capitals do not make a difference and the bookkeeping has its own.
class FreeNames {
 public:
  /// The name, or the next free one like it.
  std::string take(const std::string& name);

 private:
  std::set<std::string> taken_;
};

/// Tables, partitioned tables and views.
bool offered(const CatalogTable& table);
/// Whether a contract can hold the name at all.
bool writable(std::string_view name);

/// The keys of the tables that have one which can leave, plain or as a pseudonym.
Identities::Keys guessed_keys(const Catalog& catalog);

/// A line a column, in the table's order. Columns of keys and of foreign keys are pseudonyms,
/// yes/no columns and enumerations plain, all else, and all that sounds personal, withheld. `names`
/// knows the names that the table's other columns have in the secondary.
std::vector<GuessedLine> guessed_lines(const CatalogTable& table,
                                       const std::vector<std::string>& key,
                                       const Identities& identities, FreeNames names = {});

/// A table's sections of a contract, after an empty line. REQUIRES: `writable` holds of its name.
std::string section_of(const CatalogTable& table, const std::vector<std::string>& key,
                       const std::string& target, const Identities& identities);
/// The same as a comment that says why: for a table without a key of `guessed_keys`.
std::string left_out(const CatalogTable& table, const Identities& identities);

}  // namespace abgleich::contract
