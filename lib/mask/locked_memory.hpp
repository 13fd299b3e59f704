// Memory for keys: locked against swapping, fenced by guard pages, zeroed when it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace abgleich::mask {

/// Starts libsodium, once a process however often it is called. Throws Failure{bug} where it will
/// not start.
void start_sodium();

/// A block of bytes from sodium_malloc. Movable, not copyable.
class LockedMemory {
 public:
  /// Throws Failure{out_of_space}.
  explicit LockedMemory(std::size_t size);

  [[nodiscard]] std::span<std::uint8_t> bytes() { return {data_.get(), size_}; }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_.get(), size_}; }

  /// Makes it read-only for good: a stray write then stops the process instead of changing a key.
  /// It stays readable, so that threads may share it.
  void seal();

 private:
  struct Release {
    void operator()(std::uint8_t* data) const noexcept;
  };
  std::unique_ptr<std::uint8_t, Release> data_;
  std::size_t size_;
};

/// A 256-bit key that was derived for one purpose.
class Subkey {
 public:
  [[nodiscard]] std::span<std::uint8_t> bytes() { return memory_.bytes(); }
  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return memory_.bytes(); }

 private:
  LockedMemory memory_{32};
};

}  // namespace abgleich::mask
