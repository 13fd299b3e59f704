// Both sides and the base of a table compared without moving a row: each row goes
// into a sum, by its key into one of many, and where the sums are equal, so are the rows. The
// primary's rows are compared with the base's by their digests and with the secondary's by their
// bytes. Memory is the same however many rows.
#pragma once

#include "core/fingerprint.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// The sums of one table. Different sides may be added to by different threads.
class BucketChecksums {
 public:
  explicit BucketChecksums(const Fingerprinter& fingerprinter);

  /// A row of a side: its key's bytes, its packed digests, and bytes that are equal only where all
  /// of its cells are, the key's included.
  void add_base(std::string_view key, std::string_view digests);
  void add_primary(std::string_view key, std::string_view digests, std::string_view bytes);
  void add_secondary(std::string_view key, std::string_view bytes);
  /// The primary has a row with this key that cannot be compared: whatever has the key is to be
  /// looked at.
  void mark_unequal(std::string_view key);

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

  struct Sum {
    std::uint64_t digests = 0;
    std::uint64_t bytes = 0;

    bool operator==(const Sum&) const = default;
  };
  /// One side's. What is to be added waits until the next comes, and its place is on the way from
  /// memory meanwhile: the sums are more than fit close to the processor.
  class Sums {
   public:
    void add(std::size_t at, Sum sum);
    void finish() { add(0, {}); }
    [[nodiscard]] const Sum& operator[](std::size_t at) const { return sums_[at]; }

    std::string row;  // memory to put a row together in

   private:
    std::vector<Sum> sums_ = std::vector<Sum>(kSums);
    std::size_t waiting_at_ = 0;
    Sum waiting_;
  };
  [[nodiscard]] std::size_t at(std::string_view key) const;
  [[nodiscard]] std::uint64_t of_digests(std::string_view key, std::string_view digests,
                                         std::string& row) const;

  const Fingerprinter& fingerprinter_;
  Sums primary_;
  Sums secondary_;  // the base by its digests, the data by its bytes
  std::vector<bool> differs_;
  std::size_t differing_ = 0;
  std::size_t used_ = 0;
};

}  // namespace abgleich::sync
