#include "seal/age_reader.hpp"

#include "seal/age_header.hpp"
#include "seal/age_wrap.hpp"

#include <sodium.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace abgleich::seal {

namespace {

/// The stanza of a passphrase: it has to be the only one (C2SP age.md), and we never write it.
constexpr std::string_view kScrypt = "scrypt";

LockedMemory file_key_of(const AgeHeader& header, const Identity& identity, Recipients recipients) {
  const auto& stanzas = header.stanzas;
  if ((recipients == Recipients::one && stanzas.size() != 1) ||
      std::ranges::any_of(
          stanzas, [](const Stanza& stanza) { return stanza.arguments.front() == kScrypt; })) {
    throw Unopened(Unopened::Why::malformed);
  }
  std::optional<LockedMemory> key;
  for (const auto& stanza : stanzas) {
    if (!key && stanza.arguments.front() == kX25519) {
      key = unwrap_file_key(stanza, identity);
    }
  }
  if (!key) {
    throw Unopened(Unopened::Why::others);
  }
  return std::move(*key);
}

}  // namespace

AgeReader::AgeReader(const Identity& identity, Recipients recipients, Feed feed)
    : feed_(std::move(feed)) {
  start_sodium();
  fill(kMostHeader);
  const std::string_view front(reinterpret_cast<const char*>(sealed_.data()), sealed_.size());
  const auto header = parse_age_header(front);
  const auto key = file_key_of(header, identity, recipients);
  const auto mac = header_mac(key.bytes(), front.substr(0, header.mac_covers));
  if (sodium_memcmp(mac.data(), header.mac.data(), mac.size()) != 0) {
    throw Unopened(Unopened::Why::header);
  }
  PayloadNonce nonce;
  const auto end = header.size + nonce.size();
  fill(end);
  if (sealed_.size() < end) {
    throw Unopened(Unopened::Why::malformed);
  }
  std::copy_n(sealed_.begin() + static_cast<std::ptrdiff_t>(header.size), nonce.size(),
              nonce.begin());
  sealed_.erase(sealed_.begin(), sealed_.begin() + static_cast<std::ptrdiff_t>(end));
  cipher_ = std::make_unique<ChunkCipher>(key.bytes(), nonce);
}

/// Reads on until `size` bytes are held, or the file ends.
void AgeReader::fill(std::size_t size) {
  while (sealed_.size() < size) {
    const auto held = sealed_.size();
    sealed_.resize(size);
    const auto got = feed_(std::span(sealed_).subspan(held));
    sealed_.resize(held + got);
    if (got == 0) {
      return;
    }
  }
}

std::span<const std::uint8_t> AgeReader::read() {
  // one byte more than a chunk, to see whether another chunk follows
  fill(kSealedChunkSize + 1);
  if (last_seen_) {
    if (!sealed_.empty()) {
      refuse_payload();  // something follows the last chunk
    }
    return {};
  }
  const auto size = std::min(sealed_.size(), kSealedChunkSize);
  const auto expected = sealed_.size() > size ? Chunk::inner : Chunk::last;
  // A full chunk that opens as the other kind is authentic. Then the file is damaged after it:
  // bytes follow the last chunk, or the last chunk is missing. The next call finds that.
  const auto other = expected == Chunk::inner ? Chunk::last : Chunk::inner;
  const bool is_expected = open(size, expected);
  if (!is_expected && (size < kSealedChunkSize || !open(size, other))) {
    refuse_payload();
  }
  if (plain_.empty() && !first_) {
    refuse_payload();  // only a file that holds nothing ends with an empty chunk
  }
  sealed_.erase(sealed_.begin(), sealed_.begin() + static_cast<std::ptrdiff_t>(size));
  first_ = false;
  last_seen_ = (is_expected ? expected : other) == Chunk::last;
  return plain_;
}

bool AgeReader::open(std::size_t size, Chunk which) {
  plain_.resize(size < kTagSize ? 0 : size - kTagSize);
  return cipher_->open(std::span(sealed_).first(size), which, plain_);
}

void AgeReader::refuse_payload() {
  // every later call throws the same
  sealed_.clear();
  feed_ = [](std::span<std::uint8_t>) { return std::size_t{0}; };
  last_seen_ = false;
  throw Unopened(Unopened::Why::payload);
}

}  // namespace abgleich::seal
