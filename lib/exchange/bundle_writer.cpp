#include "exchange/bundle_writer.hpp"

#include "core/error.hpp"
#include "exchange/bundle_form.hpp"
#include "exchange/manifest_rules.hpp"
#include "seal/padding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace abgleich::exchange {

namespace {

std::span<const std::uint8_t> bytes_of_manifest(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[noreturn]] void refuse_tables(const std::string& flaw) {
  throw Failure(Code::configuration,
                fmt::format("these tables do not fit into a bundle for a peer: {}", flaw),
                "change that in the contract of what is sent (another name, fewer columns); then "
                "run `abgleich sync`. Nothing was sent");
}

/// The manifest as every reader accepts it.
std::string checked_text_of(const Manifest& manifest, const Card& card) {
  if (manifest.from != card.id || manifest.serial != card.serial || !is_sound(manifest)) {
    throw Failure(Code::bug, "the manifest of a bundle is not as readers want it");
  }
  if (const auto flaw = flaw_of(manifest.tables); !flaw.empty()) {
    refuse_tables(flaw);
  }
  auto text = manifest_text(manifest);
  if (text.size() > kMostManifest) {
    refuse_tables(fmt::format("the names and types of all columns have more than {} MiB",
                              kMostManifest >> 20U));
  }
  return text;
}

}  // namespace

BundleWriter::BundleWriter(const Node& node, const seal::Recipient& to, const Manifest& manifest,
                           seal::Sink sink)
    // the manifest is checked before the sink gets anything
    : BundleWriter(node, to, manifest.tables, checked_text_of(manifest, node.card()),
                   std::move(sink)) {}

BundleWriter::BundleWriter(const Node& node, const seal::Recipient& to,
                           std::vector<SentTable> tables, std::string_view manifest,
                           seal::Sink sink)
    : node_(node),
      tables_(std::move(tables)),
      sealed_(std::span(&to, 1), std::move(sink)),
      frame_([this](std::span<const std::uint8_t> bytes) { add(bytes); }),
      records_(tables_, [this](std::span<const std::uint8_t> bytes) { frame_.add(bytes); }) {
  add(bytes_of_manifest(kBundleMagic));
  std::array<std::uint8_t, kManifestLength> length{};
  for (std::size_t i = 0; i < length.size(); ++i) {
    length.at(i) = static_cast<std::uint8_t>(manifest.size() >> (8 * i));
  }
  add(length);
  add(bytes_of_manifest(manifest));
}

void BundleWriter::add(std::span<const std::uint8_t> bytes) {
  hasher_.add(bytes);
  size_ += bytes.size();
  sealed_.add(bytes);
}

void BundleWriter::add_row(std::size_t table, const std::vector<Value>& cells) {
  records_.add(Record::What::row, table, cells);
}

void BundleWriter::add_gone(std::size_t table, const std::vector<Value>& key) {
  records_.add(Record::What::gone, table, key);
}

void BundleWriter::finish() {
  records_.end();
  frame_.finish();
  static constexpr std::array<std::uint8_t, seal::kChunkSize> kZeros{};
  auto missing = seal::padded_size(size_ + kBundleSignature) - kBundleSignature - size_;
  while (missing > 0) {
    const auto part = std::min<std::uint64_t>(missing, kZeros.size());
    add(std::span(kZeros).first(part));
    missing -= part;
  }
  sealed_.add(node_.signs().sign(kBundlePurpose, hasher_.finish()));
  sealed_.finish();
}

}  // namespace abgleich::exchange
