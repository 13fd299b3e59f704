#include "sync/sides.hpp"

namespace abgleich::sync {

Sides::Sides(const Fingerprinter& fingerprinter)
    : fingerprinter_(fingerprinter), differs_(kSums, false) {
  for (auto& sums : sums_) {
    sums.assign(kSums, 0);
  }
}

std::size_t Sides::at(std::string_view key) const {
  return static_cast<std::size_t>(fingerprinter_.of(key).low % kSums);
}

void Sides::add(Side side, std::string_view key, std::string_view cells) {
  // the digests are as many in every row, so where the key ends is known
  auto& row = scratch_.at(side);
  row.assign(cells);
  row += key;
  sums_.at(side)[at(key)] += fingerprinter_.of(row).low;
}

void Sides::doubt(std::string_view key) {
  differs_[at(key)] = true;
}

void Sides::finish() {
  for (std::size_t i = 0; i < kSums; ++i) {
    const auto sum = sums_[base][i];
    if (sum != sums_[primary][i] || sum != sums_[secondary][i]) {
      differs_[i] = true;
    }
    used_ += (sum | sums_[primary][i] | sums_[secondary][i]) != 0 || differs_[i] ? 1U : 0U;
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
