#include "sync/check/grants.hpp"

#include "db/secondary/rights.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/schema.hpp"

#include <cstdint>
#include <vector>

namespace abgleich::sync {

std::optional<db::Grants> grants_in_primary(const Pairing& pairing) {
  auto readings = readings_of(pairing.contract);
  for (const auto& file : pairing.config.also_read) {
    const auto more = readings_of(contract::read_contract(file));
    readings.insert(readings.end(), more.begin(), more.end());
  }
  return db::Source(pairing.config.primary).grants(readings);
}

namespace {

enum class Books : std::uint8_t { read, unreadable };

/// What the role in the secondary needs follows from the contract and the primary's schema. It does
/// not depend on what the role in the primary may read already.
Catalog as_if_readable(Catalog catalog) {
  for (auto& table : catalog.tables) {
    for (auto& column : table.columns) {
      column.readable = true;
    }
  }
  return catalog;
}

std::optional<db::Grants> ask_secondary(const Pairing& pairing, Books books) {
  const auto keyring = read_keyring(pairing.config);
  const auto primary = as_if_readable(db::Source(pairing.config.primary).catalog());
  db::Target target(pairing.config.secondary, db::Mode::dry);
  target.load_catalog();
  const auto tracked = books == Books::read ? known_tables(target) : std::vector<db::TrackedRow>{};
  const auto settled = settle_identities(pairing, primary, tracked);
  auto tables =
      export_tables(settled.contract, primary, drift_events(settled, primary), tracked, keyring);
  const auto ddl =
      books == Books::read ? lacking_ddl(settled, target, tables) : std::vector<std::string>{};
  return db::grants(target, relations_of(tables), ddl);
}

}  // namespace

std::optional<db::Grants> grants_in_secondary(const Pairing& pairing) {
  try {
    return ask_secondary(pairing, Books::read);
  } catch (const db::Fault& fault) {
    if (fault.cause() != db::Fault::Cause::rights) {
      throw;
    }
  }
  // among the rights that are missing is that to read the bookkeeping
  return ask_secondary(pairing, Books::unreadable);
}

}  // namespace abgleich::sync
