#include "state/anchor.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::state {

namespace {

constexpr const char* kAnchorFormat = "abgleich.anchor/1";

[[noreturn]] void cannot(const std::filesystem::path& path, std::string_view what) {
  const int number = errno;
  const auto shortage = shortage_of(number);
  throw Failure(shortage ? shortage->code : Code::configuration,
                fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(number)),
                std::string(shortage ? shortage->hint
                                     : "correct [state] directory in abgleich.toml, or its owner "
                                       "and rights") +
                    "; nothing was changed");
}

/// A file descriptor that closes itself.
class File {
 public:
  File(const std::filesystem::path& path, int flags, mode_t mode = 0)
      : number_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

void write_file(const std::filesystem::path& directory, const char* name, const Anchor& anchor) {
  const nlohmann::ordered_json json = {
      {"format", kAnchorFormat}, {"lineage", anchor.lineage}, {"epoch", anchor.epoch},
      {"hash", anchor.hash},     {"primary", anchor.primary}, {"secondary", anchor.secondary}};
  const auto text = json.dump() + "\n";
  const auto path = directory / name;
  const auto temporary = directory / (std::string(name) + ".new");
  {
    const File file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
    try {
      if (file.number() < 0) {
        throw std::system_error(errno, std::generic_category());
      }
      write_whole(file.number(), text);
      if (::fsync(file.number()) != 0) {
        throw std::system_error(errno, std::generic_category());
      }
    } catch (const std::system_error& error) {
      errno = error.code().value();
      cannot(temporary, "write");
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    cannot(path, "write");
  }
  const File parent(directory, O_RDONLY | O_DIRECTORY);
  if (parent.number() < 0 || ::fsync(parent.number()) != 0) {
    cannot(directory, "synchronise");
  }
}

[[noreturn]] void damaged(const std::filesystem::path& path) {
  throw Failure(Code::integrity, fmt::format("'{}' is damaged", path.string()),
                "it is the witness of the secondary's last state; look at the secondary, and if it "
                "is as it should be, run: abgleich adopt --reason TEXT. Nothing was changed");
}

/// A file of another version is not damaged, but this version cannot read it.
[[noreturn]] void another_version(const std::filesystem::path& path, const std::string& format) {
  throw Failure(Code::configuration,
                fmt::format("'{}' is of another version of abgleich: its format is {}, and this "
                            "one knows '{}'",
                            path.string(), contract::in_quotes(format), kAnchorFormat),
                "go on with that version (which this is: abgleich --version); or look at the "
                "secondary, and if it is as it should be, run: abgleich adopt --reason TEXT. "
                "Nothing was changed");
}

/// Empty where there is no such file. Throws Failure where it cannot be read.
std::optional<Anchor> read_file(const std::filesystem::path& path) {
  const File file(path, O_RDONLY | O_NOFOLLOW);
  if (file.number() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return std::nullopt;
    }
    cannot(path, "read");
  }
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(file.number(), buffer.data(), buffer.size());
    if (got < 0) {
      cannot(path, "read");
    }
    if (got == 0) {
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const auto json = parse_shallow<nlohmann::json>(text);
  try {
    if (!json.is_object()) {
      damaged(path);
    }
    if (const std::string format = json.at("format"); format != kAnchorFormat) {
      another_version(path, format);
    }
    return Anchor{.lineage = json.at("lineage"),
                  .epoch = json.at("epoch"),
                  .hash = json.at("hash"),
                  .primary = json.value("primary", ""),
                  .secondary = json.value("secondary", "")};
  } catch (const nlohmann::json::exception&) {
    damaged(path);
  }
}

}  // namespace

StateLock::StateLock(const std::filesystem::path& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    cannot(directory, "make the state directory");
  }
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0) {
    cannot(directory, "open the state directory");
  }
  if (!S_ISDIR(status.st_mode)) {
    errno = ENOTDIR;
    cannot(directory, "open the state directory");
  }
  // an empty directory was just made for this program, so it may close it to others; one that is in
  // use may be open on purpose
  std::error_code unreadable;
  if ((status.st_mode & 0077U) != 0 && std::filesystem::is_empty(directory, unreadable) &&
      status.st_uid == ::geteuid() && ::chmod(directory.c_str(), 0700) == 0) {
    status.st_mode = S_IFDIR | 0700U;
  }
  if ((status.st_mode & 0077U) != 0) {
    throw Failure(
        Code::configuration,
        fmt::format("the state directory '{}' is open to other users", directory.string()),
        fmt::format("chmod 700 {}; nothing was changed", in_shell(directory.string())));
  }
  const auto path = directory / "lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0) {
    cannot(path, "open the lock file");
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const bool taken = errno == EWOULDBLOCK;
    ::close(file_);
    file_ = -1;
    if (!taken) {
      cannot(path, "lock");
    }
    throw Failure(Code::locked, "another run of this pairing is at work",
                  "wait for it to end; it holds '" + path.string() + "'. Nothing was changed");
  }
}

StateLock::~StateLock() {
  if (file_ >= 0) {
    ::close(file_);
  }
}

std::optional<Anchor> read_anchor(const std::filesystem::path& directory) {
  return read_file(directory / "anchor.json");
}

void write_anchor(const std::filesystem::path& directory, const Anchor& anchor) {
  write_file(directory, "anchor.json", anchor);
}

std::optional<Anchor> read_intent(const std::filesystem::path& directory) {
  return read_file(directory / "intent.json");
}

void write_intent(const std::filesystem::path& directory, const Anchor& intent) {
  write_file(directory, "intent.json", intent);
}

void settle_intent(const std::filesystem::path& directory) {
  // a rename, since a new file would fail on a full disk
  if (::rename((directory / "intent.json").c_str(), (directory / "anchor.json").c_str()) == 0) {
    const File parent(directory, O_RDONLY | O_DIRECTORY);
    ::fsync(parent.number());
  }
}

void clear_intent(const std::filesystem::path& directory) {
  std::error_code ignored;  // a stale intent is harmless: it names a state, not an action
  std::filesystem::remove(directory / "intent.json", ignored);
}

void clear_anchor(const std::filesystem::path& directory) {
  clear_intent(directory);
  if (::unlink((directory / "anchor.json").c_str()) != 0 && errno != ENOENT) {
    cannot(directory / "anchor.json", "remove");
  }
}

}  // namespace abgleich::state
