#include "seal/secret_file.hpp"

#include "core/error.hpp"
#include "core/private_directory.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::seal {

namespace {

constexpr off_t kMostBytes = 65536;          // 64 KiB: enough for some 300 epochs of a key
constexpr mode_t kMost = S_IRUSR | S_IWUSR;  // rights that a key file may have

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

[[noreturn]] void refuse(const SecretFile& kind, const std::filesystem::path& file,
                         std::string_view what, std::string hint) {
  throw Failure(Code::key_or_trust, fmt::format("{} '{}' {}", kind.called, file.string(), what),
                std::move(hint));
}

/// For an error of the system; the message is `what`, a colon and the reason. Where the machine is
/// short of something, code and hint say so: then neither the key nor its rights are to blame.
[[noreturn]] void refuse(const SecretFile& kind, const std::filesystem::path& file,
                         std::string_view what, int error, std::string hint) {
  const auto shortage = shortage_of(error);
  throw Failure(shortage ? shortage->code : Code::key_or_trust,
                fmt::format("{} '{}' {}: {}", kind.called, file.string(), what,
                            std::generic_category().message(error)),
                shortage ? std::string(shortage->hint) : std::move(hint));
}

/// The directory of a service's credentials, if systemd has started this process with some.
std::string credentials_directory() {
  const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
  return directory == nullptr ? "" : directory;
}

bool is_credential(const std::filesystem::path& file) {
  const auto directory = credentials_directory();
  return !directory.empty() && file.parent_path() == std::filesystem::path(directory);
}

[[noreturn]] void refuse_open(const SecretFile& kind, const std::filesystem::path& file,
                              int error) {
  if (file.native().starts_with("$CREDENTIALS_DIRECTORY")) {
    refuse(kind, file, "is not there: systemd has not started this process with credentials",
           fmt::format("run it as a service with `LoadCredential={}:/path/of/the/key`",
                       file.filename().string()));
  }
  if (error == ENOENT || error == ENOTDIR) {
    refuse(kind, file, "does not exist",
           fmt::format("restore it from your backup, or, if there was none yet, run `{}`",
                       kind.made_by));
  }
  if (error == ELOOP) {
    refuse(kind, file, "is a symbolic link",
           fmt::format("write the real path into {} in abgleich.toml", kind.setting));
  }
  refuse(kind, file, "cannot be opened", error,
         fmt::format("look at its rights: `ls -l {}`", in_shell(file.string())));
}

void check_size(const SecretFile& kind, const std::filesystem::path& file,
                const struct stat& status) {
  if (status.st_size > kMostBytes) {
    refuse(kind, file, fmt::format("is too large for a {}", kind.called),
           fmt::format("look at {} in abgleich.toml", kind.setting));
  }
}

void check_status(const SecretFile& kind, const std::filesystem::path& file,
                  const struct stat& status) {
  const auto name = in_shell(file.string());
  if (!S_ISREG(status.st_mode)) {
    refuse(kind, file, "is not a regular file",
           fmt::format("look at {} in abgleich.toml", kind.setting));
  }
  if (is_credential(file)) {
    // Where the file system has access control lists, systemd leaves the files to root and gives
    // the service access by such a list. It shows in the bits of the group.
    if ((status.st_uid != ::geteuid() && status.st_uid != 0) ||
        (status.st_mode & (S_IRWXO | S_IWGRP | S_IXGRP)) != 0) {
      refuse(kind, file,
             fmt::format("is no credential as systemd makes them (mode {:04o})",
                         status.st_mode & 07777U),
             "look at LoadCredential= in the unit");
    }
    return check_size(kind, file, status);
  }
  if (status.st_uid != ::geteuid()) {
    refuse(kind, file, "belongs to another user",
           fmt::format("run abgleich as the file's owner, or, as root, `chown {} {}`", ::geteuid(),
                       name));
  }
  const auto mode = status.st_mode & 07777U;
  if ((mode & ~kMost) != 0) {
    refuse(kind, file,
           fmt::format("{} (mode {:04o})",
                       (mode & (S_IRWXG | S_IRWXO)) != 0 ? "is open to others"
                                                         : "has rights that a key has no use for",
                       mode),
           fmt::format("run `chmod 600 {}`", name));
  }
  check_size(kind, file, status);
}

std::filesystem::path parent_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

void write_whole(const Descriptor& out, std::span<const std::uint8_t> text) {
  // whatever the umask is, only the owner can read and write it
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

/// Writes a new file, and removes it again if it could not be written completely.
void make_file(const SecretFile& kind, const std::filesystem::path& file,
               std::span<const std::uint8_t> text, std::string_view again) {
  const Descriptor out(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                              S_IRUSR | S_IWUSR));
  if (!out.is_open()) {
    const auto error = errno;
    if (error == EEXIST) {
      refuse(kind, file, "exists already, and a key is never overwritten",
             fmt::format("go on with it, or write another path into {} in abgleich.toml",
                         kind.setting));
    }
    if (error == ENOENT) {
      refuse(kind, file, "cannot be made: its directory does not exist",
             fmt::format("run `mkdir -m 700 -p {}`", in_shell(file.parent_path().string())));
    }
    refuse(kind, file, "cannot be made", error, "look at the rights of its directory");
  }
  try {
    write_whole(out, text);
    sync_directory(parent_of(file));
  } catch (const std::system_error& error) {
    ::unlink(file.c_str());
    refuse(kind, file, "cannot be written", error.code().value(),
           fmt::format("look at the disk (`df`) and run `{}` again", again));
  }
}

}  // namespace

LockedMemory read_secret_file(const SecretFile& kind, const std::filesystem::path& file) {
  // without O_NONBLOCK, opening a named pipe would wait for a writer
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!in.is_open()) {
    refuse_open(kind, file, errno);
  }
  struct stat status {};
  if (::fstat(in.number(), &status) != 0) {
    refuse_open(kind, file, errno);
  }
  check_status(kind, file, status);

  LockedMemory text(static_cast<std::size_t>(status.st_size));
  std::size_t filled = 0;
  while (filled < text.bytes().size()) {
    const auto rest = text.bytes().subspan(filled);
    const auto got = ::read(in.number(), rest.data(), rest.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      refuse(kind, file, "cannot be read whole",
             "run it again; if it stays, restore it from your backup");
    }
    filled += static_cast<std::size_t>(got);
  }
  return text;
}

void write_secret_file(const SecretFile& kind, const std::filesystem::path& file,
                       std::span<const std::uint8_t> text) {
  make_file(kind, file, text, kind.made_by);
}

void replace_secret_file(const SecretFile& kind, const std::filesystem::path& file,
                         std::span<const std::uint8_t> text) {
  auto next = file;
  next += ".new";
  ::unlink(next.c_str());  // left by a rotation that was interrupted; its new key was never used
  make_file(kind, next, text, kind.changed_by);
  if (::rename(next.c_str(), file.c_str()) != 0) {
    const auto error = errno;
    ::unlink(next.c_str());
    refuse(kind, file, "cannot be replaced", error, "look at the rights of its directory");
  }
  try {
    sync_directory(parent_of(file));
  } catch (const std::system_error&) {
    // the file is in its place, but may be lost in a power cut
    refuse(kind, file, "was replaced, but its directory cannot be brought to the disk",
           fmt::format("run `sync`, then `{}`", kind.checked_by));
  }
}

}  // namespace abgleich::seal
