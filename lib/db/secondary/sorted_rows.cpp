#include "db/secondary/sorted_rows.hpp"

#include "core/shortage.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::size_t kBlock = std::size_t{32} << 10U;  // bytes that are encrypted together
constexpr std::size_t kTag = crypto_aead_chacha20poly1305_ietf_ABYTES;
constexpr std::size_t kNonce = crypto_aead_chacha20poly1305_ietf_NPUBBYTES;
static_assert(crypto_aead_aes256gcm_ABYTES == kTag && crypto_aead_aes256gcm_NPUBBYTES == kNonce &&
              crypto_aead_aes256gcm_KEYBYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
/// So many files of a level are read at once at the most, with one block of each in memory.
constexpr std::size_t kMostFiles = 64;
constexpr std::size_t kMostKept = std::size_t{1} << 20U;  // bytes: more is freed after a giant row

// A record: the sizes of key and cells, the key, the cells. A cell: its storage and a short size in
// one byte, a long size behind it, its bytes.
constexpr std::size_t kSize = sizeof(std::uint32_t);
constexpr std::size_t kHead = 2 * kSize;
constexpr unsigned kStorageBits = 3;
constexpr std::size_t kLong = 31;

using Nonce = std::array<std::uint8_t, kNonce>;

unsigned char* unsigned_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

void append_size(std::size_t size, std::string& out) {
  const auto number = static_cast<std::uint32_t>(size);
  std::array<char, kSize> bytes{};
  std::memcpy(bytes.data(), &number, bytes.size());
  out.append(bytes.data(), bytes.size());
}

std::size_t size_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data() + at, kSize);
  return number;
}

std::string_view key_of(std::string_view record) {
  return record.substr(kHead, size_at(record, 0));
}

/// The size of the record that `bytes` begins with. REQUIRES: its head is there.
std::size_t record_size(std::string_view bytes) {
  return kHead + size_at(bytes, 0) + size_at(bytes, kSize);
}

void append_cells(std::span<const Cell> cells, std::string& out) {
  for (const auto& cell : cells) {
    const auto size = cell.bytes.size();
    const auto storage = static_cast<unsigned>(cell.storage);
    out +=
        static_cast<char>(storage | static_cast<unsigned>(std::min(size, kLong)) << kStorageBits);
    if (size >= kLong) {
      append_size(size, out);
    }
    out += cell.bytes;
  }
}

void take_cells(std::string_view bytes, std::vector<Cell>& cells) {
  cells.clear();
  while (!bytes.empty()) {
    const auto head = static_cast<unsigned char>(bytes.front());
    std::size_t size = head >> kStorageBits;
    bytes.remove_prefix(1);
    if (size == kLong) {
      size = size_at(bytes, 0);
      bytes.remove_prefix(kSize);
    }
    cells.push_back(
        {static_cast<Cell::Storage>(head & ((1U << kStorageBits) - 1)), bytes.substr(0, size)});
    bytes.remove_prefix(size);
  }
}

void take_cells_of(std::string_view record, std::vector<Cell>& cells) {
  take_cells(record.substr(kHead + size_at(record, 0)), cells);
}

std::uint64_t first_of(std::string_view key) {
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < sizeof first; ++i) {
    first = first << 8U | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
  }
  return first;
}

/// No two blocks under one key have the same nonce.
Nonce nonce_of(std::uint32_t file, std::uint64_t block) {
  Nonce nonce{};
  std::memcpy(nonce.data(), &file, sizeof file);
  std::memcpy(nonce.data() + sizeof file, &block, sizeof block);
  return nonce;
}

/// AES where the processor supports it: it is three times as fast.
bool has_aes() {
  static const bool has = crypto_aead_aes256gcm_is_available() == 1;
  return has;
}

int open_nameless(const std::filesystem::path& directory) {
  int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    // a file system without nameless files: the name is removed at once
    auto path = (directory / ".rows.XXXXXX").string();
    file = ::mkostemp(path.data(), O_CLOEXEC);
    if (file >= 0) {
      ::unlink(path.c_str());
    }
  }
  if (file < 0) {
    throw RowsNotKept("a file cannot be made");
  }
  return file;
}

}  // namespace

