// The files that `abgleich init` writes: a configuration, and a contract guessed from a catalogue,
// in which nothing that may be personal starts as plain.
#pragma once

#include "contract/identities.hpp"
#include "core/catalog.hpp"

#include <string>
#include <string_view>

namespace abgleich::contract {

/// The text of abgleich.toml, with comments. The URLs stand in it as they are: a relative SQLite
/// path is relative to the file. REQUIRES: parse_endpoint takes both.
std::string config_text(std::string_view primary_url, std::string_view secondary_url);

/// The text of contract.toml, with comments; parse_contract takes it whatever the names in the
/// catalogue are. Tables, partitioned tables and views are in it; one without a usable key is in it
/// as a comment that says why. Whether the role may read them makes no difference. Columns of keys
/// and of foreign keys between the tables start as pseudonyms; yes/no columns and enumerations as
/// plain; all else, and all that sounds personal, as withheld.
std::string contract_text(const Catalog& catalog);

/// Whose identity the columns carry that start as pseudonyms: those of keys, and of foreign keys.
Identities guessed_identities(const Catalog& catalog);

}  // namespace abgleich::contract
