#include "mask/locked_openssl.hpp"

#include "core/locked_memory.hpp"

#include <openssl/crypto.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace abgleich::mask {

namespace {

constexpr std::size_t kArena = std::size_t{256} << 10U;  // some 200 contexts
constexpr std::size_t kAlignment = 16;

/// Blocks one after the other, each after its size. The memory is free again when all blocks were
/// given back.
class Arena {
 public:
  /// Throws Failure{out_of_space}.
  void start() {
    const std::lock_guard lock(mutex_);
    if (begin_ == nullptr) {
      begin_ = allocate_locked(kArena);
      first_ = reinterpret_cast<std::uintptr_t>(begin_);
    }
  }

  /// Null where there is no room. REQUIRES: it was started.
  void* take(std::size_t size) {
    const std::lock_guard lock(mutex_);
    const auto whole = (size + kAlignment - 1) / kAlignment * kAlignment + kAlignment;
    if (whole > kArena - used_) {
      return nullptr;
    }
    auto* const block = begin_ + used_;
    std::memcpy(block, &size, sizeof size);
    used_ += whole;
    ++alive_;
    return block + kAlignment;
  }

  [[nodiscard]] bool holds(const void* block) const {
    const auto address = reinterpret_cast<std::uintptr_t>(block);
    const auto first = first_.load();
    return first != 0 && address >= first && address < first + kArena;
  }

  std::size_t alive() {
    const std::lock_guard lock(mutex_);
    return alive_;
  }

  static std::size_t size_of(const void* block) {
    std::size_t size = 0;
    std::memcpy(&size, static_cast<const std::uint8_t*>(block) - kAlignment, sizeof size);
    return size;
  }

  void give_back(void* block) {
    sodium_memzero(block, size_of(block));
    const std::lock_guard lock(mutex_);
    if (--alive_ == 0) {
      used_ = 0;
    }
  }

 private:
  std::mutex mutex_;
  std::uint8_t* begin_ = nullptr;
  std::atomic<std::uintptr_t> first_ = 0;
  std::size_t used_ = 0;
  std::size_t alive_ = 0;
};

/// Never destroyed: OpenSSL gives memory back after `main`.
Arena& arena() {
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): OpenSSL has one allocator
  static auto* const made = new Arena;
  return *made;
}

// A global, since OpenSSL passes nothing to its allocator that could hold this.
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
thread_local bool secret = false;

// An allocator for C code, which replaces malloc.
// NOLINTBEGIN(cppcoreguidelines-no-malloc)

void* allocate(std::size_t size, const char* /*file*/, int /*line*/) {
  if (secret && size > 0) {
    if (void* const block = arena().take(size)) {
      return block;
    }
  }
  return std::malloc(size);
}

void give_back(void* block, const char* /*file*/, int /*line*/) {
  if (block != nullptr && arena().holds(block)) {
    arena().give_back(block);
  } else {
    std::free(block);
  }
}

void* change(void* block, std::size_t size, const char* file, int line) {
  if (block == nullptr || !arena().holds(block)) {
    return block == nullptr ? allocate(size, file, line) : std::realloc(block, size);
  }
  void* const larger = allocate(size, file, line);
  if (larger != nullptr) {
    std::memcpy(larger, block, std::min(size, Arena::size_of(block)));
    give_back(block, file, line);
  }
  return larger;
}

// NOLINTEND(cppcoreguidelines-no-malloc)

}  // namespace

void serve_openssl() {
  CRYPTO_set_mem_functions(allocate, change, give_back);
}

SecretContexts::SecretContexts() {
  arena().start();
  secret = true;
}

SecretContexts::~SecretContexts() {
  secret = false;
}

std::size_t locked_for_openssl() {
  return arena().alive();
}

}  // namespace abgleich::mask
