#include "core/error.hpp"
#include "mask/keyring.hpp"
#include "mask/known_keyring.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

namespace abgleich::mask {
namespace {

namespace fs = std::filesystem;

/// A directory of the test's own that goes with it.
class Directory {
 public:
  Directory() {
    auto pattern = (fs::temp_directory_path() / "abgleich-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory() { fs::remove_all(path_); }
  [[nodiscard]] fs::path file() const { return path_ / "abgleich.key"; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

void write(const fs::path& file, std::string_view text, mode_t mode = 0600) {
  std::ofstream(file, std::ios::binary) << text;
  REQUIRE(::chmod(file.c_str(), mode) == 0);
}

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

template <typename Action>
Error refusal(const Action& action) {
  try {
    action();
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::key_or_trust);
    CHECK_FALSE(failure.error().hint.empty());
    return failure.error();
  }
  FAIL("not refused");
  return {};
}

Error refusal_to_read(const fs::path& file) {
  return refusal([&] { Keyring::read(file); });
}

bool ends_with(const Error& error, std::string_view end) {
  return error.message.ends_with(end);
}

TEST_CASE("a generated key file has mode 0600 whatever the umask, and reads") {
  for (const mode_t umask : {0000U, 0022U, 0777U}) {
    const Directory directory;
    const auto before = ::umask(umask);
    Keyring::generate(directory.file());
    ::umask(before);
    struct stat status {};
    REQUIRE(::stat(directory.file().c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    CHECK(Keyring::read(directory.file()).epoch() == 1);
  }
}

TEST_CASE("two generated keys share nothing") {
  const Directory directory;
  const auto second = directory.path() / "second.key";
  Keyring::generate(directory.file());
  Keyring::generate(second);
  CHECK(Keyring::read(directory.file()).check_value() != Keyring::read(second).check_value());
  const auto one = content(directory.file());
  const auto two = content(second);
  REQUIRE(one.size() == two.size());
  for (std::size_t at = 0; at + 16 < one.size(); ++at) {
    const auto part = one.substr(at, 16);
    if (part.find_first_not_of("0123456789abcdef") == std::string::npos) {
      CHECK(two.find(part) == std::string::npos);
    }
  }
}

TEST_CASE("generate overwrites nothing, not even a dangling link") {
  const Directory directory;
  write(directory.file(), "precious");
  const auto error = refusal([&] { Keyring::generate(directory.file()); });
  CHECK(error.message == "key file '" + directory.file().string() +
                             "' exists already, and a key is never overwritten");
  CHECK(content(directory.file()) == "precious");

  const auto link = directory.path() / "link.key";
  fs::create_symlink(directory.path() / "nowhere", link);
  refusal([&] { Keyring::generate(link); });
  CHECK_FALSE(fs::exists(directory.path() / "nowhere"));
}

TEST_CASE("generate names the directory to make") {
  const Directory directory;
  const auto error = refusal([&] { Keyring::generate(directory.path() / "keys" / "a.key"); });
  CHECK(ends_with(error, "cannot be made: its directory does not exist"));
  CHECK(error.hint == "run `mkdir -m 700 -p " + (directory.path() / "keys").string() + "`");
}

TEST_CASE("a key file that is not there is refused with the commands to get one") {
  const Directory directory;
  const auto error = refusal_to_read(directory.file());
  CHECK(error.message == "key file '" + directory.file().string() + "' does not exist");
  CHECK(error.hint ==
        "restore it from your backup, or, if there was none yet, run `abgleich keys generate`");
}

TEST_CASE("a key file that others may touch is refused with the chmod to run") {
  const Directory directory;
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0644U, 0666U, 0777U}) {
    write(directory.file(), kKnownKeyText, mode);
    const auto error = refusal_to_read(directory.file());
    CHECK(error.message.find("is open to others") != std::string::npos);
    CHECK(error.hint == "run `chmod 600 " + directory.file().string() + "`");
    fs::remove(directory.file());
  }
}

TEST_CASE("a key file that could be run is refused like one that is open to others") {
  const Directory directory;
  for (const mode_t mode : {0700U, 0500U, 0100U, 04600U}) {
    write(directory.file(), kKnownKeyText, mode);
    const auto error = refusal_to_read(directory.file());
    CHECK(error.message.find("has rights that a key has no use for (mode ") != std::string::npos);
    CHECK(error.hint == "run `chmod 600 " + directory.file().string() + "`");
    fs::remove(directory.file());
  }
}

TEST_CASE("a command in a hint can be pasted whatever the file is called") {
  const Directory directory;
  const auto file = directory.path() / "our key's $HOME";
  write(file, kKnownKeyText, 0644);
  const auto error = refusal_to_read(file);
  CHECK(error.hint == "run `chmod 600 '" + directory.path().string() + "/our key'\\''s $HOME'`");
}

TEST_CASE("a key file of mode 0600 or less is read") {
  const Directory directory;
  for (const mode_t mode : {0600U, 0400U}) {
    write(directory.file(), kKnownKeyText, mode);
    CHECK(Keyring::read(directory.file()).check_value() == known_keyring().check_value());
    fs::remove(directory.file());
  }
}

TEST_CASE("links, directories, pipes and devices are no key files") {
  const Directory directory;
  const auto real = directory.path() / "real.key";
  write(real, kKnownKeyText);
  fs::create_symlink(real, directory.file());
  CHECK(ends_with(refusal_to_read(directory.file()), "is a symbolic link"));

  CHECK(ends_with(refusal_to_read(directory.path()), "is not a regular file"));

  const auto pipe = directory.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(ends_with(refusal_to_read(pipe), "is not a regular file"));

  CHECK(ends_with(refusal_to_read("/dev/null"), "is not a regular file"));
}

TEST_CASE("a key file of another user is refused") {
  const Directory directory;
  fs::path file = "/etc/passwd";  // root's, on every system
  if (::geteuid() == 0) {
    file = directory.file();
    write(file, kKnownKeyText);
    REQUIRE(::chown(file.c_str(), 65534, 65534) == 0);
  }
  CHECK(ends_with(refusal_to_read(file), "belongs to another user"));
}

TEST_CASE("a file too large for a key file is not even read") {
  const Directory directory;
  write(directory.file(), kKnownKeyText);
  fs::resize_file(directory.file(), std::uintmax_t{1} << 40U);  // sparse
  CHECK(ends_with(refusal_to_read(directory.file()), "is too large for a key file"));
}

TEST_CASE("an empty or damaged key file is refused by its name") {
  const Directory directory;
  write(directory.file(), "");
  CHECK(refusal_to_read(directory.file()).message ==
        "key file '" + directory.file().string() + "' is empty");
  fs::remove(directory.file());
  write(directory.file(), kKnownKeyText + "x");
  refusal_to_read(directory.file());
}

TEST_CASE("a credential of systemd is read though it is root's and its group bits are set") {
  const Directory directory;
  const auto* const before = std::getenv("CREDENTIALS_DIRECTORY");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("CREDENTIALS_DIRECTORY", directory.path().c_str(), 1);
  for (const mode_t mode : {0400U, 0440U, 0600U}) {
    write(directory.file(), kKnownKeyText, mode);
    CHECK(Keyring::read(directory.file()).check_value() == known_keyring().check_value());
    fs::remove(directory.file());
  }
  for (const mode_t mode : {0444U, 0460U, 0604U, 0450U}) {
    write(directory.file(), kKnownKeyText, mode);
    CHECK(
        refusal_to_read(directory.file()).message.find("is no credential as systemd makes them") !=
        std::string::npos);
    fs::remove(directory.file());
  }
  // elsewhere the stricter rule holds
  fs::create_directory(directory.path() / "below");
  write(directory.path() / "below" / "a.key", kKnownKeyText, 0440);
  CHECK(refusal_to_read(directory.path() / "below" / "a.key").message.find("is open to others") !=
        std::string::npos);
  ::unsetenv("CREDENTIALS_DIRECTORY");
  if (before != nullptr) {
    ::setenv("CREDENTIALS_DIRECTORY", kept.c_str(), 1);
  }
  const auto error = refusal_to_read("$CREDENTIALS_DIRECTORY/abgleich.key");
  CHECK(ends_with(error, "is not there: systemd has not started this process with credentials"));
  CHECK(error.hint == "run it as a service with `LoadCredential=abgleich.key:/path/of/the/key`");
}

TEST_CASE("rotate adds an epoch, keeps the old ones and the mode, and leaves nothing beside it") {
  const Directory directory;
  Keyring::generate(directory.file());
  const auto first = Keyring::read(directory.file());
  write(fs::path(directory.file().string() + ".new"), "of a rotation that was cut short");
  CHECK(Keyring::rotate(directory.file()) == 2);
  const auto second = Keyring::read(directory.file());
  CHECK(second.epoch() == 2);
  CHECK(second.check_value() != first.check_value());
  CHECK(second.until(1).check_value() == first.check_value());
  CHECK(second.until(1).epoch() == 1);
  CHECK(second.until(2).check_value() == second.check_value());
  CHECK(second.digest_key("t", "c") != first.digest_key("t", "c"));
  CHECK(second.until(1).digest_key("t", "c") == first.digest_key("t", "c"));
  CHECK(std::ranges::equal(second.shift_key("x").bytes(), first.shift_key("x").bytes()));
  struct stat status {};
  REQUIRE(::stat(directory.file().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  CHECK_FALSE(fs::exists(directory.file().string() + ".new"));
  CHECK(Keyring::rotate(directory.file()) == 3);
  CHECK(Keyring::read(directory.file()).until(2).check_value() == second.check_value());
}

TEST_CASE("rotate refuses what read refuses, and changes nothing then") {
  const Directory directory;
  write(directory.file(), kKnownKeyText, 0644);
  refusal([&] { Keyring::rotate(directory.file()); });
  CHECK(content(directory.file()) == kKnownKeyText);
  CHECK_THROWS_AS((void)known_keyring().until(2), Failure);
  CHECK_THROWS_AS((void)known_keyring().until(0), Failure);
}

}  // namespace
}  // namespace abgleich::mask
