// Finds rare rows: too few subjects share their quasi-identifiers, so they are held back.
#pragma once

#include "db/primary/source.hpp"
#include "mask/keyring.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace abgleich::sync {

/// How many subjects share each combination of one table's quasi-identifiers, counted over the
/// masked rows of the primary.
class KAnonymity {
 public:
  /// Reads subject and quasi-identifiers of every row, masks them, and counts the subjects of each
  /// combination. NULL counts as a value, and a row without a subject as a subject of its own.
  /// Takes about 16 bytes of memory for each row. If the table's `min_k` is below 2 or it has no
  /// quasi-identifiers, nothing is read and no row is rare.
  KAnonymity(db::Source& source, const ExportedTable& exported, const mask::Keyring& keyring);

  /// Whether fewer than `min_k` subjects share this row's quasi-identifiers. `row`: masked, with
  /// all exported columns.
  [[nodiscard]] bool rare(const Row& row);

 private:
  [[nodiscard]] std::uint64_t group_of(const Row& row, const std::vector<std::size_t>& columns);

  std::int64_t min_k_;
  std::vector<std::size_t> quasi_;                            // of the exported columns
  std::unordered_map<std::uint64_t, std::int64_t> subjects_;  // by fingerprint of the combination
  std::string bytes_;
};

/// Why a rare row is held back, for people.
std::string rarity_reason(const contract::Table& table);
/// The same for a row that the secondary still has: it was edited there, or other rows refer to it.
std::string still_there_reason(const contract::Table& table);

}  // namespace abgleich::sync
