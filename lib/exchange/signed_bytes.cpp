#include "exchange/signed_bytes.hpp"

#include "exchange/bundle_form.hpp"
#include "exchange/not_applied.hpp"
#include "seal/unopened.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace abgleich::exchange {

namespace {

/// Whoever cannot sign for the peer can make a file that does not open in any of these ways.
template <class Open>
auto opened_or_altered(const Open& open) {
  try {
    return open();
  } catch (const seal::Unopened&) {
    throw NotApplied(NotApplied::Why::altered);
  }
}

}  // namespace

SignedBytes::SignedBytes(const seal::Identity& opens, seal::Feed file) {
  opened_or_altered([&] { reader_.emplace(opens, seal::Recipients::one, std::move(file)); });
}

std::span<const std::uint8_t> SignedBytes::next() {
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(handed_out_));
  handed_out_ = 0;
  while (!ended_ && buffer_.size() <= kBundleSignature) {
    const auto chunk = opened_or_altered([&] { return reader_->read(); });
    buffer_.insert(buffer_.end(), chunk.begin(), chunk.end());
    end_.size += chunk.size();
    if (chunk.empty()) {
      ended_ = true;
      if (buffer_.size() < kBundleSignature) {
        throw NotApplied(NotApplied::Why::altered);
      }
      std::ranges::copy(buffer_, end_.signature.begin());
      end_.hash = hasher_.finish();
    }
  }
  if (ended_) {
    return {};
  }
  handed_out_ = buffer_.size() - kBundleSignature;
  const auto piece = std::span<const std::uint8_t>(buffer_).first(handed_out_);
  hasher_.add(piece);
  return piece;
}

}  // namespace abgleich::exchange
