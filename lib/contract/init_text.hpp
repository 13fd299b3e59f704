// The files that `abgleich init` writes: a configuration, and a contract guessed from a catalogue,
// in which nothing that may be personal starts as plain.
#pragma once

#include "contract/identities.hpp"
#include "core/catalog.hpp"

#include <string>
#include <string_view>

namespace abgleich::contract {

/// The text of abgleich.toml, with comments. The URLs stand in it as they are: a relative SQLite
/// path is relative to the file. REQUIRES: `parse_endpoint` accepts both.
std::string config_text(std::string_view primary_url, std::string_view secondary_url);

/// The text of contract.toml, with comments; `parse_contract` accepts it whatever the names in the
/// catalogue are. It has tables, partitioned tables and views; one without a usable key is
/// commented out, with the reason. Whether the role may read them makes no difference. Columns of
/// keys and of foreign keys between the tables start as pseudonyms; yes/no columns and enumerations
/// as plain; all else, and all that sounds personal, as withheld.
std::string contract_text(const Catalog& catalog);

/// The identities of the columns that start as pseudonyms: those of keys and of foreign keys.
Identities guessed_identities(const Catalog& catalog);

}  // namespace abgleich::contract
