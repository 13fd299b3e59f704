#include "sync/pairing.hpp"

#include "contract/include.hpp"
#include "contract/routing.hpp"
#include "contract/tokens.hpp"
#include "core/error.hpp"
#include "core/token.hpp"
#include "drift/catalog_file.hpp"
#include "exchange/node.hpp"
#include "sync/long_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

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
  auto read = load_config(config, trust);
  if (!read.pairs) {
    throw Failure(
        Code::configuration,
        fmt::format("'{}' does not pair the primary with the secondary: it has peers, and "
                    "no 'contract'",
                    read.file.string()),
        "name what you mean: --peer NAME for what comes from a peer, --peer to:NAME for "
        "what goes to it");
  }
  return complete_pairing(std::move(read), on_statement);
}

namespace {

bool has_issued(const contract::Contract& contract) {
  return std::ranges::any_of(contract.tables, [](const contract::Table& table) {
    return std::ranges::any_of(table.columns, contract::is_issued);
  });
}

}  // namespace

mask::Keyring read_keyring(const contract::Config& config) {
  auto keyring = mask::Keyring::read(config.key_file);
  return config.domain.empty() ? std::move(keyring)
                               : keyring.of_domain(config.domain, config.issuer);
}

Pairing complete_pairing(contract::Config config, const OnStatement& on_statement) {
  Pairing pairing{.config = std::move(config)};
  pairing.config.primary.on_statement = on_statement;
  pairing.config.secondary.on_statement = on_statement;
  pairing.contract = contract::read_contract(pairing.config.contract);
  if (const auto& routes = pairing.config.routes) {
    pairing.contract = contract::routed(std::move(pairing.contract), *routes);
  } else {
    contract::expect_not_routed(pairing.contract);
  }
  contract::expect_tokens_fit(pairing.config, pairing.contract);
  if (pairing.config.routes && has_issued(pairing.contract)) {
    pairing.config.issuer =
        issuer_of(exchange::id_text(exchange::Node::read(pairing.config.identity).card().id));
  }
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
