#include "sync/script.hpp"

#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "sync/constraints.hpp"
#include "sync/exported.hpp"
#include "sync/proof.hpp"
#include "sync/recover.hpp"
#include "sync/settle_identities.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::sync {

Script schema_script(const Pairing& given, const Catalog& live) {
  const auto keyring = mask::Keyring::read(given.config.key_file);
  auto events = drift_events(given, live);
  db::Target target(given.config.secondary, db::Mode::dry);
  target.load_catalog();
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, live, tracked);
  weigh(events, pairing, tracked, live, Belief::on_trial, {});
  Script script;
  auto tables = export_tables(pairing.contract, live, events, tracked, keyring);
  follow_constraints(pairing, target, tables);
  auto relations = relations_of(tables);
  for (const auto& table : pairing.contract.tables) {
    if (drift::blocks(events, table.name)) {
      script.blocked.push_back(table.name);
    }
  }
  script.forward = target.missing_ddl(relations);
  std::ranges::move(target.lacking_constraints(relations), std::back_inserter(script.forward));
  script.back = target.undo_ddl(relations);
  return script;
}

}  // namespace abgleich::sync
