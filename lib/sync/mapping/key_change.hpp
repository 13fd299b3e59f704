// A table for which the contract names another key than the one by which the secondary knows its
// rows: its layout with the old key and with the new one.
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

/// The columns by which the secondary knows a table's rows, by their names in the primary at the
/// last run; empty where the contract's key has the same columns.
std::vector<std::string> other_key(const db::TrackedRow& row, const contract::Table& table);

/// Adds a blocking event for every table for which the contract names another key than the one by
/// which the secondary knows its rows.
void note_other_keys(std::vector<drift::Event>& events, const Pairing& pairing,
                     const std::vector<db::TrackedRow>& tracked);
/// The same for commands that have not opened the secondary: opens it, if that is possible.
void note_other_keys(std::vector<drift::Event>& events, const Pairing& pairing);

struct KeyChange {
  ExportedTable now;    // with the new key
  db::Relation before;  // with the old key: exported columns, then those of the key that are kept
  /// Whether every column of the old key is still exported; otherwise some are only kept.
  bool old_key_exported = true;
  /// For every exported column its place in a base row of the last run; empty for a new column.
  std::vector<std::optional<std::size_t>> places;
  std::size_t width = 0;  // of such a base row, in cells
  /// For each column of the old key, the names that it may have in records of earlier runs.
  std::vector<std::vector<std::string>> old_names;
  bool keeps_order = true;  // records of earlier runs still fit: only key columns are new

  /// Whether every column of the new key was exported before, so that the secondary has its values.
  [[nodiscard]] bool new_key_known() const;
};

/// `tables`: all that are exported; this one is moved out of them. Throws Failure{drift_decision}
/// where neither side has both keys of its rows, or the contract erases a column of the old key.
KeyChange key_change(std::vector<ExportedTable>& tables, const contract::Table& table,
                     const db::TrackedRow& row);

/// The command that gives a table's rows the contract's key, for hints.
std::string how_to_rekey(const std::string& table);

}  // namespace abgleich::sync
