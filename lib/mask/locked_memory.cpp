#include "mask/locked_memory.hpp"

#include "core/error.hpp"

#include <sodium.h>

namespace abgleich::mask {

namespace {

// sodium_malloc puts the block's end at a page's end, so that only sizes that are a multiple of the
// alignment give an aligned start.
constexpr std::size_t kAlignment = 16;

std::uint8_t* allocate(std::size_t size) {
  start_sodium();
  const auto rounded = (size + kAlignment - 1) / kAlignment * kAlignment;
  auto* const data = static_cast<std::uint8_t*>(sodium_malloc(rounded));
  if (data == nullptr) {
    throw Failure(Code::out_of_space, "no memory for keys",
                  "look at the memory limits of the process: `ulimit -v`, `ulimit -l`");
  }
  return data;
}

}  // namespace

void start_sodium() {
  static const bool started = sodium_init() >= 0;
  if (!started) {
    throw Failure(Code::bug, "libsodium does not start");
  }
}

LockedMemory::LockedMemory(std::size_t size) : data_(allocate(size)), size_(size) {}

void LockedMemory::seal() {
  sodium_mprotect_readonly(data_.get());
}

// sodium_free makes the block writable again, zeroes it and unlocks it.
void LockedMemory::Release::operator()(std::uint8_t* data) const noexcept {
  sodium_free(data);
}

}  // namespace abgleich::mask
