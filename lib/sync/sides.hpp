// Both sides and the base of a table held against each other without moving a row: each row goes
// into a sum, by its key into one of many, and where the three sums are equal, so are the rows.
// Memory is the same however many rows.
#pragma once

#include "core/fingerprint.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// The sums of one table. Different sides may be added to by different threads.
class Sides {
 public:
  enum Side : std::uint8_t { base, primary, secondary };

  explicit Sides(const Fingerprinter& fingerprinter);

  /// A row of a side: its key's bytes and its packed digests.
  void add(Side side, std::string_view key, std::string_view cells);
  /// The primary has a row with this key that cannot be compared: whatever has the key is to be
  /// looked at.
  void doubt(std::string_view key);

  /// Once all rows were added: which rows may differ. Rows whose key falls into the same sum as one
  /// that does are among them; rows that are not are as they are on all three. That two different
  /// sets of rows have one sum does not happen but by a chance of 2^-64 each: the fingerprints are
  /// keyed, so nobody can look for them.
  void finish();
  [[nodiscard]] bool agrees(std::string_view key) const;
  [[nodiscard]] bool all_agree() const { return differing_ == 0; }
  /// The share of the sums in use that differ, 0 to 1.
  [[nodiscard]] double share() const;

 private:
  static constexpr std::size_t kSums = std::size_t{1} << 16U;

  [[nodiscard]] std::size_t at(std::string_view key) const;

  const Fingerprinter& fingerprinter_;
  std::array<std::vector<std::uint64_t>, 3> sums_;
  std::array<std::string, 3> scratch_;
  std::vector<bool> differs_;
  std::size_t differing_ = 0;
  std::size_t used_ = 0;
};

}  // namespace abgleich::sync
