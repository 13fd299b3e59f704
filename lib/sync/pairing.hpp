// Everything that is known of a pairing before a database is asked: configuration, contract,
// accepted catalogue.
#pragma once

#include "contract/config.hpp"
#include "contract/contract.hpp"
#include "core/catalog.hpp"

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

/// Reads the three files. Throws Failure{configuration}.
Pairing load_pairing(const std::filesystem::path& config);

}  // namespace abgleich::sync
