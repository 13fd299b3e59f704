#include "core/private_directory.hpp"

#include "core/error.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich {

namespace {

[[noreturn]] void fail(int why) {
  throw std::system_error(why, std::generic_category());
}

class OpenFile {
 public:
  OpenFile(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : number_(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode)) {
    if (number_ < 0) {
      fail(errno);
    }
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(number_); }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

PrivateDirectory::PrivateDirectory(std::string_view purpose) {
  std::error_code none;
  const auto parent = std::filesystem::temp_directory_path(none);
  auto pattern = fmt::format("{}/{}-XXXXXX", none ? "/tmp" : parent.string(), purpose);
  if (::mkdtemp(pattern.data()) == nullptr) {
    const int why = errno;
    const auto shortage = shortage_of(why);
    throw Failure(shortage ? shortage->code : Code::configuration,
                  fmt::format("no directory can be made in '{}': {}", parent.string(),
                              std::generic_category().message(why)),
                  shortage ? std::string(shortage->hint)
                           : "name a directory for temporary files of your own: TMPDIR=…");
  }
  path_ = pattern;
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;  // what stays is readable by its owner only
  std::filesystem::remove_all(path_, ignored);
}

void copy_privately(const std::filesystem::path& from, const std::filesystem::path& to) {
  constexpr std::size_t kChunk = 65536;
  const OpenFile in(from, O_RDONLY | O_NONBLOCK);
  struct stat status {};
  if (::fstat(in.number(), &status) != 0 || !S_ISREG(status.st_mode)) {
    fail(S_ISREG(status.st_mode) ? errno : EINVAL);
  }
  const OpenFile out(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
  std::array<char, kChunk> chunk{};
  for (;;) {
    const auto got = ::read(in.number(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      fail(errno);
    }
    if (got == 0) {
      break;
    }
    write_whole(out.number(), {chunk.data(), static_cast<std::size_t>(got)});
  }
  if (::fchmod(out.number(), 0600) != 0 || ::fsync(out.number()) != 0) {
    fail(errno);
  }
}

void sync_directory(const std::filesystem::path& directory) {
  const OpenFile opened(directory, O_RDONLY | O_DIRECTORY);
  // EINVAL: the file system cannot sync directories and does not need to
  if (::fsync(opened.number()) != 0 && errno != EINVAL) {
    fail(errno);
  }
}

}  // namespace abgleich
