#include "sync/detect/bucket_checksums.hpp"

namespace abgleich::sync {

BucketChecksums::BucketChecksums(const Fingerprinter& fingerprinter)
    : fingerprinter_(fingerprinter), differs_(kSums, false) {}

void BucketChecksums::Sums::add(std::size_t at, Sum sum) {
  __builtin_prefetch(&sums_[at], 1);
  sums_[waiting_at_].digests += waiting_.digests;
  sums_[waiting_at_].bytes += waiting_.bytes;
  waiting_at_ = at;
  waiting_ = sum;
}

std::size_t BucketChecksums::at(std::string_view key) const {
  return static_cast<std::size_t>(fingerprinter_.of(key).low % kSums);
}

std::uint64_t BucketChecksums::of_digests(std::string_view key, std::string_view digests,
                                          std::string& row) const {
  // every row has the same number of digests, so it is clear where the key begins
  row.assign(digests);
  row += key;
  return fingerprinter_.of(row).low;
}

void BucketChecksums::add_base(std::string_view key, std::string_view digests) {
  secondary_.add(at(key), {.digests = of_digests(key, digests, secondary_.row)});
}

void BucketChecksums::add_primary(std::string_view key, std::string_view digests,
                                  std::string_view bytes) {
  primary_.add(at(key), {.digests = of_digests(key, digests, primary_.row),
                         .bytes = fingerprinter_.of(bytes).low});
}

void BucketChecksums::add_secondary(std::string_view key, std::string_view bytes) {
  secondary_.add(at(key), {.bytes = fingerprinter_.of(bytes).low});
}

void BucketChecksums::mark_unequal(std::string_view key) {
  differs_[at(key)] = true;
}

void BucketChecksums::finish() {
  primary_.finish();
  secondary_.finish();
  for (std::size_t i = 0; i < kSums; ++i) {
    if (primary_[i] != secondary_[i]) {
      differs_[i] = true;
    }
    used_ += differs_[i] || primary_[i] != Sum{} ? 1U : 0U;
    differing_ += differs_[i] ? 1U : 0U;
  }
}

bool BucketChecksums::agrees(std::string_view key) const {
  return !differs_[at(key)];
}

double BucketChecksums::share() const {
  return used_ == 0 ? 0 : static_cast<double>(differing_) / static_cast<double>(used_);
}

}  // namespace abgleich::sync
