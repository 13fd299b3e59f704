// The contract applied to the primary's catalogue: what is read of each table, what it becomes in
// the secondary, and by which rules it merges.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "core/digest.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/relation.hpp"
#include "db/primary/source.hpp"
#include "drift/drift.hpp"
#include "mask/keyring.hpp"
#include "merge/merge.hpp"
#include "sync/mapping/column_history.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {
class Target;
}

namespace abgleich::sync {

/// One table of the contract that can be synchronised.
struct ExportedTable {
  const contract::Table* table = nullptr;
  std::vector<const contract::Column*> columns;  // exported and in the primary, in contract order
  std::vector<const CatalogColumn*> sources;     // the same columns in the primary
  std::vector<std::string> labels;               // the names that their digests are bound to
  std::vector<std::string> previous_labels;      // the base's layout before this run; empty: new
  std::string called;    // its old name, where nothing but a `was` says that it is the same table
  ColumnHistory layout;  // what the bookkeeping will say of its columns
  std::set<std::size_t> refilled;  // columns that are filled again from the primary
  std::set<std::size_t> referred;  // columns that foreign keys of exported tables refer to
  bool made_here = false;          // the secondary did not have the table before this run
  db::Relation relation;
  merge::Rules rules;
  SipKeys digest_keys;
};

/// The tables that the secondary's bookkeeping knows; none before the first run.
std::vector<db::TrackedRow> known_tables(db::Target& target);

/// What the bookkeeping knows of a table, under its name or its `was`; null where it knows nothing.
const db::TrackedRow* find_tracked(const std::vector<db::TrackedRow>& tracked,
                                   const contract::Table& table);

/// The tables that no drift blocks, parents before children as far as there is an order. `tracked`
/// says under which numbers and names the secondary knows them already. Throws
/// Failure{configuration} where a class does not fit a column's type, with its place.
std::vector<ExportedTable> export_tables(const contract::Contract& contract, const Catalog& primary,
                                         const std::vector<drift::Event>& drift,
                                         const std::vector<db::TrackedRow>& tracked,
                                         const mask::Keyring& keyring);

/// The row with only those cells that other tables can refer to; the others are NULL. Empty where
/// no table refers to this one.
std::optional<Row> referred_cells(const ExportedTable& exported, const Row& row);

/// The contract's conditions for which rows leave. A Source that reads rows is opened with these.
db::RowFilters filters_of(const contract::Contract& contract);

/// The tables and columns of the primary that a run reads.
std::vector<db::Reading> readings_of(const contract::Contract& contract);

/// How the bookkeeping is to remember a table from now on.
db::TrackedRow tracked_row(const ExportedTable& exported);

/// Whether base rows and the journal's images have the same columns in the same order in both.
bool same_order(const db::TrackedRow& one, const db::TrackedRow& other);

/// The relation of a tracked table as the last run left it, for work that does not ask the primary
/// (`resolve`, `conflicts`). Without foreign keys, and still to be located.
db::Relation relation_of(const db::TrackedRow& row);

/// The relations of all of them, in the same order.
std::vector<db::Relation> relations_of(const std::vector<ExportedTable>& tables);

/// Throws Failure{integrity}: the base of this table is not what the last run has left.
[[noreturn]] void damaged_base(const std::string& table);

/// A base row's digests. Throws Failure{integrity} where there is not exactly one for each column.
std::vector<Digest> base_digests(const db::Relation& relation, std::string_view packed);

/// The keys that a tracked table's digests are made with, one for each exported column.
SipKeys digest_keys_of(const db::TrackedRow& row, const mask::Keyring& keyring);

/// The bytes that stand for a row's key; only the key's cells are read.
void key_bytes_of(const db::Relation& relation, const Row& row, std::string& bytes);

/// The digests of a masked row, one for each of the relation's columns. Sets `key_bytes`, too.
void digest_row(const db::Relation& relation, const SipKeys& keys, const Row& row,
                std::string& key_bytes, std::vector<Digest>& digests);
void digest_row(const ExportedTable& exported, const Row& row, std::string& key_bytes,
                std::vector<Digest>& digests);

}  // namespace abgleich::sync
