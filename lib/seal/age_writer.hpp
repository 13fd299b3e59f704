// Seals to recipients as age does, version 1: `age --decrypt` opens what it writes.
#pragma once

#include "seal/age_key.hpp"
#include "seal/age_payload.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace abgleich::seal {

/// Takes the file's bytes, piece by piece. Exceptions that it throws are passed on.
using Sink = std::function<void(std::span<const std::uint8_t>)>;

/// Writes one file. Holds two chunks of 64 KiB, however long the file is.
class AgeWriter {
 public:
  /// Writes the header. REQUIRES: there is a recipient. Throws Failure{key_or_trust} where a
  /// recipient's key is not usable.
  AgeWriter(std::span<const Recipient> recipients, Sink sink);

  void add(std::span<const std::uint8_t> bytes);
  /// Writes the last chunk. Without it, readers refuse the file. REQUIRES: `add` is not called
  /// afterwards.
  void finish();

 private:
  void write_chunk(Chunk which);

  Sink sink_;
  std::unique_ptr<ChunkCipher> cipher_;
  std::vector<std::uint8_t> plain_;
  std::vector<std::uint8_t> sealed_;
};

}  // namespace abgleich::seal
