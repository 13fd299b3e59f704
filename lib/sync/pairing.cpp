#include "sync/pairing.hpp"

#include "contract/include.hpp"
#include "drift/catalog_file.hpp"
#include "sync/long_names.hpp"

#include <fstream>
#include <sstream>

namespace abgleich::sync {

contract::Config load_config(const std::filesystem::path& config, contract::Trust trust) {
  if (trust == contract::Trust::needed) {
    contract::expect_own(config, "the configuration");
    if (const auto shared = contract::find_include(contract::read_text(config), config)) {
      contract::expect_own(*shared, "the included configuration");
    }
  }
  auto read = contract::read_config(config);
  if (trust == contract::Trust::needed) {
    contract::expect_own_files(read);
  }
  return read;
}

Pairing load_pairing(const std::filesystem::path& config, contract::Trust trust,
                     const OnStatement& on_statement) {
  Pairing pairing{.config = load_config(config, trust)};
  pairing.config.primary.on_statement = on_statement;
  pairing.config.secondary.on_statement = on_statement;
  pairing.contract = contract::read_contract(pairing.config.contract);
  refuse_long_names(pairing.config, pairing.contract);
  for (auto& table : pairing.contract.tables) {
    table.min_k = pairing.config.min_k;
  }
  std::ostringstream text;
  text << std::ifstream(pairing.config.contract, std::ios::binary).rdbuf();
  pairing.contract_text = text.str();
  if (std::filesystem::exists(pairing.config.catalog)) {
    pairing.accepted = drift::read_catalog(pairing.config.catalog);
  }
  return pairing;
}

}  // namespace abgleich::sync
