// Compares both sides and the base of a table without moving rows between the databases. Each row
// is added to one of many sums, chosen by its key; where the sums of all sides are equal, their
// rows are equal. The primary's rows are compared with the base by their digests, and with the
// secondary's rows by their bytes. Memory does not grow with the number of rows.
#pragma once

#include "core/fingerprint.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

/// The sums of one table. One thread may add the primary's rows while another one adds those of
/// base and secondary.
class BucketChecksums {
 public:
  explicit BucketChecksums(const Fingerprinter& fingerprinter);

  /// Adds a row of one side. `key`: its key's bytes; `digests`: packed; `bytes`: two rows have the
  /// same only if all their cells are equal, those of the key included.
  void add_base(std::string_view key, std::string_view digests);
  void add_primary(std::string_view key, std::string_view digests, std::string_view bytes);
  void add_secondary(std::string_view key, std::string_view bytes);
  /// The primary has a row with this key that cannot be compared: `agrees` will be false for it.
  void mark_unequal(std::string_view key);

  /// To be called when all rows were added. Then `agrees` says whether the rows with this key are
  /// equal on all three sides. It is also false for equal rows if another row of the same sum
  /// differs. It is wrongly true only with a probability of 2^-64 for each sum: the fingerprints
  /// are keyed, so nobody can construct such rows.
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
  /// The sums of one side. A row is added only when the next one comes; meanwhile the processor
  /// fetches its sum from memory, since all sums do not fit into the cache.
  class Sums {
   public:
    void add(std::size_t at, Sum sum);
    void finish() { add(0, {}); }
    [[nodiscard]] const Sum& operator[](std::size_t at) const { return sums_[at]; }

    std::string row;  // buffer, reused for each row

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
