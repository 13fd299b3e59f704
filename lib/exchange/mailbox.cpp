#include "exchange/mailbox.hpp"

#include "core/base32.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/locked_memory.hpp"
#include "core/private_directory.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::exchange {

namespace {

namespace fs = std::filesystem;

/// Files that have no name of a message yet; a node never opens one of another node.
constexpr std::string_view kTemporary = ".tmp-";
constexpr std::int64_t kDay = 86'400;
constexpr mode_t kMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;

/// What was tried with a mailbox, for messages: what does not work, and what follows from that.
struct Attempt {
  std::string_view fails;
  std::string_view outcome;
};

constexpr Attempt kUsing{.fails = "be used",
                         .outcome = "nothing was sent or fetched; rows wait for the next run"};
constexpr Attempt kSending{.fails = "be written to",
                           .outcome = "nothing was sent; rows wait for the next run"};
constexpr Attempt kSyncing{
    .fails = "be brought to the disk",
    .outcome = "what was sent may be lost if the power fails now; then it is sent again"};
constexpr Attempt kFetching{.fails = "be read",
                            .outcome = "nothing was fetched; rows wait there for the next run"};
constexpr Attempt kRemoving{.fails = "be cleared of what was fetched",
                            .outcome = "the next run tries it again"};

std::string reason(int error) {
  return std::generic_category().message(error);
}

/// Why a path does not lead to a directory, as an error number; 0: it does.
int trouble_with(const fs::path& directory) {
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    return errno;
  }
  return S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
}

/// Whether there is no such directory, as opposed to one that cannot be reached.
bool is_missing(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;
}

[[noreturn]] void refuse_missing(const fs::path& directory, int error) {
  throw Failure(Code::configuration,
                fmt::format("the mailbox '{}' {}; {}", directory.string(),
                            error == ENOENT ? "does not exist" : "is no directory", kUsing.outcome),
                fmt::format("correct its path (mailbox in abgleich.toml), mount it, or make it: "
                            "`mkdir {}`",
                            in_shell(directory.string())));
}

std::string hint_for(const fs::path& directory, int error) {
  const auto path = in_shell(directory.string());
  if (error == EACCES || error == EPERM || error == EROFS) {
    return fmt::format(
        "this user has to be able to make files there, and to remove those of others: look at the "
        "rights with `ls -ld {0}`; a 't' at their end forbids the latter: `chmod -t {0}`",
        path);
  }
  return fmt::format(
      "look whether it is mounted and can be reached: `findmnt --target {0}`, "
      "`ls -ld {0}`; then run the same command again",
      path);
}

/// For an error number of the system.
[[noreturn]] void cannot(const fs::path& directory, const Attempt& attempt, int error) {
  if (const int missing = trouble_with(directory); is_missing(missing)) {
    refuse_missing(directory, missing);
  }
  // an error of the disk is more often one of the network here, and what helps is another thing
  const auto shortage = error == EIO ? std::nullopt : shortage_of(error);
  throw Failure(shortage ? shortage->code : Code::try_again,
                fmt::format("the mailbox '{}' cannot {}: {}; {}", directory.string(), attempt.fails,
                            reason(error), attempt.outcome),
                shortage ? std::string(shortage->hint) : hint_for(directory, error));
}

/// For a file that its sender has closed to others.
[[noreturn]] void refuse_closed(const fs::path& file) {
  throw Failure(Code::try_again,
                fmt::format("this user may not read '{}' in the mailbox; {}", file.string(),
                            kFetching.outcome),
                fmt::format("whoever hosts the mailbox has to let this user read it: `ls -l {}`",
                            in_shell(file.string())));
}

[[noreturn]] void refuse_file_system(const fs::path& directory, std::string_view what) {
  throw Failure(Code::configuration,
                fmt::format("the mailbox '{}' cannot be used: {}", directory.string(), what),
                "name a directory on another file system (mailbox in abgleich.toml), such as a "
                "local disk or NFS");
}

std::string random_name() {
  BoxName name{};
  start_sodium();
  randombytes_buf(name.data(), name.size());
  return box_text(name);
}

/// Whether a file has the name of one that a writer has begun.
bool is_temporary(std::string_view name) {
  BoxName random;
  return name.starts_with(kTemporary) && read_box(name.substr(kTemporary.size()), random);
}

}  // namespace

std::string box_text(const BoxName& box) {
  std::string text;
  append_base32(box, text);
  return text;
}

bool read_box(std::string_view text, BoxName& box) {
  return read_base32(text, box);
}

