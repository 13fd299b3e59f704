#include "state/operator_name.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <unistd.h>

namespace abgleich::state {

namespace {

std::optional<std::string> name_of(uid_t user) {
  std::array<char, 16384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return entry.pw_name;
}

/// Who logged in, which the kernel keeps through su and sudo. Not there in most containers.
std::optional<std::string> logged_in() {
  std::uint32_t user = 0;
  std::ifstream file("/proc/self/loginuid");
  constexpr std::uint32_t kNobodyLoggedIn = 0xffff'ffffU;
  if (!(file >> user) || user == kNobodyLoggedIn || user == ::getuid()) {
    return std::nullopt;
  }
  return name_of(user);
}

/// Who called sudo, as sudo says it.
std::optional<std::string> behind_sudo() {
  const char* const name = std::getenv("SUDO_USER");
  const std::string_view text = name == nullptr ? "" : name;
  constexpr std::size_t kLongest = 256;  // LOGIN_NAME_MAX
  const bool plain = std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '@' || c == '\\' || c == '$';
  });
  return text.empty() || text.size() > kLongest || !plain ? std::nullopt
                                                          : std::optional<std::string>(text);
}

}  // namespace

std::string operator_name() {
  if (auto person = logged_in()) {
    return *person;
  }
  if (auto person = behind_sudo()) {
    return *person;
  }
  return name_of(::getuid()).value_or(std::to_string(::getuid()));
}

}  // namespace abgleich::state
