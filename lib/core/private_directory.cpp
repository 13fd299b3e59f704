#include "core/private_directory.hpp"

#include "core/error.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
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

/// Locks the directory, so that others see that it is used. -1: another process has locked it, or
/// it is not this user's.
int lock_directory(const std::filesystem::path& directory) {
  const int number = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status {};
  if (number >= 0 && ::fstat(number, &status) == 0 && status.st_uid == ::geteuid() &&
      ::flock(number, LOCK_EX | LOCK_NB) == 0) {
    return number;
  }
  if (number >= 0) {
    ::close(number);
  }
  return -1;
}

/// Removes the directories of this kind that nobody uses.
void remove_abandoned(const std::filesystem::path& parent, std::string_view purpose) {
  constexpr std::size_t kRandom = 6;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(parent, error)) {
    const auto name = entry.path().filename().string();
    if (name.size() != purpose.size() + 1 + kRandom ||
        !name.starts_with(fmt::format("{}-", purpose))) {
      continue;
    }
    if (const int number = lock_directory(entry.path()); number >= 0) {
      std::filesystem::remove_all(entry.path(), error);
      ::close(number);
    }
  }
}

}  // namespace

PrivateDirectory::PrivateDirectory(std::string_view purpose) {
  std::error_code none;
  const auto parent = std::filesystem::temp_directory_path(none);
  remove_abandoned(none ? "/tmp" : parent, purpose);
  // Under another name until it is locked: what has this one and is not locked, nobody uses.
  auto pattern = fmt::format("{}/.{}-XXXXXX", none ? "/tmp" : parent.string(), purpose);
  if (::mkdtemp(pattern.data()) == nullptr) {
    const int why = errno;
    const auto shortage = shortage_of(why);
    throw Failure(shortage ? shortage->code : Code::configuration,
                  fmt::format("no directory can be made in '{}': {}", parent.string(),
                              std::generic_category().message(why)),
                  shortage ? std::string(shortage->hint)
                           : "name a directory for temporary files of your own: TMPDIR=…");
  }
  lock_ = lock_directory(pattern);
  path_ = pattern;
  auto name = path_;
  name.replace_filename(path_.filename().string().substr(1));
  if (lock_ >= 0 && ::rename(path_.c_str(), name.c_str()) == 0) {
    path_ = std::move(name);
  }
}

PrivateDirectory::~PrivateDirectory() {
  std::error_code ignored;  // what stays is readable by its owner only
  std::filesystem::remove_all(path_, ignored);
  if (lock_ >= 0) {
    ::close(lock_);
  }
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
