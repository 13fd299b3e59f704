#include "state/sealed_file.hpp"

#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace abgleich::state {

namespace {

constexpr std::size_t kChunk = std::size_t{64} << 10U;
constexpr std::size_t kSeal = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t kHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::string_view kMagic = "abgleich.sealed/1\n";

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

/// The state is as secret as the key.
struct SealedWriter::Stream {
  Locked<crypto_secretstream_xchacha20poly1305_state> state;
};
struct SealedReader::Stream {
  Locked<crypto_secretstream_xchacha20poly1305_state> state;
};

SealedWriter::SealedWriter(std::filesystem::path path, const CacheKey& key, std::string purpose)
    : path_(std::move(path)),
      purpose_(std::move(purpose)),
      stream_(std::make_unique<Stream>()),
      file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (file_ < 0) {
    throw CacheUnusable("a file of the cache cannot be made");
  }
  sealed_ = kMagic;
  sealed_.resize(kMagic.size() + kHeader);
  crypto_secretstream_xchacha20poly1305_init_push(&*stream_->state,
                                                  bytes_of(sealed_) + kMagic.size(), key.data());
}

SealedWriter::~SealedWriter() {
  if (file_ >= 0) {
    ::close(file_);
  }
  if (!finished_) {
    ::unlink(path_.c_str());
  }
}

void SealedWriter::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto room = kChunk - plain_.size();
    plain_ += bytes.substr(0, room);
    bytes.remove_prefix(std::min(room, bytes.size()));
    if (plain_.size() == kChunk) {
      write_chunk(0);
    }
  }
}

void SealedWriter::write_chunk(unsigned char tag) {
  const auto at = sealed_.size();
  sealed_.resize(at + plain_.size() + kSeal);
  crypto_secretstream_xchacha20poly1305_push(&*stream_->state, bytes_of(sealed_) + at, nullptr,
                                             bytes_of(plain_), plain_.size(), bytes_of(purpose_),
                                             purpose_.size(), tag);
  std::string_view rest = sealed_;
  while (!rest.empty()) {
    const auto written = ::write(file_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) {
      throw CacheUnusable("a file of the cache cannot be written");
    }
    rest.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  sealed_.clear();
  plain_.clear();
}

void SealedWriter::finish() {
  write_chunk(crypto_secretstream_xchacha20poly1305_TAG_FINAL);
  if (::fsync(file_) != 0) {
    throw CacheUnusable("a file of the cache cannot be written");
  }
  finished_ = true;
}

SealedReader::SealedReader(const std::filesystem::path& path, const CacheKey& key,
                           std::string purpose)
    : purpose_(std::move(purpose)),
      stream_(std::make_unique<Stream>()),
      file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
  if (file_ < 0) {
    throw CacheUnusable("a file of the cache is missing");
  }
  std::string head(kMagic.size() + kHeader, '\0');
  if (read_some(head.data(), head.size()) != head.size() || !head.starts_with(kMagic) ||
      crypto_secretstream_xchacha20poly1305_init_pull(
          &*stream_->state, bytes_of(head) + kMagic.size(), key.data()) != 0) {
    ::close(file_);
    throw CacheUnusable("a file of the cache is damaged");
  }
}

SealedReader::~SealedReader() {
  ::close(file_);
}

std::size_t SealedReader::read_some(char* to, std::size_t size) const {
  std::size_t got = 0;
  while (got < size) {
    const auto part = ::read(file_, to + got, size - got);
    if (part == 0 || (part < 0 && errno != EINTR)) {
      break;
    }
    got += part < 0 ? 0 : static_cast<std::size_t>(part);
  }
  return got;
}

bool SealedReader::read_chunk() {
  if (last_seen_) {
    return false;
  }
  sealed_.resize(kChunk + kSeal);
  const auto got = read_some(sealed_.data(), sealed_.size());
  std::string fresh(got < kSeal ? 0 : got - kSeal, '\0');
  unsigned char tag = 0;
  if (got < kSeal || crypto_secretstream_xchacha20poly1305_pull(
                         &*stream_->state, bytes_of(fresh), nullptr, &tag, bytes_of(sealed_), got,
                         bytes_of(purpose_), purpose_.size()) != 0) {
    throw CacheUnusable("a file of the cache is damaged");
  }
  last_seen_ = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  plain_.erase(0, at_);
  at_ = 0;
  plain_ += fresh;
  return true;
}

std::string_view SealedReader::take(std::size_t size) {
  while (plain_.size() - at_ < size) {
    if (!read_chunk()) {
      throw CacheUnusable("a file of the cache is damaged");
    }
  }
  const auto bytes = std::string_view(plain_).substr(at_, size);
  at_ += size;
  return bytes;
}

bool SealedReader::at_end() {
  while (at_ == plain_.size()) {
    if (!read_chunk()) {
      return true;
    }
  }
  return false;
}

}  // namespace abgleich::state
