// Files of the cache: encrypted and authenticated chunk by chunk (XChaCha20-Poly1305, libsodium's
// secretstream), so that a file that is cut off, altered or another one is detected.
#pragma once

#include "core/locked_memory.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace abgleich::state {

/// Encrypts the cache of one pairing, and nothing else.
using CacheKey = std::array<std::uint8_t, 32>;

/// The cache cannot be used. This never ends a run: the run starts again without the cache.
class CacheUnusable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes a new file, mode 0600. A file that was not finished is removed.
class SealedWriter {
 public:
  /// `purpose` is part of what is authenticated: one file cannot be put in the place of another.
  /// Throws CacheUnusable where the file cannot be written.
  SealedWriter(std::filesystem::path path, const CacheKey& key, std::string purpose);
  SealedWriter(const SealedWriter&) = delete;
  SealedWriter& operator=(const SealedWriter&) = delete;
  ~SealedWriter();

  /// Appends; the reader sees one long text.
  void add(std::string_view bytes);
  /// Writes the end and waits until all is on disk.
  void finish();

 private:
  struct Stream;
  void write_chunk(unsigned char tag);

  std::filesystem::path path_;
  std::string purpose_;
  std::unique_ptr<Stream> stream_;
  std::string plain_;
  std::string sealed_;
  int file_ = -1;
  bool finished_ = false;
};

class SealedReader {
 public:
  /// Throws CacheUnusable where there is no such file.
  SealedReader(const std::filesystem::path& path, const CacheKey& key, std::string purpose);
  SealedReader(const SealedReader&) = delete;
  SealedReader& operator=(const SealedReader&) = delete;
  ~SealedReader();

  /// The next `size` bytes, valid until the next call. Throws CacheUnusable where the file is not
  /// as it was written, or ends within them.
  std::string_view take(std::size_t size);
  /// Whether all has been taken. Throws CacheUnusable where the end is not the one that was
  /// written.
  bool at_end();

 private:
  struct Stream;
  bool read_chunk();
  std::size_t read_some(char* to, std::size_t size) const;

  std::string purpose_;
  std::unique_ptr<Stream> stream_;
  std::string sealed_;
  std::string plain_;
  std::size_t at_ = 0;
  int file_ = -1;
  bool last_seen_ = false;
};

}  // namespace abgleich::state
