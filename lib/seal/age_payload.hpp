// The content of an age file: STREAM, chunks of 64 KiB under ChaCha20-Poly1305, each with its
// number and whether it is the last (C2SP age.md; Hoang, Reyhanitabar, Rogaway and Vizár, 2015).
#pragma once

#include "core/locked_memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace abgleich::seal {

inline constexpr std::size_t kChunkSize = std::size_t{64} << 10U;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kSealedChunkSize = kChunkSize + kTagSize;

/// The file's key: 128 random bits, from which all other keys of the file are derived.
inline constexpr std::size_t kFileKeySize = 16;
/// Stands before the chunks; the key of the chunks is derived with it.
using PayloadNonce = std::array<std::uint8_t, 16>;

enum class Chunk : std::uint8_t { inner, last };

/// The chunks of one file, one after the other.
class ChunkCipher {
 public:
  ChunkCipher(std::span<const std::uint8_t> file_key, const PayloadNonce& nonce);

  /// REQUIRES: `sealed` has `plain.size()` + `kTagSize` bytes.
  void seal(std::span<const std::uint8_t> plain, Chunk which, std::span<std::uint8_t> sealed);
  /// The inverse; false where it is not the chunk that has to come next. REQUIRES: `plain` has
  /// `kTagSize` bytes less than `sealed`.
  bool open(std::span<const std::uint8_t> sealed, Chunk which, std::span<std::uint8_t> plain);

 private:
  using Nonce = std::array<std::uint8_t, 12>;
  [[nodiscard]] Nonce nonce_of(Chunk which) const;

  Subkey key_;
  std::uint64_t number_ = 0;  // of the next chunk
};

}  // namespace abgleich::seal
