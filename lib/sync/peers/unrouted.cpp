#include "sync/peers/unrouted.hpp"

#include "contract/contract.hpp"
#include "contract/routing.hpp"
#include "core/condition_misfit.hpp"
#include "core/token.hpp"
#include "db/primary/source.hpp"
#include "exchange/revoked_cards.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace abgleich::sync {

namespace {

using contract::RoutedRows;

/// What all peers take, by the contract that they get.
std::map<std::filesystem::path, contract::Takers> takers_by_contract(const contract::Config& node) {
  std::map<std::filesystem::path, contract::Takers> all;
  for (const auto& section : node.exchange.peers) {
    if (section.sends && !exchange::is_revoked(node.cards, section.pattern)) {
      all[one_spelling(*section.sends)].takes.push_back(section.takes);
    }
  }
  for (const auto& peer : known_peers(node).peers) {
    if (peer.section.sends) {
      all[one_spelling(*peer.section.sends)].issuers.push_back(
          issuer_of(exchange::id_text(peer.pinned.card.id)));
    }
  }
  return all;
}

/// Whether the table can be asked for all three numbers.
bool can_be_asked(const RoutedRows& rows, const Catalog& catalog) {
  const auto* table = catalog.find_table(rows.table);
  const auto fits = [&](const std::optional<Condition>& condition) {
    return !condition || !misfit_of(*condition, *table, &catalog);
  };
  return table != nullptr && fits(rows.all) && fits(rows.going) && fits(rows.disputed);
}

}  // namespace

std::vector<report::Unrouted> find_unrouted(const contract::Config& node,
                                            const OnStatement& on_statement) {
  auto primary = node.primary;
  primary.on_statement = on_statement;
  std::vector<report::Unrouted> found;
  for (const auto& [file, takers] : takers_by_contract(node)) {
    const auto contract = contract::read_contract(file);
    const auto tables = contract::routed_rows(contract, takers);
    if (tables.empty()) {
      continue;
    }
    db::Source source(primary);  // one snapshot, so that the numbers fit together
    for (const auto& rows : tables) {
      if (!can_be_asked(rows, source.catalog())) {
        continue;
      }
      const auto none = [&](const std::optional<Condition>& condition) {
        return condition ? source.count_rows(rows.table, condition) : 0;
      };
      const auto all = source.count_rows(rows.table, rows.all);
      const auto left = all - none(rows.going);
      if (left > 0) {
        const auto disputed = none(rows.disputed);
        found.push_back({.table = rows.table,
                         .column = rows.column,
                         .follows = !contract.find_table(rows.table)->follows.empty(),
                         .by_none = left - disputed,
                         .by_many = disputed});
      }
    }
  }
  return found;
}

}  // namespace abgleich::sync
