#include "exchange/bundle_reader.hpp"

#include "exchange/bundle_form.hpp"
#include "exchange/not_applied.hpp"
#include "exchange/record_parser.hpp"
#include "exchange/zstd_frame.hpp"
#include "seal/padding.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace abgleich::exchange {

namespace {

void expect_or(bool holds, NotApplied::Why why) {
  if (!holds) {
    throw NotApplied(why);
  }
}

/// The first pass.
SignedBytes::End verified_end(const seal::Identity& opens, const Card& peer, seal::Feed file) {
  SignedBytes bytes(opens, std::move(file));
  while (!bytes.next().empty()) {
  }
  const auto& end = bytes.end();
  expect_or(seal::verify(peer.signs, kBundlePurpose, end.hash, end.signature),
            NotApplied::Why::altered);
  return end;
}

}  // namespace

BundleReader::BundleReader(const seal::Identity& opens, const Card& peer, const PeerId& us,
                           const std::optional<BoxName>& box, const OpenFeed& open)
    : end_(verified_end(opens, peer, open())), bytes_(opens, open()) {
  blame_peer([&] {
    read_manifest();
    expect_or(manifest_.from == peer.id && manifest_.serial == peer.serial && manifest_.to == us &&
                  manifest_.box == box,
              NotApplied::Why::not_for_us);
    expect_or(end_.size >= seal::kLeastPadded && std::has_single_bit(end_.size),
              NotApplied::Why::malformed);
  });
}

/// Refuses with what is wrong only if the peer has signed it: others may have changed the file
/// since the first pass.
void BundleReader::blame_peer(const std::function<void()>& part) {
  try {
    part();
  } catch (const NotApplied&) {
    while (!bytes_.next().empty()) {
    }
    expect_or(bytes_.end() == end_, NotApplied::Why::altered);
    throw;
  }
}

/// Whether there is a next byte.
bool BundleReader::fill() {
  if (rest_.empty()) {
    rest_ = bytes_.next();
  }
  return !rest_.empty();
}

/// The next bytes; fewer where the signed bytes end before.
std::string BundleReader::take(std::size_t size) {
  std::string taken;
  while (taken.size() < size && fill()) {
    const auto part = rest_.first(std::min(rest_.size(), size - taken.size()));
    taken.append(reinterpret_cast<const char*>(part.data()), part.size());
    rest_ = rest_.subspan(part.size());
  }
  return taken;
}

void BundleReader::read_manifest() {
  expect_or(take(kBundleMagic.size()) == kBundleMagic, NotApplied::Why::altered);
  const auto length = take(kManifestLength);
  expect_or(length.size() == kManifestLength, NotApplied::Why::malformed);
  std::size_t size = 0;
  for (std::size_t i = 0; i < length.size(); ++i) {
    size |= std::size_t{static_cast<std::uint8_t>(length[i])} << (8 * i);
  }
  expect_or(size <= kMostManifest, NotApplied::Why::too_large);
  const auto text = take(size);
  expect_or(text.size() == size, NotApplied::Why::malformed);
  manifest_ = parse_manifest(text);
}

void BundleReader::read(const OnRecord& on_record) {
  blame_peer([&] { read_records(on_record); });
  expect_or(bytes_.end() == end_, NotApplied::Why::altered);
}

void BundleReader::read_records(const OnRecord& on_record) {
  RecordParser records(manifest_.tables, on_record);
  FrameReader frame([&](std::span<const std::uint8_t> bytes) { records.add(bytes); });
  while (fill()) {
    const auto size = frame.has_ended() ? 0 : frame.add(rest_);
    expect_or(std::ranges::all_of(rest_.subspan(size), [](std::uint8_t byte) { return byte == 0; }),
              NotApplied::Why::malformed);
    rest_ = {};
  }
  expect_or(frame.has_ended(), NotApplied::Why::malformed);
  records.finish();
}

}  // namespace abgleich::exchange
