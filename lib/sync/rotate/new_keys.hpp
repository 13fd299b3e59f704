// Finds the new key of a row by its old one. Both are masked, as the secondary has them.
#pragma once

#include "core/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace abgleich::sync {

/// The cells of a key, in the order of its columns.
using KeyCells = std::vector<Value>;

/// A key as bytes, which digests are bound to, and back. Throws Failure{bug} for bytes that are no
/// key.
std::string bytes_of(const KeyCells& key);
KeyCells key_from(std::string_view bytes);

/// Holds every pair in memory: some 250 bytes a row.
class NewKeys {
 public:
  enum class Added : std::uint8_t { yes, old_key_known, new_key_taken };
  /// Adds nothing where another row has one of the two already.
  [[nodiscard]] Added add(const std::string& old_key, const std::string& new_key);

  /// The bytes of the new key; empty where the row is not known.
  [[nodiscard]] std::optional<std::string> find(const std::string& old_key) const;

 private:
  std::unordered_map<std::string, std::string> keys_;
  std::unordered_set<std::string> taken_;
};

}  // namespace abgleich::sync
