// One frame of Zstandard (RFC 8878), written and read piece by piece in bounded memory.
#pragma once

#include "seal/age_writer.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace abgleich::exchange {

/// With these a writer holds 1.4 MB; with level 3 and a window of 1 MiB it would be 2.6 MB.
inline constexpr int kFrameLevel = 1;
inline constexpr int kFrameWindowLog = 19;
/// A reader refuses a frame with a larger window.
inline constexpr int kMostWindowLog = 20;

/// The first bytes of every frame.
inline constexpr std::array<std::uint8_t, 4> kFrameMagic{0x28, 0xb5, 0x2f, 0xfd};

class FrameWriter {
 public:
  /// `sink` takes the compressed bytes.
  explicit FrameWriter(seal::Sink sink);

  void add(std::span<const std::uint8_t> bytes);
  /// Ends the frame. REQUIRES: `add` is not called afterwards.
  void finish();

 private:
  enum class Until : std::uint8_t { taken, ended };
  void compress(std::span<const std::uint8_t> bytes, Until until);

  struct Release {
    void operator()(ZSTD_CCtx_s* context) const noexcept;
  };
  seal::Sink sink_;
  std::unique_ptr<ZSTD_CCtx_s, Release> context_;
  std::vector<std::uint8_t> plain_;  // waits, since a call for every few bytes would be slow
  std::vector<std::uint8_t> compressed_;
};

class FrameReader {
 public:
  /// `sink` takes the plain bytes; exceptions that it throws are passed on.
  explicit FrameReader(seal::Sink sink);

  /// Returns how many bytes were of the frame: all, unless it ends before. Throws
  /// NotApplied{malformed}. REQUIRES: `has_ended()` is false.
  std::size_t add(std::span<const std::uint8_t> bytes);
  [[nodiscard]] bool has_ended() const { return ended_; }

 private:
  void check_magic(std::span<const std::uint8_t> bytes);

  struct Release {
    void operator()(ZSTD_DCtx_s* context) const noexcept;
  };
  seal::Sink sink_;
  std::unique_ptr<ZSTD_DCtx_s, Release> context_;
  std::vector<std::uint8_t> plain_;
  std::size_t magic_seen_ = 0;
  bool ended_ = false;
};

}  // namespace abgleich::exchange
