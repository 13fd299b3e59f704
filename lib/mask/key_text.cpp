#include "mask/key_text.hpp"

#include "core/checked_text.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/shell_word.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <utility>

namespace abgleich::mask {

namespace {

constexpr std::string_view kMagic = "abgleich-keyring ";
constexpr std::string_view kHeader = "abgleich-keyring 1";
constexpr std::string_view kEpoch = "epoch ";
constexpr auto kRestore =
    "restore the file from your backup; a new key would give everybody a new pseudonym";

[[noreturn]] void refuse(const std::string& name, std::string_view what,
                         std::string hint = kRestore) {
  throw Failure(Code::key_or_trust, fmt::format("key file '{}' {}", name, what), std::move(hint));
}

Checksum checksum_of(std::string_view text) {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return checksum_from(hash);
}

/// Takes one hexadecimal field of exactly `out.size()` bytes off the front of `line`.
bool take_hex(std::string_view& line, std::span<std::uint8_t> out) {
  const auto digits = line.substr(0, 2 * out.size());
  line.remove_prefix(digits.size());
  return read_hex(digits, out);
}

bool take(std::string_view& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) {
    return false;
  }
  line.remove_prefix(prefix.size());
  return true;
}

std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size() + 1);
  return line;
}

void check_header(std::string_view first, const std::string& name) {
  if (first == kHeader) {
    return;
  }
  if (first.starts_with(kMagic)) {
    refuse(name, "has a version that this abgleich does not know",
           "use the version of abgleich that wrote it, or a newer one");
  }
  refuse(name, "is not a key file of abgleich",
         "look at [keys] file in abgleich.toml; `abgleich keys generate` makes a key file");
}

/// The lines between the first and the checksum, which is checked here.
std::string_view body_of(std::string_view text, const std::string& name) {
  auto [body, wrong] = checked_text(text, checksum_of);
  if (!wrong.empty()) {
    refuse(name, wrong);
  }
  take_line(body);
  return body;
}

}  // namespace

LockedMemory parse_key_text(std::string_view text, const std::string& name) {
  start_sodium();
  if (text.empty()) {
    refuse(name, "is empty");
  }
  if (text.find('\r') != std::string_view::npos) {
    refuse(name, "has Windows line ends",
           fmt::format("run `sed -i 's/\\r$//' {}`", in_shell(name)));
  }
  check_header(text.substr(0, text.find('\n')), name);
  if (text.back() != '\n' || std::ranges::count(text, '\n') < 2) {
    refuse(name, "is cut off");
  }
  auto body = body_of(text, name);
  const auto epochs = static_cast<std::size_t>(std::ranges::count(body, '\n'));
  if (epochs == 0) {
    refuse(name, "has no epoch");
  }
  LockedMemory roots(epochs * kEpochSize);
  for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
    auto line = take_line(body);
    if (!take(line, fmt::format("{}{} ", kEpoch, epoch))) {
      refuse(name, fmt::format("is wrong in line {}: it should be epoch {}", epoch + 1, epoch));
    }
    for (std::size_t root = 0; root < kRootsOfEpoch; ++root) {
      const auto at = (epoch - 1) * kEpochSize + root * kRootSize;
      if ((root > 0 && !take(line, " ")) || !take_hex(line, roots.bytes().subspan(at, kRootSize))) {
        refuse(name,
               fmt::format("is wrong in line {}: an epoch has {} keys of {} hexadecimal digits",
                           epoch + 1, kRootsOfEpoch, 2 * kRootSize));
      }
    }
    if (!line.empty()) {
      refuse(name, fmt::format("is wrong in line {}: something follows the keys", epoch + 1));
    }
  }
  return roots;
}

LockedMemory key_text(std::span<const std::uint8_t> roots) {
  const auto epochs = roots.size() / kEpochSize;
  auto size = kHeader.size() + 1 + kChecksumLine;
  for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
    size += fmt::formatted_size("{}{}\n", kEpoch, epoch) + kRootsOfEpoch * (1 + 2 * kRootSize);
  }
  LockedMemory text(size);
  std::size_t at = 0;
  const auto put = [&](std::string_view part) {
    std::ranges::copy(part, text.bytes().begin() + static_cast<std::ptrdiff_t>(at));
    at += part.size();
  };
  const auto put_hex = [&](std::span<const std::uint8_t> bytes) {
    // directly into the locked text: the separator or line end that follows overwrites the NUL
    write_hex(bytes, reinterpret_cast<char*>(text.bytes().data() + at));
    at += 2 * bytes.size();
  };
  put(kHeader);
  put("\n");
  for (std::size_t epoch = 1; epoch <= epochs; ++epoch) {
    put(fmt::format("{}{}", kEpoch, epoch));
    for (std::size_t root = 0; root < kRootsOfEpoch; ++root) {
      put(" ");
      put_hex(roots.subspan((epoch - 1) * kEpochSize + root * kRootSize, kRootSize));
    }
    put("\n");
  }
  const auto checksum =
      checksum_of({reinterpret_cast<const char*>(std::as_const(text).bytes().data()), at});
  put(kChecksumWord);
  put_hex(checksum);
  put("\n");
  return text;
}

}  // namespace abgleich::mask
