// A library to preload: kills the process at the n-th call that changes what is on disk, before the
// call is made (ABGLEICH_TEST_KILL_AT=n). So a test reaches every step of a program, each in turn.

#include <atomic>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

namespace {

std::atomic<long> calls{0};

void step() {
  const char* const at = std::getenv("ABGLEICH_TEST_KILL_AT");
  if (at != nullptr && ++calls == std::atol(at)) {
    ::kill(::getpid(), SIGKILL);
  }
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int rename(const char* from, const char* to) noexcept {
  step();
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}
int unlink(const char* file) noexcept {
  step();
  return next<int (*)(const char*)>("unlink")(file);
}
int fsync(int file) {
  step();
  return next<int (*)(int)>("fsync")(file);
}
int fdatasync(int file) {
  step();
  return next<int (*)(int)>("fdatasync")(file);
}
int ftruncate64(int file, off64_t size) noexcept {
  step();
  return next<int (*)(int, off64_t)>("ftruncate64")(file, size);
}
ssize_t pwrite64(int file, const void* bytes, std::size_t size, off64_t at) {
  step();
  return next<ssize_t (*)(int, const void*, std::size_t, off64_t)>("pwrite64")(file, bytes, size,
                                                                               at);
}
ssize_t write(int file, const void* bytes, std::size_t size) {
  if (file > 2) {
    step();
  }
  return next<ssize_t (*)(int, const void*, std::size_t)>("write")(file, bytes, size);
}
}
