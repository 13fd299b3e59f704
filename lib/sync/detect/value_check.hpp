// Tests hypotheses on the data: that every value of a column with another type reads as before, and
// that a column or table with a `was` in the contract holds the values of the old one.
#pragma once

#include "db/secondary/staged_table.hpp"
#include "drift/drift.hpp"
#include "sync/detect/stage.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::sync {

/// A hypothesis that the data contradicts.
struct ValueMismatch {
  std::string table;
  std::string column;      // empty: of the table as a whole
  std::string was;         // of a rename: the old name; empty: a change of type
  std::int64_t rows = 0;   // of the base, that speak for the hypothesis or against it
  std::int64_t other = 0;  // of these: with another value, or with none that is known
};

/// Which changes of type are assumed to be harmless.
enum class Assumption : std::uint8_t {
  proven,          // only where an earlier run has compared all values
  until_compared,  // all, until this run has compared the values: `find_mismatches`
};

/// Turns `block` into `adapt` for changes of type that are assumed to be harmless. For mismatches,
/// says in the hint why they block; those of a rename get an event of their own.
void assume_types(std::vector<drift::Event>& events, const Pairing& pairing,
                  const std::vector<db::TrackedRow>& tracked, const Catalog& live,
                  Assumption assumption, const std::vector<ValueMismatch>& mismatches);

/// Compares the staged rows of one table with the base, where there are hypotheses on it. Appends
/// what the data contradicts to `mismatches`, and renames that it confirms, with the share of rows,
/// to `events`.
void find_mismatches(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                     const Pairing& pairing, std::vector<drift::Event>& events,
                     std::vector<ValueMismatch>& mismatches);

}  // namespace abgleich::sync
