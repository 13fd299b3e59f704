#include "mask/key_text.hpp"

#include "core/error.hpp"

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
constexpr std::string_view kChecksum = "checksum ";
constexpr std::size_t kChecksumSize = 16;
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr auto kRestore =
    "restore the file from your backup; a new key would give everybody a new pseudonym";

using Checksum = std::array<std::uint8_t, kChecksumSize>;

[[noreturn]] void refuse(const std::string& name, std::string_view what,
                         std::string hint = kRestore) {
  throw Failure(Code::key_or_trust, fmt::format("key file '{}' {}", name, what), std::move(hint));
}

Checksum checksum_of(std::string_view text) {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash;
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size());
  Checksum checksum;
  std::copy_n(hash.begin(), checksum.size(), checksum.begin());
  return checksum;
}

/// Takes one hexadecimal field of exactly `out.size()` bytes off the front of `line`.
bool take_hex(std::string_view& line, std::span<std::uint8_t> out) {
  const auto digits = line.substr(0, 2 * out.size());
  if (digits.size() != 2 * out.size() ||
      digits.find_first_not_of(kHexDigits) != std::string_view::npos) {
    return false;
  }
  line.remove_prefix(digits.size());
  // in constant time, unlike a table
  return sodium_hex2bin(out.data(), out.size(), digits.data(), digits.size(), nullptr, nullptr,
                        nullptr) == 0;
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
  const auto end_of_body = text.substr(0, text.size() - 1).rfind('\n') + 1;
  auto last = text.substr(end_of_body, text.size() - 1 - end_of_body);
  Checksum stored;
  if (!take(last, kChecksum) || !take_hex(last, stored) || !last.empty()) {
    refuse(name, "is cut off, or something follows its checksum");
  }
  const auto computed = checksum_of(text.substr(0, end_of_body));
  if (sodium_memcmp(stored.data(), computed.data(), stored.size()) != 0) {
    refuse(name, "is damaged: its checksum is wrong");
  }
  auto body = text.substr(0, end_of_body);
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
    refuse(name, "has Windows line ends", fmt::format("run `sed -i 's/\\r$//' {}`", name));
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
  auto size = kHeader.size() + 1 + kChecksum.size() + 2 * kChecksumSize + 1;
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
    // straight into the locked text: 2 digits a byte, and sodium's NUL falls on the byte that the
    // separator or line end then overwrites
    auto* const to = reinterpret_cast<char*>(text.bytes().data() + at);
    sodium_bin2hex(to, 2 * bytes.size() + 1, bytes.data(), bytes.size());
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
  put(kChecksum);
  put_hex(checksum);
  put("\n");
  return text;
}

}  // namespace abgleich::mask
