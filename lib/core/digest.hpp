// Keyed digests of cells (SipHash-2-4, at rest) and unkeyed fingerprints (XXH3, in memory only).
#pragma once

#include "core/value.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich {

/// The digest of one cell: 64 bits of SipHash-2-4 under a key that is bound to table and column,
/// over the row's key, the kind and the bytes. Equal values in two rows have different digests.
struct Digest {
  std::uint64_t bits = 0;

  bool operator==(const Digest&) const = default;
};

/// Key of SipHash: 128 bits.
using SipKey = std::array<std::uint8_t, 16>;

/// SipHash-2-4 with 64 bits of output (Aumasson and Bernstein, 2012).
std::uint64_t siphash(const SipKey& key, std::span<const std::uint8_t> message);

/// 128 bits of SipHash-2-4, as its authors' reference code makes them: for what must not be forged.
using Mac = std::array<std::uint8_t, 16>;
Mac siphash128(const SipKey& key, std::span<const std::uint8_t> message);

/// `siphash128` of a message that comes in parts, without copying them.
class MacOfParts {
 public:
  explicit MacOfParts(const SipKey& key);
  void add(std::string_view part);
  /// REQUIRES: `add` is not called afterwards.
  [[nodiscard]] Mac finish();

 private:
  std::array<std::uint64_t, 4> state_;
  std::array<std::uint8_t, 8> rest_{};  // what does not fill a word yet
  std::size_t size_ = 0;
};

/// The bytes that stand for a row's key in its digests: kind, length (32 bits, little endian) and
/// bytes of every key cell in turn. Injective.
void append_key_bytes(const Value& key_cell, std::string& out);
/// Takes the first key cell off the front of such bytes. Empty where the bytes do not have this
/// form.
std::optional<Value> take_key_cell(std::string_view& bytes);

/// The digest of one cell of the row whose key bytes are given.
Digest digest_cell(const SipKey& column_key, std::string_view row_key, const Value& value);

/// Makes the digests of one row's cells, the same as `digest_cell`. What all cells have in common
/// is prepared once.
class RowDigester {
 public:
  /// REQUIRES: `row_key` outlives this object.
  explicit RowDigester(std::string_view row_key);

  [[nodiscard]] Digest digest(const SipKey& column_key, const Value& value) const;
  /// The digests of all cells, each with its own key: faster than one by one. REQUIRES: the three
  /// spans have the same length.
  void digest(std::span<const SipKey> column_keys, std::span<const Value> values,
              std::span<Digest> digests) const;

 private:
  template <class Take>
  void each_word_behind(const Value& value, Take&& take_word) const;
  void digest_two(const SipKey* column_keys, const Value* values, Digest* digests) const;

  std::string_view row_key_;
  std::uint64_t last_word_ = 0;  // the key's last bytes and its length, where they fill a word
  std::uint64_t rest_ = 0;       // the bytes after that, fewer than a word
  unsigned rest_bytes_ = 0;      // in `last_word_` and `rest_`
};

/// A row's digests as stored in the base: 8 bytes per cell, little endian, in the contract's order.
std::string pack(std::span<const Digest> digests);
void pack(std::span<const Digest> digests, std::string& packed);

/// Inverse of `pack`. Throws Failure{integrity} where the length is not a multiple of 8.
std::vector<Digest> unpack_digests(std::string_view packed);

/// XXH3 (64 bits) for hash tables and in-memory comparison; never written to disk.
std::uint64_t fingerprint(std::string_view bytes);

}  // namespace abgleich
