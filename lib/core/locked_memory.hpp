// Memory for keys: locked against swapping, between guard pages, zeroed when it is freed.
#pragma once

#include "core/digest.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace abgleich {

/// Starts libsodium; calls after the first do nothing. Throws Failure{bug} where it does not start.
void start_sodium();

/// Locked memory from sodium_malloc, aligned for any key; the classes below are made of it. Throws
/// Failure{out_of_space}.
std::uint8_t* allocate_locked(std::size_t size);
void free_locked(std::uint8_t* data) noexcept;

/// A block of bytes from sodium_malloc. Movable, not copyable.
class LockedMemory {
 public:
  /// Throws Failure{out_of_space}.
  explicit LockedMemory(std::size_t size);

  [[nodiscard]] std::span<std::uint8_t> bytes() { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_.get(), size_}; }

  /// Makes it read-only for good: a write by mistake then stops the process instead of changing a
  /// key. It stays readable, so that threads may share it.
  void seal();

 private:
  struct Release {
    void operator()(std::uint8_t* data) const noexcept;
  };
  std::unique_ptr<std::uint8_t, Release> data_;
  std::size_t size_;
};

/// Whether all such memory of this process could be locked. Where the limit (RLIMIT_MEMLOCK) is too
/// low, keys can be written to the swap.
bool memory_is_locked();

/// An allocator that puts the elements of a container into locked memory.
template <class T>
class LockedAllocator {
 public:
  using value_type = T;

  LockedAllocator() = default;
  template <class U>
  explicit LockedAllocator(const LockedAllocator<U>& /*unused*/) {}

  T* allocate(std::size_t count) {
    return reinterpret_cast<T*>(allocate_locked(count * sizeof(T)));
  }
  void deallocate(T* data, std::size_t /*unused*/) noexcept {
    free_locked(reinterpret_cast<std::uint8_t*>(data));
  }
  bool operator==(const LockedAllocator& /*unused*/) const { return true; }
};

/// The keys of a table's columns.
using SipKeys = std::vector<SipKey, LockedAllocator<SipKey>>;

/// One thing that is as secret as a key: a key, or the state of a cipher. A copy is locked as well.
template <class T>
class Locked {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Locked() : one_(1) {}
  // copied instead of moved: `one_` always has its element
  Locked(const Locked&) = default;
  Locked& operator=(const Locked&) = default;
  ~Locked() = default;

  T* operator->() { return &one_.front(); }
  const T* operator->() const { return &one_.front(); }
  T& operator*() { return one_.front(); }
  const T& operator*() const { return one_.front(); }
  // NOLINTNEXTLINE(google-explicit-constructor): the value is the same, only its memory is another
  operator const T&() const { return one_.front(); }
  bool operator==(const Locked&) const = default;

 private:
  std::vector<T, LockedAllocator<T>> one_;
};

/// A key of SipHash that was derived for one purpose.
using LockedSipKey = Locked<SipKey>;

/// A 256-bit key that was derived for one purpose.
class Subkey {
 public:
  [[nodiscard]] std::span<std::uint8_t> bytes() { return memory_.bytes(); }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return memory_.bytes(); }

 private:
  LockedMemory memory_{32};
};

}  // namespace abgleich
