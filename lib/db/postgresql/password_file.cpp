#include "db/postgresql/password_file.hpp"

#include "core/error.hpp"
#include "core/shell_word.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace abgleich::db::postgresql {

namespace {

/// Far more than any password. A .pgpass file is only recognised here; libpq reads it.
constexpr std::size_t kMostBytes = 65536;

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file)
      // O_NONBLOCK: a FIFO must not block a cron job
      : number_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

int unescaped_colons(std::string_view line) {
  int colons = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      ++i;
    } else if (line[i] == ':') {
      ++colons;
    }
  }
  return colons;
}

}  // namespace

PasswordFile::~PasswordFile() {
  explicit_bzero(password.data(), password.size());
}

void read_password_file(const std::filesystem::path& file, Role role, PasswordFile& out) {
  const auto refuse = [&](std::string_view why, std::string hint) -> Failure {
    return {Code::key_or_trust,
            fmt::format("the password file '{}' of the {} {}", file.string(), name_of(role), why),
            std::move(hint)};
  };
  const auto how = fmt::format("chmod 600 {}", in_shell(file.string()));

  const Descriptor descriptor(file);
  struct stat about {};
  if (descriptor.number() < 0 || ::fstat(descriptor.number(), &about) != 0) {
    throw refuse("cannot be opened", "write the password as its only line, then " + how);
  }
  if (!S_ISREG(about.st_mode)) {
    throw refuse("is not a regular file", "");
  }
  if (about.st_uid != ::geteuid()) {
    throw refuse("belongs to another user", "make it the file of the user who runs abgleich");
  }
  if ((about.st_mode & (S_IXUSR | S_IRWXG | S_IRWXO)) != 0) {
    throw refuse("may be used by others", how);
  }

  auto& text = out.password;
  text.resize(kMostBytes);
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(descriptor.number(), text.data() + size, text.size() - size);
    if (got <= 0) {
      break;
    }
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);

  int lines = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.starts_with('#') && unescaped_colons(line) >= 4) {
      out.form = PasswordForm::pgpass;
      explicit_bzero(text.data(), text.size());
      text.clear();
      return;
    }
    ++lines;
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  if (lines != 1 || text.empty() || text.find('\0') != std::string::npos) {
    throw refuse("holds neither one password nor lines of .pgpass",
                 "write the password as its only line, or host:port:database:user:password");
  }
  out.form = PasswordForm::bare;
}

}  // namespace abgleich::db::postgresql
