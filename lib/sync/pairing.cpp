#include "sync/pairing.hpp"

#include "drift/catalog_file.hpp"

#include <fstream>
#include <sstream>

namespace abgleich::sync {

Pairing load_pairing(const std::filesystem::path& config) {
  Pairing pairing{.config = contract::read_config(config)};
  pairing.contract = contract::read_contract(pairing.config.contract);
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
