#include "mask/key_file.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::mask {

namespace {

constexpr off_t kMostBytes = 65536;  // 64 KiB, some 300 epochs
constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

[[noreturn]] void refuse(const std::filesystem::path& file, std::string_view what,
                         std::string hint) {
  throw Failure(Code::key_or_trust, fmt::format("key file '{}' {}", file.string(), what),
                std::move(hint));
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

[[noreturn]] void refuse_open(const std::filesystem::path& file, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    refuse(file, "does not exist",
           "restore it from your backup, or, if there was none yet, run `abgleich keys generate`");
  }
  if (error == ELOOP) {
    refuse(file, "is a symbolic link", "write the real path into [keys] file in abgleich.toml");
  }
  refuse(file, fmt::format("cannot be opened: {}", reason(error)),
         fmt::format("look at its rights: `ls -l {}`", file.string()));
}

void check_status(const std::filesystem::path& file, const struct stat& status) {
  const auto name = file.string();
  if (!S_ISREG(status.st_mode)) {
    refuse(file, "is not a regular file", "look at [keys] file in abgleich.toml");
  }
  if (status.st_uid != ::geteuid()) {
    refuse(file, "belongs to another user",
           fmt::format("run abgleich as the file's owner, or, as root, `chown {} {}`", ::geteuid(),
                       name));
  }
  if ((status.st_mode & kOthers) != 0) {
    refuse(file, fmt::format("is open to others (mode {:04o})", status.st_mode & 07777U),
           fmt::format("run `chmod 600 {}`", name));
  }
  if (status.st_size > kMostBytes) {
    refuse(file, "is too large for a key file", "look at [keys] file in abgleich.toml");
  }
}

void sync_directory(const std::filesystem::path& file) {
  const auto parent = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const Descriptor directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // EINVAL: a file system that cannot sync directories, and needs none
  if (!directory.is_open() || (::fsync(directory.number()) != 0 && errno != EINVAL)) {
    throw std::system_error(errno, std::generic_category());
  }
}

void write_whole(const Descriptor& out, std::span<const std::uint8_t> text) {
  // whatever the umask: the owner can read it, nobody else can
  if (::fchmod(out.number(), S_IRUSR | S_IWUSR) != 0) {
    throw std::system_error(errno, std::generic_category());
  }
  while (!text.empty()) {
    const auto written = ::write(out.number(), text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category());
    }
    text = text.subspan(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
  if (::fsync(out.number()) != 0) {
    throw std::system_error(errno, std::generic_category());
  }
}

}  // namespace

LockedMemory read_key_file(const std::filesystem::path& file) {
  // without O_NONBLOCK, opening a named pipe would wait for a writer
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!in.is_open()) {
    refuse_open(file, errno);
  }
  struct stat status {};
  if (::fstat(in.number(), &status) != 0) {
    refuse_open(file, errno);
  }
  check_status(file, status);

  LockedMemory text(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < text.bytes().size()) {
    const auto rest = text.bytes().subspan(filled);
    const auto got = ::read(in.number(), rest.data(), rest.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      refuse(file, "cannot be read whole",
             "run it again; if it stays, restore it from your backup");
    }
    filled += static_cast<std::size_t>(got);
  }
  return text;
}

void write_key_file(const std::filesystem::path& file, std::span<const std::uint8_t> text) {
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                              S_IRUSR | S_IWUSR));
  if (!out.is_open()) {
    const auto error = errno;
    if (error == EEXIST) {
      refuse(file, "exists already, and a key is never overwritten",
             "go on with it, or write another path into [keys] file in abgleich.toml");
    }
    if (error == ENOENT) {
      refuse(file, "cannot be made: its directory does not exist",
             fmt::format("run `mkdir -m 700 -p {}`", file.parent_path().string()));
    }
    refuse(file, fmt::format("cannot be made: {}", reason(error)),
           "look at the rights of its directory");
  }
  try {
    write_whole(out, text);
    sync_directory(file);
  } catch (const std::system_error& error) {
    ::unlink(file.c_str());
    refuse(file, fmt::format("cannot be written: {}", reason(error.code().value())),
           "look at the disk (`df`) and run `abgleich keys generate` again");
  }
}

}  // namespace abgleich::mask
