#include "drift/catalog_file.hpp"

#include "core/error.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::drift {

namespace {

namespace fs = std::filesystem;

constexpr mode_t kUsualMode = 0666;  // less the umask: people and version control read it
constexpr int kAttempts = 100;       // names to try, as others may be taken
constexpr std::string_view kEnding = ".tmp";

[[noreturn]] void fail(std::string_view what, const fs::path& file, int error, std::string hint) {
  const auto shortage = shortage_of(error);
  throw Failure{shortage ? shortage->code : Code::configuration,
                fmt::format("cannot {} '{}': {}", what, file.string(),
                            std::generic_category().message(error)),
                shortage ? std::string(shortage->hint) : std::move(hint)};
}

[[noreturn]] void fail_write(const fs::path& file, int error) {
  fail("write", file, error,
       fmt::format("make '{}' writable and give it room", file.parent_path().string()));
}

/// Removes what killed processes have left beside the target: PATH.PID-N.tmp of a process that no
/// longer exists.
void sweep(const fs::path& target) {
  const auto beginning = target.filename().string() + ".";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(
           target.has_parent_path() ? target.parent_path() : fs::path("."), error)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(beginning) || !name.ends_with(kEnding)) {
      continue;
    }
    const auto numbers = std::string_view(name).substr(beginning.size());
    pid_t process = 0;
    const auto [end, bad] =
        std::from_chars(numbers.data(), numbers.data() + numbers.size(), process);
    if (bad == std::errc() && process > 0 && *end == '-' && ::kill(process, 0) != 0 &&
        errno == ESRCH) {
      fs::remove(entry.path(), error);
    }
  }
}

/// A new file beside the target. It is removed unless `keep` was called.
class Temporary {
 public:
  explicit Temporary(const fs::path& target) : target_(target) {
    sweep(target);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
      name_ = fmt::format("{}.{}-{}{}", target.string(), ::getpid(), attempt, kEnding);
      descriptor_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kUsualMode);
      if (descriptor_ >= 0 || errno != EEXIST) {
        break;
      }
    }
    if (descriptor_ < 0) {
      name_.clear();
      fail_write(target_, errno);
    }
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
    if (!name_.empty()) {
      ::unlink(name_.c_str());
    }
  }

  void write(std::string_view text) {
    try {
      write_whole(descriptor_, text);
    } catch (const std::system_error& error) {
      fail_write(target_, error.code().value());
    }
  }

  /// Takes the target's place in one step, on disk too. The target's mode stays.
  void keep() {
    struct stat old {};
    if (::stat(target_.c_str(), &old) == 0 && ::fchmod(descriptor_, old.st_mode & 0777U) != 0) {
      fail_write(target_, errno);
    }
    if (::fsync(descriptor_) != 0 || ::close(std::exchange(descriptor_, -1)) != 0 ||
        ::rename(name_.c_str(), target_.c_str()) != 0) {
      fail_write(target_, errno);
    }
    name_.clear();
    sync_directory();
  }

 private:
  void sync_directory() const {
    const fs::path directory = target_.has_parent_path() ? target_.parent_path() : ".";
    const int opened = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) {
      ::fsync(opened);  // not every file system can; the rename itself is done
      ::close(opened);
    }
  }

  fs::path target_;
  std::string name_;
  int descriptor_ = -1;
};

}  // namespace

Catalog read_catalog(const fs::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::string text;
  if (in && !fs::is_directory(file)) {
    text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (!in || in.bad() || fs::is_directory(file)) {
    fail("read", file,
         fs::is_directory(file) ? EISDIR
         : errno != 0           ? errno
                                : EIO,
         "write the accepted catalogue: abgleich drift accept");
  }
  return catalog_from_json(text, file);
}

void write_catalog(const Catalog& catalog, const fs::path& file) {
  const std::string text = catalog_to_json(catalog);
  std::error_code ignored;
  const fs::path resolved = fs::is_symlink(file, ignored) ? fs::weakly_canonical(file) : file;
  Temporary temporary{resolved};
  temporary.write(text);
  temporary.keep();
}

}  // namespace abgleich::drift