/// What one writer has written.
class SortedRows::File {
 public:
  File(int descriptor, std::uint32_t number, std::uint64_t size)
      : descriptor_(descriptor), number_(number), size_(size) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File(File&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        number_(other.number_),
        size_(other.size_) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    number_ = other.number_;
    size_ = other.size_;
    return *this;
  }
  ~File() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] std::uint32_t number() const { return number_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }  // bytes, before they were encrypted

 private:
  int descriptor_;
  std::uint32_t number_;
  std::uint64_t size_;
};

class SortedRows::Writer {
 public:
  Writer(const std::filesystem::path& directory, const Key& key, std::uint32_t number)
      : key_(key), file_(open_nameless(directory), number, 0) {
    plain_.reserve(kBlock);
  }

  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto some = bytes.substr(0, kBlock - plain_.size());
      plain_ += some;
      bytes.remove_prefix(some.size());
      if (plain_.size() == kBlock) {
        write();
      }
    }
  }

  File finish() {
    write();
    return {::dup(file_.descriptor()), file_.number(), size_};
  }

 private:
  void write() {
    sealed_.resize(plain_.size() + kTag);
    const auto nonce = nonce_of(file_.number(), block_++);
    const auto encrypt =
        has_aes() ? crypto_aead_aes256gcm_encrypt : crypto_aead_chacha20poly1305_ietf_encrypt;
    encrypt(unsigned_bytes(sealed_), nullptr, unsigned_bytes(plain_), plain_.size(), nullptr, 0,
            nullptr, nonce.data(), key_->data());
    try {
      write_whole(file_.descriptor(), sealed_);
    } catch (const std::system_error&) {
      throw RowsNotKept("a file cannot be written");
    }
    size_ += plain_.size();
    plain_.clear();
  }

  const Key& key_;
  File file_;
  std::uint64_t block_ = 0;
  std::uint64_t size_ = 0;
  std::string plain_;
  std::string sealed_;
};

class SortedRows::Reader {
 public:
  Reader(File file, const Key& key) : key_(&key), file_(std::move(file)) { next(); }

  [[nodiscard]] bool at_end() const { return record_ == 0; }
  [[nodiscard]] std::string_view key() const { return key_of(rest()); }
  /// The whole record. `key` still gives its key afterwards.
  std::string_view record() {
    need(record_);
    return rest().substr(0, record_);
  }
  void next() {
    if (record_ > 0) {
      need(record_);
      at_ += record_;
    }
    if (plain_.capacity() > kMostKept) {  // free what a giant row has used before other rows come
      plain_.erase(0, at_);
      at_ = 0;
      plain_.shrink_to_fit();
    }
    record_ = 0;
    if (at_ == plain_.size() && read_ == file_.size()) {
      return;
    }
    need(kHead);
    need(kHead + size_at(rest(), 0));
    record_ = record_size(rest());
  }

 private:
  [[nodiscard]] std::string_view rest() const { return std::string_view(plain_).substr(at_); }

  void need(std::size_t size) {
    if (plain_.size() - at_ >= size) {
      return;
    }
    plain_.erase(0, at_);
    at_ = 0;
    if (plain_.capacity() > kMostKept && size < kBlock) {
      plain_.shrink_to_fit();
    }
    if (size > 2 * kBlock) {
      plain_.reserve(size + kBlock);  // otherwise the string doubles, and is in memory twice
    }
    while (plain_.size() < size) {
      read();
    }
  }

  void read() {
    const auto left = file_.size() - read_;
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBlock));
    std::array<char, kBlock + kTag> sealed;
    std::size_t got = 0;
    while (got < size + kTag) {
      const auto from = static_cast<off_t>(block_ * (kBlock + kTag) + got);
      const auto part = ::pread(file_.descriptor(), sealed.data() + got, size + kTag - got, from);
      if (part == 0 || (part < 0 && errno != EINTR)) {
        throw RowsNotKept("a file cannot be read");
      }
      got += part < 0 ? 0 : static_cast<std::size_t>(part);
    }
    const auto nonce = nonce_of(file_.number(), block_++);
    const auto before = plain_.size();
    plain_.resize(before + size);
    const auto decrypt =
        has_aes() ? crypto_aead_aes256gcm_decrypt : crypto_aead_chacha20poly1305_ietf_decrypt;
    if (size == 0 || decrypt(unsigned_bytes(plain_) + before, nullptr, nullptr,
                             unsigned_bytes({sealed.data(), got}), got, nullptr, 0, nonce.data(),
                             (*key_)->data()) != 0) {
      throw RowsNotKept("a file is not as it was written");
    }
    read_ += size;
  }

  const Key* key_;
  File file_;
  std::uint64_t block_ = 0;
  std::uint64_t read_ = 0;  // bytes, decrypted
  std::string plain_;
  std::size_t at_ = 0;
  std::size_t record_ = 0;  // the size of the current record; 0 at the end
};

