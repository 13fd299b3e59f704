#include "core/locked_memory.hpp"

#include "core/error.hpp"

#include <sodium.h>

#include <atomic>
#include <sys/mman.h>

namespace abgleich {

namespace {

// sodium_malloc puts the block's end at a page's end, so that only sizes that are a multiple of the
// alignment give an aligned start.
constexpr std::size_t kAlignment = 16;

// one for the whole process, as the limit is
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables)
std::atomic<bool> all_locked{true};

}  // namespace

std::uint8_t* allocate_locked(std::size_t size) {
  start_sodium();
  const auto rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  auto* const data = static_cast<std::uint8_t*>(sodium_malloc(rounded));
  if (data == nullptr) {
    throw Failure(Code::out_of_space, "no memory for keys",
                  "look at the memory limits of the process: `ulimit -v`, `ulimit -l`");
  }
  // locked a second time, because sodium_malloc does not tell whether it could
  if (::mlock(data, rounded) != 0) {
    all_locked = false;
  }
  return data;
}

// makes the block writable again, zeroes it and unlocks it
void free_locked(std::uint8_t* data) noexcept {
  sodium_free(data);
}

bool memory_is_locked() {
  return all_locked;
}

void start_sodium() {
  static const bool started = sodium_init() >= 0;
  if (!started) {
    throw Failure(Code::bug, "libsodium does not start");
  }
}

LockedMemory::LockedMemory(std::size_t size) : data_(allocate_locked(size)), size_(size) {}

void LockedMemory::seal() {
  sodium_mprotect_readonly(data_.get());
}

void LockedMemory::Release::operator()(std::uint8_t* data) const noexcept {
  free_locked(data);
}

}  // namespace abgleich
