#include "sync/check/secondary_look.hpp"

#include "db/secondary/target.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/schema.hpp"

#include <filesystem>

namespace abgleich::sync {

SecondaryLook look_at_secondary(const Pairing& pairing, db::Target& target,
                                const mask::Keyring& keyring, const Catalog& live,
                                const std::vector<drift::Event>& drift) {
  SecondaryLook look;
  try {
    const auto tracked = known_tables(target);
    const auto settled = settle_identities(pairing, live, tracked);
    auto tables = export_tables(settled.contract, live, drift, tracked, keyring);
    look.events = find_secondary_drift(settled, target, {}, tables);
    refuse_lost_tables(target, tables);
  } catch (const Failure& failure) {
    look.why_not = failure.error();
  }
  return look;
}

SecondaryLook look_at_secondary(const Pairing& pairing, const Catalog& live,
                                const std::vector<drift::Event>& drift) {
  const auto& file = pairing.config.secondary.file;
  if (!file.empty() && !std::filesystem::exists(file)) {
    return {};  // the first run makes it
  }
  try {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    (void)open_to_look(pairing, target);
    return look_at_secondary(pairing, target, read_keyring(pairing.config), live, drift);
  } catch (const Failure& failure) {
    return {.events = {}, .why_not = failure.error()};
  }
}

}  // namespace abgleich::sync