void Mailbox::expect_usable() const {
  if (const int error = trouble_with(directory_); error != 0) {
    cannot(directory_, kUsing, error);
  }
  // as if a writer had begun it: if this is killed, `remove_leftovers` finds the file
  const auto name = std::string(kTemporary) + random_name();
  const auto file = directory_ / name;
  const auto size_of_file = [&] {
    struct stat status {};
    return ::lstat(file.c_str(), &status) == 0 ? status.st_size : -1;
  };
  constexpr std::array<std::uint8_t, 2> kBytes{};
  for (std::size_t size = 1; size <= kBytes.size(); ++size) {
    NewFile writer(*this, name);
    writer.add(std::span(kBytes).first(size));
    writer.finish();
  }
  const bool replaces = size_of_file() == static_cast<off_t>(kBytes.size());
  remove(name);
  if (!replaces) {
    refuse_file_system(directory_, "on its file system a rename does not replace a file");
  }
  if (size_of_file() >= 0) {
    refuse_file_system(directory_, "on its file system a removed file is still there");
  }
}

bool Mailbox::has(const std::string& name) const {
  struct stat status {};
  if (::lstat((directory_ / name).c_str(), &status) == 0) {
    return S_ISREG(status.st_mode);
  }
  const int error = errno;
  if (error != ENOENT || trouble_with(directory_) != 0) {
    cannot(directory_, kFetching, error);
  }
  return false;
}

Mailbox::File::File(File&& other) noexcept
    : directory_(std::move(other.directory_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      age_(other.age_) {}

Mailbox::File& Mailbox::File::operator=(File&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(file_, other.file_);
  std::swap(size_, other.size_);
  std::swap(age_, other.age_);
  return *this;
}

Mailbox::File::~File() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

seal::Feed Mailbox::File::feed() const {
  return [directory = directory_, file = file_, size = size_,
          offset = std::uint64_t{0}](std::span<std::uint8_t> bytes) mutable {
    const auto most =
        static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), size - offset));
    ssize_t got = 0;
    do {
      got = ::pread(file, bytes.data(), most, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      cannot(directory, kFetching, errno);
    }
    offset += static_cast<std::uint64_t>(got);
    return static_cast<std::size_t>(got);
  };
}

std::optional<Mailbox::File> Mailbox::open(const std::string& name) const {
  const auto path = directory_ / name;
  File file(directory_);
  // O_NONBLOCK: the opening of a pipe would wait for somebody who writes into it
  file.file_ = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  struct stat status {};
  if (file.file_ < 0 || ::fstat(file.file_, &status) != 0) {
    const int error = errno;
    const bool nothing = error == ENOENT || error == ELOOP || error == ENXIO;  // a link; a socket
    if (nothing && trouble_with(directory_) == 0) {
      return std::nullopt;
    }
    if (error == EACCES && has(name)) {
      refuse_closed(path);
    }
    cannot(directory_, kFetching, error);
  }
  if (!S_ISREG(status.st_mode)) {
    return std::nullopt;
  }
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  file.age_ = std::chrono::seconds(now_seconds() - status.st_mtime);
  return file;
}

void Mailbox::remove(const std::string& name) const {
  if (::unlink((directory_ / name).c_str()) != 0 && errno != ENOENT) {
    cannot(directory_, kRemoving, errno);
  }
}

void Mailbox::remove_leftovers() const {
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error), end; !error && entry != end;
       entry.increment(error)) {
    struct stat status {};
    if (is_temporary(entry->path().filename().string()) &&
        ::lstat(entry->path().c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_uid == ::geteuid() && now_seconds() - status.st_mtime > kDay) {
      (void)::unlink(entry->path().c_str());  // what cannot be removed costs its space only
    }
  }
  if (error && error != std::errc::permission_denied) {
    cannot(directory_, kUsing, error.value());
  }
}

Mailbox::NewFile::NewFile(const Mailbox& mailbox, const std::string& name)
    : directory_(mailbox.directory_),
      temporary_(directory_ / (std::string(kTemporary) + random_name())),
      path_(directory_ / name),
      file_(
          ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode)) {
  if (file_ < 0) {
    cannot(directory_, kSending, errno);
  }
  // whatever the umask is; not every file system has modes
  (void)::fchmod(file_, kMode);
}

Mailbox::NewFile::~NewFile() {
  ::close(file_);
  if (!finished_) {
    (void)::unlink(temporary_.c_str());
  }
}

void Mailbox::NewFile::add(std::span<const std::uint8_t> bytes) {
  try {
    write_whole(file_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } catch (const std::system_error& error) {
    cannot(directory_, kSending, error.code().value());
  }
}

void Mailbox::NewFile::finish() {
  if (::fsync(file_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    cannot(directory_, kSending, errno);
  }
  finished_ = true;
  try {
    sync_directory(directory_ / "");  // with a slash behind it, it may also be a symbolic link
  } catch (const std::system_error& error) {
    // Where a host lets nobody list the mailbox, nobody can bring it to the disk. A message that is
    // lost is sent again.
    if (error.code() != std::errc::permission_denied) {
      cannot(directory_, kSyncing, error.code().value());
    }
  }
}

}  // namespace abgleich::exchange
