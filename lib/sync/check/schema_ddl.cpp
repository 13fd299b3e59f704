#include "sync/check/schema_ddl.hpp"

#include "db/secondary/secondary_constraints.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/detect/value_check.hpp"
#include "sync/mapping/constraints.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/recover.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::sync {

SchemaDdl schema_ddl(const Pairing& given, const Catalog& live) {
  const auto keyring = read_keyring(given.config);
  auto events = drift_events(given, live);
  db::Target target(given.config.secondary, db::Mode::dry);
  target.load_catalog();
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, live, tracked);
  assume_types(events, pairing, tracked, live, Assumption::until_compared, {});
  SchemaDdl script;
  auto tables = export_tables(pairing.contract, live, events, tracked, keyring);
  follow_constraints(pairing, target, tables);
  for (const auto& table : pairing.contract.tables) {
    if (drift::is_blocked(events, pairing.contract, table)) {
      script.blocked.push_back(table.name);
    }
  }
  const db::SecondarySchema schema(target);
  const auto located = schema.locate(relations_of(tables));
  script.forward = located.missing_ddl;
  std::ranges::move(db::SecondaryConstraints(target).lacking(located.relations),
                    std::back_inserter(script.forward));
  script.back = schema.undo_ddl(located);
  return script;
}

}  // namespace abgleich::sync
