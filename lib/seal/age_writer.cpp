#include "seal/age_writer.hpp"

#include "seal/age_header.hpp"
#include "seal/age_wrap.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace abgleich::seal {

namespace {

std::span<const std::uint8_t> bytes_of_text(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

AgeWriter::AgeWriter(std::span<const Recipient> recipients, Sink sink) : sink_(std::move(sink)) {
  start_sodium();
  LockedMemory file_key(kFileKeySize);
  randombytes_buf(file_key.bytes().data(), file_key.bytes().size());
  std::vector<Stanza> stanzas;
  for (const auto& recipient : recipients) {
    stanzas.push_back(wrap_file_key(file_key.bytes(), recipient));
  }
  auto header = age_header_text(stanzas);
  header += age_header_end(header_mac(file_key.bytes(), header));
  sink_(bytes_of_text(header));
  PayloadNonce nonce;
  randombytes_buf(nonce.data(), nonce.size());
  sink_(nonce);
  cipher_ = std::make_unique<ChunkCipher>(file_key.bytes(), nonce);
  plain_.reserve(kChunkSize);
  sealed_.resize(kSealedChunkSize);
}

void AgeWriter::add(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    if (plain_.size() == kChunkSize) {
      write_chunk(Chunk::inner);  // more bytes come, so it is not the last
    }
    const auto part = bytes.first(std::min(bytes.size(), kChunkSize - plain_.size()));
    plain_.insert(plain_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
  }
}

void AgeWriter::finish() {
  write_chunk(Chunk::last);
}

void AgeWriter::write_chunk(Chunk which) {
  const auto sealed = std::span(sealed_).first(plain_.size() + kTagSize);
  cipher_->seal(plain_, which, sealed);
  plain_.clear();
  sink_(sealed);
}

}  // namespace abgleich::seal
