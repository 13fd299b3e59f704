// One table of the contract whose rows the secondary knows by another key than the contract says:
// what is what until now and from now on.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/relation.hpp"
#include "drift/drift.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/pairing.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

/// The columns by which the secondary knows a table's rows, where they are others than the contract
/// says; by the names that the last run left.
std::vector<std::string> other_key(const db::TrackedRow& row, const contract::Table& table);

/// Adds the tables whose contract has another key than the secondary's rows are known by: each is
/// blocked, and the others are not.
void note_other_keys(std::vector<drift::Event>& events, const Pairing& pairing,
                     const std::vector<db::TrackedRow>& tracked);
/// The same for commands that have not opened the secondary: it is asked, if it is there.
void note_other_keys(std::vector<drift::Event>& events, const Pairing& pairing);

struct KeyChange {
  ExportedTable now;  // as from now on
  db::Relation
      before;  // its rows by the key until now: what is exported, then what is not any more
  /// Which column each of the key's until now is: an exported one, or one that is only kept.
  bool old_key_exported = true;
  /// For every exported column its place in a base row until now; empty for a new one.
  std::vector<std::optional<std::size_t>> places;
  std::size_t width = 0;  // of a base row until now
  /// Names that records may have for each column of the key until now.
  std::vector<std::vector<std::string>> old_names;
  bool keeps_order = true;  // records of earlier runs still fit: only key columns are new

  /// Whether every column of the new key was exported before, so that the secondary has its values.
  [[nodiscard]] bool new_key_known() const;
};

/// Throws Failure{drift_decision} where neither side can tell which key a row has. `tables`: all
/// that are exported, of which it takes the one.
KeyChange key_change(std::vector<ExportedTable>& tables, const contract::Table& table,
                     const db::TrackedRow& row);

/// What to write so that rows can be told by both keys.
std::string how_to_rekey(const std::string& table);

}  // namespace abgleich::sync
