#include "exchange/zstd_frame.hpp"

#include "core/error.hpp"
#include "exchange/not_applied.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <zstd.h>
#include <zstd_errors.h>

namespace abgleich::exchange {

namespace {

/// Enough plain bytes for one call to be worth it.
constexpr std::size_t kPlainPiece = std::size_t{64} << 10U;

void expect_room(std::size_t result) {
  if (ZSTD_isError(result) != 0 && ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) {
    throw std::bad_alloc();
  }
}

/// For calls that cannot fail but for memory.
std::size_t expect_success(std::size_t result) {
  expect_room(result);
  if (ZSTD_isError(result) != 0) {
    throw Failure(Code::bug, "rows are not compressed");
  }
  return result;
}

}  // namespace

void FrameWriter::Release::operator()(ZSTD_CCtx_s* context) const noexcept {
  ZSTD_freeCCtx(context);
}

void FrameReader::Release::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

FrameWriter::FrameWriter(seal::Sink sink)
    : sink_(std::move(sink)), context_(ZSTD_createCCtx()), compressed_(ZSTD_CStreamOutSize()) {
  if (!context_) {
    throw std::bad_alloc();
  }
  expect_success(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kFrameLevel));
  expect_success(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_windowLog, kFrameWindowLog));
  // the bundle's signature covers it
  expect_success(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 0));
  plain_.reserve(kPlainPiece);
}

void FrameWriter::add(std::span<const std::uint8_t> bytes) {
  if (plain_.size() + bytes.size() > kPlainPiece) {
    compress(plain_, Until::taken);
    plain_.clear();
  }
  if (bytes.size() > kPlainPiece) {
    compress(bytes, Until::taken);
  } else {
    plain_.insert(plain_.end(), bytes.begin(), bytes.end());
  }
}

void FrameWriter::finish() {
  compress(plain_, Until::ended);
}

void FrameWriter::compress(std::span<const std::uint8_t> bytes, Until until) {
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  const auto directive = until == Until::ended ? ZSTD_e_end : ZSTD_e_continue;
  bool more = true;
  while (more) {
    ZSTD_outBuffer out{compressed_.data(), compressed_.size(), 0};
    const auto waits = expect_success(ZSTD_compressStream2(context_.get(), &out, &in, directive));
    if (out.pos > 0) {
      sink_(std::span(compressed_).first(out.pos));
    }
    more = until == Until::ended ? waits > 0 : in.pos < in.size;
  }
}

FrameReader::FrameReader(seal::Sink sink)
    : sink_(std::move(sink)), context_(ZSTD_createDCtx()), plain_(ZSTD_DStreamOutSize()) {
  if (!context_) {
    throw std::bad_alloc();
  }
  expect_success(ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMostWindowLog));
}

/// Only frames of this kind: the library also skips frames that hold nothing, and may read formats
/// from before the standard, in which the window has no limit.
void FrameReader::check_magic(std::span<const std::uint8_t> bytes) {
  for (const auto byte : bytes.first(std::min(bytes.size(), kFrameMagic.size() - magic_seen_))) {
    if (byte != kFrameMagic.at(magic_seen_)) {
      throw NotApplied(NotApplied::Why::malformed);
    }
    ++magic_seen_;
  }
}

std::size_t FrameReader::add(std::span<const std::uint8_t> bytes) {
  check_magic(bytes);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  bool more = !bytes.empty();
  while (more) {
    ZSTD_outBuffer out{plain_.data(), plain_.size(), 0};
    const auto waits = ZSTD_decompressStream(context_.get(), &out, &in);
    expect_room(waits);
    if (ZSTD_isError(waits) != 0) {
      throw NotApplied(NotApplied::Why::malformed);
    }
    if (out.pos > 0) {
      sink_(std::span(plain_).first(out.pos));
    }
    ended_ = waits == 0;
    // a full piece may be followed by more of what is already taken in
    more = !ended_ && (in.pos < in.size || out.pos == out.size);
  }
  return in.pos;
}

}  // namespace abgleich::exchange
