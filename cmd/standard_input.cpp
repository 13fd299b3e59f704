#include "standard_input.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <unistd.h>

namespace abgleich::cmd {

namespace {

constexpr std::size_t kLongest = std::size_t{1} << 20U;

}  // namespace

std::string read_standard_input(std::string_view option) {
  static std::string reader;
  if (!reader.empty()) {
    throw Failure(Code::usage,
                  fmt::format("standard input was read for {} and cannot be read for {} as well",
                              reader, option),
                  "write - for one of them");
  }
  reader = option;
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > kLongest) {
      throw Failure(Code::usage,
                    fmt::format("the text for {} on standard input is too long", option),
                    "at most 1 MiB is read");
    }
  }
  if (text.ends_with('\n')) {
    text.pop_back();
  }
  if (text.ends_with('\r')) {
    text.pop_back();
  }
  if (text.empty()) {
    throw Failure(Code::usage,
                  fmt::format("{} is to be read from standard input, which is empty", option),
                  fmt::format("for example: printf %s TEXT | abgleich … {} -", option));
  }
  return text;
}

}  // namespace abgleich::cmd
