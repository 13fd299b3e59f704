#include "core/replace_file.hpp"

#include "core/shortage.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich {

namespace {

[[noreturn]] void fail() {
  throw std::system_error(errno, std::generic_category());
}

/// A descriptor of a new, empty file.
int create(const std::filesystem::path& path) {
  // removes a file that a crash has left, or a link that somebody has put there to be written
  // through
  (void)::unlink(path.c_str());
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    fail();
  }
  return file;
}

/// A new file. It closes itself, and removes itself unless it was renamed.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path path) : path_(std::move(path)), file_(create(path_)) {}
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    ::close(file_);
    if (!kept_) {
      (void)::unlink(path_.c_str());
    }
  }

  void fill(std::string_view text, unsigned mode) const {
    write_whole(file_, text);
    if (::fchmod(file_, mode) != 0 || ::fsync(file_) != 0) {
      fail();
    }
  }
  void rename_to(const std::filesystem::path& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) {
      fail();
    }
    kept_ = true;
  }

 private:
  std::filesystem::path path_;
  int file_;
  bool kept_ = false;
};

}  // namespace

void replace_file(const std::filesystem::path& path, std::string_view text, unsigned mode) {
  auto beside = path;
  beside += ".new-" + std::to_string(::getpid());
  NewFile file(beside);
  file.fill(text, mode);
  file.rename_to(path);
}

}  // namespace abgleich
