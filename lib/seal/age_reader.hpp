// Opens what age has sealed, version 1, with X25519 keys.
#pragma once

#include "seal/age_key.hpp"
#include "seal/age_payload.hpp"
#include "seal/unopened.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace abgleich::seal {

/// Fills the span from its front with the file's next bytes and says how many; 0 at the end.
using Feed = std::function<std::size_t(std::span<std::uint8_t>)>;

/// How many recipients a file may have. A file for one recipient has one stanza; more stanzas would
/// mean that others can read it, too.
enum class Recipients : std::uint8_t { one, several };

/// Reads one file from its start. Holds two chunks of 64 KiB, however long the file is. Every chunk
/// that `read` returns is authenticated, and so is its place. That nothing is missing is only known
/// when `read` has reported the end.
class AgeReader {
 public:
  /// Reads the header. Throws Unopened.
  AgeReader(const Identity& identity, Recipients recipients, Feed feed);

  /// The next chunk, valid until the next call; empty at the end. Throws Unopened{payload}.
  std::span<const std::uint8_t> read();

 private:
  void fill(std::size_t size);
  bool open(std::size_t size, Chunk which);
  [[noreturn]] void refuse_payload();

  Feed feed_;
  std::unique_ptr<ChunkCipher> cipher_;
  std::vector<std::uint8_t> sealed_;  // read, and not opened yet
  std::vector<std::uint8_t> plain_;
  bool first_ = true;
  bool last_seen_ = false;
};

}  // namespace abgleich::seal
