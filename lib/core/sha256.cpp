#include "core/sha256.hpp"

#include "core/hex.hpp"

#include <sodium.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace abgleich {

std::string sha256_of(const std::filesystem::path& file) {
  constexpr std::size_t kChunk = std::size_t{1} << 20U;
  const int number = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (number < 0) {
    throw std::system_error(errno, std::generic_category());
  }
  struct stat status {};
  if (::fstat(number, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(number);
    throw std::system_error(EINVAL, std::generic_category());
  }
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::vector<unsigned char> chunk(kChunk);
  ssize_t got = 0;
  do {
    got = ::read(number, chunk.data(), chunk.size());
    if (got > 0) {
      crypto_hash_sha256_update(&state, chunk.data(), static_cast<std::size_t>(got));
    }
  } while (got > 0 || (got < 0 && errno == EINTR));
  const int why = errno;
  ::close(number);
  if (got < 0) {
    throw std::system_error(why, std::generic_category());
  }
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state, digest.data());
  return hex(digest);
}

}  // namespace abgleich