SortedRows::SortedRows(std::filesystem::path directory, std::size_t memory)
    : directory_(std::move(directory)), memory_(memory) {
  randombytes_buf(key_->data(), key_->size());
}

SortedRows::~SortedRows() = default;

void SortedRows::add(std::string_view key, std::span<const Cell> cells) {
  std::size_t more = 0;
  for (const auto& cell : cells) {
    more += cell.bytes.size();
  }
  if (more > kMostKept) {
    // a giant row goes to a file alone, in a buffer that need not grow: that would copy it
    if (!places_.empty()) {
      spill();
    }
    buffer_ = {};
    buffer_.reserve(kHead + key.size() + more + cells.size() * (1 + kSize));
  }
  const auto at = buffer_.size();
  append_size(key.size(), buffer_);
  append_size(0, buffer_);
  buffer_ += key;
  const auto begin = buffer_.size();
  append_cells(cells, buffer_);
  const auto size = static_cast<std::uint32_t>(buffer_.size() - begin);
  std::memcpy(buffer_.data() + at + kSize, &size, kSize);
  places_.push_back({.first = first_of(key), .at = at});
  if (buffer_.size() >= memory_ || more > kMostKept) {
    spill();
  }
}

void SortedRows::sort() {
  const std::string_view all = buffer_;
  std::ranges::sort(places_, [&](const Place& left, const Place& right) {
    return left.first != right.first ? left.first < right.first
                                     : key_of(all.substr(left.at)) < key_of(all.substr(right.at));
  });
}

void SortedRows::spill() {
  sort();
  Writer writer(directory_, key_, files_made_++);
  const std::string_view all = buffer_;
  for (const auto& place : places_) {
    const auto rest = all.substr(place.at);
    writer.add(rest.substr(0, record_size(rest)));
  }
  places_.clear();
  buffer_.clear();
  if (buffer_.capacity() > 2 * memory_ + kMostKept) {
    buffer_ = {};
  }
  keep(writer.finish(), 0);
}

void SortedRows::keep(File&& file, std::size_t level) {
  if (levels_.size() == level) {
    levels_.emplace_back();
  }
  levels_[level].push_back(std::move(file));
  if (levels_[level].size() < kMostFiles) {
    return;
  }
  Writer writer(directory_, key_, files_made_++);
  merge(std::exchange(levels_[level], {}), [&](std::string_view record) { writer.add(record); });
  keep(writer.finish(), level + 1);
}

void SortedRows::merge(std::vector<File> files, const OnRecord& on_record) const {
  std::vector<Reader> readers;
  readers.reserve(files.size());
  std::vector<std::size_t> heap;  // readers; the one with the least key in front
  const auto later = [&](std::size_t left, std::size_t right) {
    return readers[left].key() > readers[right].key();
  };
  for (auto& file : files) {
    readers.emplace_back(std::move(file), key_);
    if (!readers.back().at_end()) {
      heap.push_back(readers.size() - 1);
    }
  }
  std::ranges::make_heap(heap, later);
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, later);
    auto& reader = readers[heap.back()];
    on_record(reader.record());
    reader.next();
    if (reader.at_end()) {
      heap.pop_back();
    } else {
      std::ranges::push_heap(heap, later);
    }
  }
}

void SortedRows::take(const std::function<void(std::span<const Cell>)>& on_row) {
  std::vector<Cell> cells;
  if (levels_.empty()) {
    sort();
    const std::string_view all = buffer_;
    for (const auto& place : places_) {
      const auto rest = all.substr(place.at);
      take_cells_of(rest.substr(0, record_size(rest)), cells);
      on_row(cells);
    }
    return;
  }
  if (!places_.empty()) {
    spill();
  }
  buffer_ = {};
  places_ = {};
  std::vector<File> files;
  for (auto& level : levels_) {
    std::ranges::move(level, std::back_inserter(files));
  }
  levels_.clear();
  merge(std::move(files), [&](std::string_view record) {
    take_cells_of(record, cells);
    on_row(cells);
  });
}

}  // namespace abgleich::db
