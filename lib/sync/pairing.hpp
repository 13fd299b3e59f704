// Everything that is known of a pairing before a database is asked: configuration, contract,
// accepted catalogue.
#pragma once

#include "contract/config.hpp"
#include "contract/contract.hpp"
#include "contract/trust.hpp"
#include "core/catalog.hpp"
#include "core/trace.hpp"
#include "mask/keyring.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::sync {

struct Pairing {
  contract::Config config;
  contract::Contract contract;
  std::string contract_text;        // as it is in the file
  std::optional<Catalog> accepted;  // empty until the first `drift accept`
};

/// Reads the three files. Throws Failure{configuration}, or Failure{key_or_trust} where somebody
/// else could have written them. `on_statement` is called for every SQL statement that is sent to
/// either database.
Pairing load_pairing(const std::filesystem::path& config,
                     contract::Trust trust = contract::Trust::needed,
                     const OnStatement& on_statement = {});

/// Reads the other two files of a configuration that was read and checked.
Pairing complete_pairing(contract::Config config, const OnStatement& on_statement = {});

/// The keys of the configuration: those in its file, for its domain. Throws Failure{key_or_trust}.
mask::Keyring read_keyring(const contract::Config& config);

/// Reads the configuration only, with the same checks.
contract::Config load_config(const std::filesystem::path& config,
                             contract::Trust trust = contract::Trust::needed);

}  // namespace abgleich::sync
