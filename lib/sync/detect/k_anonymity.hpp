// Rows whose quasi-identifiers too few subjects share: they are held back.
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

/// What the quasi-identifiers of one table are shared by, in the primary as it would leave.
class KAnonymity {
 public:
  /// Reads the table's subjects and quasi-identifiers whole, masked, and counts the subjects of
  /// each combination; NULL is a value like another, and a row without a subject is one of its own.
  /// Some 16 bytes of memory a row. Without the table's `min_k` or quasi-identifiers nothing is
  /// read, and nothing is rare.
  KAnonymity(db::Source& source, const ExportedTable& exported, const mask::Keyring& keyring);

  /// Whether fewer than `min_k` subjects share this row's quasi-identifiers. `row` is masked, of
  /// the exported columns.
  [[nodiscard]] bool rare(const Row& row);

 private:
  [[nodiscard]] std::uint64_t group_of(const Row& row, const std::vector<std::size_t>& columns);

  std::int64_t min_k_;
  std::vector<std::size_t> quasi_;                            // of the exported columns
  std::unordered_map<std::uint64_t, std::int64_t> subjects_;  // by fingerprint of the combination
  std::string bytes_;
};

/// Why such a row is held back.
std::string rarity_reason(const contract::Table& table);
/// The same of one that the secondary still has: it was edited there, or other rows refer to it.
std::string still_there_reason(const contract::Table& table);

}  // namespace abgleich::sync
