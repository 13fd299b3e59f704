#include "sync/sides.hpp"

namespace abgleich::sync {

Sides::Sides(const Fingerprinter& fingerprinter)
    : fingerprinter_(fingerprinter), differs_(kSums, false) {}

void Sides::Sums::add(std::size_t at, Sum sum) {
  __builtin_prefetch(&sums_[at], 1);
  sums_[waiting_at_].digests += waiting_.digests;
  sums_[waiting_at_].bytes += waiting_.bytes;
  waiting_at_ = at;
  waiting_ = sum;
}

std::size_t Sides::at(std::string_view key) const {
  return static_cast<std::size_t>(fingerprinter_.of(key).low % kSums);
}

std::uint64_t Sides::of_digests(std::string_view key, std::string_view digests,
                                std::string& row) const {
  // the digests are as many in every row, so where the key begins is known
  row.assign(digests);
  row += key;
  return fingerprinter_.of(row).low;
}

void Sides::add_base(std::string_view key, std::string_view digests) {
  secondary_.add(at(key), {.digests = of_digests(key, digests, secondary_.row)});
}

void Sides::add_primary(std::string_view key, std::string_view digests, std::string_view bytes) {
  primary_.add(at(key), {.digests = of_digests(key, digests, primary_.row),
                         .bytes = fingerprinter_.of(bytes).low});
}

void Sides::add_secondary(std::string_view key, std::string_view bytes) {
  secondary_.add(at(key), {.bytes = fingerprinter_.of(bytes).low});
}

void Sides::doubt(std::string_view key) {
  differs_[at(key)] = true;
}

void Sides::finish() {
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

bool Sides::agrees(std::string_view key) const {
  return !differs_[at(key)];
}

double Sides::share() const {
  return used_ == 0 ? 0 : static_cast<double>(differing_) / static_cast<double>(used_);
}

}  // namespace abgleich::sync
