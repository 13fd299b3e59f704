#include "sync/script.hpp"

#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "sync/exported.hpp"
#include "sync/proof.hpp"
#include "sync/recover.hpp"

#include <utility>

namespace abgleich::sync {

Script schema_script(const Pairing& pairing, const Catalog& live) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  auto events = drift_events(pairing, live);
  db::Target target(pairing.config.secondary, db::Mode::dry);
  target.load_catalog();
  const auto tracked = known_tables(target);
  weigh(events, pairing, tracked, live, Belief::on_trial, {});
  Script script;
  std::vector<db::Relation> relations;
  for (auto& exported : export_tables(pairing.contract, live, events, tracked, keyring)) {
    relations.push_back(std::move(exported.relation));
  }
  for (const auto& table : pairing.contract.tables) {
    if (drift::blocks(events, table.name)) {
      script.blocked.push_back(table.name);
    }
  }
  script.forward = target.missing_ddl(relations);
  script.back = target.undo_ddl(relations);
  return script;
}

}  // namespace abgleich::sync
