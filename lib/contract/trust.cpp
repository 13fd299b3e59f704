#include "contract/trust.hpp"

#include "contract/endpoint_url.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <optional>
#include <pwd.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as many as Linux follows

/// The user who called sudo, where this is root: that user could have written anything anyway.
std::optional<uid_t> caller_of_sudo() {
  const char* const text = std::getenv("SUDO_UID");
  if (::geteuid() != 0 || text == nullptr) {
    return std::nullopt;
  }
  const std::string_view digits(text);
  uid_t user = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), user);
  return read.ec == std::errc() && read.ptr == digits.data() + digits.size() ? std::optional(user)
                                                                             : std::nullopt;
}

bool trusted(uid_t owner) {
  return owner == 0 || owner == ::geteuid() || owner == caller_of_sudo();
}

std::string called(uid_t user) {
  const auto* const known = ::getpwuid(user);
  return known != nullptr && known->pw_name != nullptr ? std::string(known->pw_name)
                                                       : std::to_string(user);
}

/// The components of an absolute path.
std::deque<fs::path> parts_of(const fs::path& path) {
  std::deque<fs::path> parts;
  for (const auto& part : path.relative_path()) {
    if (!part.empty() && part != ".") {
      parts.push_back(part);
    }
  }
  return parts;
}

class Walk {
 public:
  Walk(fs::path file, std::string_view what) : file_(std::move(file)), what_(what) {}

  /// Checks every directory and symbolic link from the root to the file, and the file.
  void expect_own() {
    std::error_code error;
    const auto whole = fs::absolute(file_, error);
    if (error) {
      return;  // without a working directory nothing relative can be opened either
    }
    auto rest = parts_of(whole);
    fs::path at = "/";
    look_at(at, status_of(at).value());
    for (int links = 0; !rest.empty();) {
      const auto part = rest.front();
      rest.pop_front();
      if (part == "..") {
        at = at.parent_path();
        continue;
      }
      const auto next = at / part;
      const auto status = status_of(next);
      if (!status) {
        return;  // not there, or not accessible: whoever opens it gets the error
      }
      look_at(next, *status);
      if (!S_ISLNK(status->st_mode)) {
        at = next;
        continue;
      }
      const auto target = fs::read_symlink(next, error);
      if (error || ++links > kMostLinks) {
        return;
      }
      const auto steps = parts_of(target);
      rest.insert(rest.begin(), steps.begin(), steps.end());
      at = target.is_absolute() ? fs::path("/") : at;
    }
  }

 private:
  static std::optional<struct stat> status_of(const fs::path& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 ? std::optional(status) : std::nullopt;
  }

  [[nodiscard]] std::string named(const fs::path& path) const {
    const auto whole = in_quotes(file_.string());
    return path == fs::absolute(file_)
               ? fmt::format("{} {}", what_, whole)
               : fmt::format("{}, on the way to {} {},", in_quotes(path.string()), what_, whole);
  }

  void look_at(const fs::path& path, const struct stat& status) const {
    constexpr std::string_view kWhy = "whoever can write it decides what leaves";
    const auto name = in_shell(path.string());
    if (!trusted(status.st_uid)) {
      throw Failure(
          Code::key_or_trust,
          fmt::format("{} belongs to another user ({})", named(path),
                      in_quotes(called(status.st_uid))),
          fmt::format("{}; run abgleich as its owner: sudo -u {} abgleich …; or name files of your "
                      "own (--config FILE); or, if it is to be yours and no service uses it, as "
                      "root: chown -h {} {}. Nothing was changed",
                      kWhy, in_shell(called(status.st_uid)), ::geteuid(), name));
    }
    if (S_ISLNK(status.st_mode) || (status.st_mode & (S_IWGRP | S_IWOTH)) == 0) {
      return;  // a link's own mode says nothing
    }
    if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0) {
      return;  // there only owners rename and delete; the owner of the next part is checked
    }
    throw Failure(Code::key_or_trust,
                  fmt::format("{} may be written by others (mode {:04o})", named(path),
                              status.st_mode & 07777U),
                  fmt::format("{}; run: chmod go-w {}. Nothing was changed", kWhy, name));
  }

  fs::path file_;
  std::string_view what_;
};

}  // namespace

void expect_own(const fs::path& file, std::string_view what) {
  Walk(file, what).expect_own();
}

void expect_own_files(const Config& config) {
  expect_own(config.contract, "the contract");
  expect_own(config.catalog, "the accepted catalogue");
  if (config.key_credential.empty()) {
    expect_own(config.key_file.parent_path(), "the directory of the key file");
  }
  for (const auto& endpoint : {config.primary, config.secondary}) {
    if (!endpoint.password_file.empty()) {
      expect_own(endpoint.password_file, "the password file");
    }
    // whoever writes these files can impersonate the server
    for (const auto* const name : {"sslrootcert", "sslkey", "sslcert"}) {
      const auto file = parameter_of(endpoint, name);
      if (file && file->find('/') != std::string::npos) {  // "system" is no file
        expect_own(*file, fmt::format("the server's {} file", name));
      }
    }
  }
  expect_own(config.state_directory, "the state directory");
  expect_own(config.identity.parent_path(), "the directory of the node's key");
  expect_own(config.cards, "the directory of the peers' cards");
  for (const auto& peer : config.exchange.peers) {
    for (const auto& file : {peer.sends, peer.accepts}) {
      if (file) {
        expect_own(*file, fmt::format("the contract of {}", header_of(peer)));
      }
    }
  }
}

}  // namespace abgleich::contract
