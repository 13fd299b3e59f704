// What a first contract says of a table, guessed from names and types alone. Whether the role may
// read the table does not matter, since rights follow from the contract.
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

/// The names that are taken in the secondary, where case does not matter and some names are
/// reserved for the bookkeeping.
class FreeNames {
 public:
  /// Takes the name, or the next free one like it.
  std::string take(const std::string& name);

 private:
  std::set<std::string> taken_;
};

/// Whether it is a table, a partitioned table or a view.
bool offered(const CatalogTable& table);
/// Whether a contract can hold the name at all.
bool writable(std::string_view name);

/// The keys of those tables that have a key that can leave, plain or as a pseudonym.
Identities::Keys guessed_keys(const Catalog& catalog);

/// One line per column, in the table's order. Columns of keys and of foreign keys are pseudonyms,
/// yes/no columns and enumerations plain, all else, and all that sounds personal, withheld. `names`
/// has the names that other columns of the table have in the secondary.
std::vector<GuessedLine> guessed_lines(const CatalogTable& table,
                                       const std::vector<std::string>& key,
                                       const Identities& identities, FreeNames names = {});

/// A table's sections of a contract, after an empty line. REQUIRES: `writable(table.name)`.
std::string section_of(const CatalogTable& table, const std::vector<std::string>& key,
                       const std::string& target, const Identities& identities);
/// The same, commented out and with the reason: for a table without a key in `guessed_keys`.
std::string left_out(const CatalogTable& table, const Identities& identities);

}  // namespace abgleich::contract
