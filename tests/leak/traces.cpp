#include "traces.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <utf8proc.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <set>

namespace abgleich::test {

namespace {

std::string mapped(const std::string& text, int options) {
  utf8proc_uint8_t* out = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                 static_cast<utf8proc_ssize_t>(text.size()), &out,
                                 static_cast<utf8proc_option_t>(options | UTF8PROC_STABLE));
  REQUIRE(size >= 0);
  std::string result(reinterpret_cast<char*>(out), static_cast<std::size_t>(size));
  std::free(out);
  return result;
}

std::vector<utf8proc_int32_t> points_of(const std::string& text) {
  std::vector<utf8proc_int32_t> points;
  utf8proc_ssize_t at = 0;
  while (at < static_cast<utf8proc_ssize_t>(text.size())) {
    utf8proc_int32_t point = 0;
    const auto length =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                         static_cast<utf8proc_ssize_t>(text.size()) - at, &point);
    REQUIRE(length > 0);
    points.push_back(point);
    at += length;
  }
  return points;
}

std::string with_case(const std::string& text, utf8proc_int32_t (*change)(utf8proc_int32_t)) {
  std::string out;
  for (const auto point : points_of(text)) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto length = utf8proc_encode_char(change(point), bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  }
  return out;
}

/// Both normal forms; each as it is, in lower and in upper case.
std::set<std::string> spellings_of(const std::string& text) {
  std::set<std::string> spellings;
  for (const int form : {UTF8PROC_COMPOSE, UTF8PROC_DECOMPOSE}) {
    const auto normal = mapped(text, form);
    spellings.insert(normal);
    spellings.insert(mapped(with_case(normal, utf8proc_tolower), form));
    spellings.insert(mapped(with_case(normal, utf8proc_toupper), form));
  }
  return spellings;
}

enum class Order { little, big };

std::string utf16_of(const std::string& text, Order order) {
  std::string out;
  for (const auto point : points_of(text)) {
    REQUIRE(point < 0x10000);
    const char high = static_cast<char>(point >> 8);
    const char low = static_cast<char>(point & 0xff);
    out += order == Order::big ? high : low;
    out += order == Order::big ? low : high;
  }
  return out;
}

/// Empty where Latin-1 does not have all the letters.
std::string latin1_of(const std::string& text) {
  std::string out;
  for (const auto point : points_of(text)) {
    if (point > 0xff) {
      return {};
    }
    out += static_cast<char>(point);
  }
  return out;
}

std::string hex_of(std::string_view bytes, std::string_view digits) {
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4U];
    out += digits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

constexpr std::string_view kLower = "0123456789abcdef";
constexpr std::string_view kUpper = "0123456789ABCDEF";

/// Base64 of the bytes where `phase` unknown bytes stand in front, without the characters that
/// depend on what stands around them.
std::string base64_of(std::string_view bytes, std::size_t phase) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string padded = std::string(phase, '\0') + std::string(bytes);
  std::string out;
  for (std::size_t bit = 0; bit + 6 <= padded.size() * 8; bit += 6) {
    unsigned digit = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      digit = digit << 1U | (static_cast<unsigned char>(padded[i / 8]) >> (7 - i % 8) & 1U);
    }
    if (bit >= phase * 8) {
      out += kDigits[digit];
    }
  }
  return out;
}

std::string url_of(std::string_view bytes, std::string_view digits) {
  std::string out;
  for (const char c : bytes) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : "%" + hex_of({&c, 1}, digits);
  }
  return out;
}

std::string json_of(const std::string& text, std::string_view digits) {
  std::string out;
  for (const auto point : points_of(text)) {
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else {
      const std::array<char, 2> bytes{static_cast<char>(point >> 8),
                                      static_cast<char>(point & 0xff)};
      out += "\\u" + hex_of({bytes.data(), 2}, digits);
    }
  }
  return out;
}

std::string evp(std::string_view text, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  REQUIRE(EVP_Digest(text.data(), text.size(), out.data(), &size, algorithm, nullptr) == 1);
  return {reinterpret_cast<char*>(out.data()), size};
}

std::string big_endian(std::uint64_t number, unsigned bytes) {
  std::string out;
  for (unsigned i = bytes; i-- > 0;) {
    out += static_cast<char>(number >> (8 * i) & 0xffU);
  }
  return out;
}

std::uint32_t crc32_of(std::string_view text) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1U ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
    }
  }
  return ~crc;
}

std::string reversed(std::string bytes) {
  std::ranges::reverse(bytes);
  return bytes;
}

void add_hashes(const std::string& text, std::vector<Trace>& traces) {
  for (const auto& hash : hashes_of(text)) {
    const std::string name(hash.name);
    const bool short_one = hash.bytes.size() < 8;
    if (!short_one) {
      traces.push_back({hash.bytes, name});
      traces.push_back({base64_of(hash.bytes, 0), name + " in base64"});
    }
    if (hash.bytes.size() <= 8) {
      traces.push_back(
          {hex_of(reversed(hash.bytes), kLower), name + " in hex, reversed", short_one});
      if (!short_one) {
        traces.push_back({reversed(hash.bytes), name + " reversed"});
      }
    }
    traces.push_back({hex_of(hash.bytes, kLower), name + " in hex", short_one});
    traces.push_back({hex_of(hash.bytes, kUpper), name + " in upper-case hex", short_one});
  }
}

}  // namespace

std::vector<Hash> hashes_of(std::string_view text) {
  const auto wide = XXH3_128bits(text.data(), text.size());
  return {{"MD5", evp(text, EVP_md5())},
          {"SHA-1", evp(text, EVP_sha1())},
          {"SHA-256", evp(text, EVP_sha256())},
          {"SHA-512", evp(text, EVP_sha512())},
          {"XXH3", big_endian(XXH3_64bits(text.data(), text.size()), 8)},
          {"XXH3-128", big_endian(wide.high64, 8) + big_endian(wide.low64, 8)},
          {"CRC32", big_endian(crc32_of(text), 4)}};
}

std::vector<std::string> keyed_guesses(const std::string& key, const std::string& value) {
  // as it is, with its length in front, and as pseudonyms take it in
  const auto length = reversed(big_endian(value.size(), 4));
  std::vector<std::string> guesses;
  for (const auto& input : {value, length + value, "t" + length + value}) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    REQUIRE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                 reinterpret_cast<const unsigned char*>(input.data()), input.size(), out.data(),
                 &size) != nullptr);
    for (const auto& digest :
         {std::string(reinterpret_cast<char*>(out.data()), size), evp(key + input, EVP_sha256()),
          evp(input + key, EVP_sha256()), evp(key + input, EVP_md5())}) {
      constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
      std::string base32;
      for (std::size_t bit = 0; bit + 5 <= 128; bit += 5) {
        unsigned digit = 0;
        for (std::size_t i = bit; i < bit + 5; ++i) {
          digit = digit << 1U | (static_cast<unsigned char>(digest[i / 8]) >> (7 - i % 8) & 1U);
        }
        base32 += kBase32[digit];
      }
      guesses.push_back(base32);
      guesses.push_back(hex_of(digest.substr(0, 8), kLower));
      guesses.push_back(hex_of(digest.substr(0, 8), kUpper));
      guesses.push_back(hex_of(reversed(digest.substr(0, 8)), kUpper));
    }
  }
  return guesses;
}

std::vector<Trace> traces_of(const std::string& text) {
  std::vector<Trace> traces;
  for (const auto& spelling : spellings_of(text)) {
    traces.push_back({spelling, "UTF-8"});
    traces.push_back({utf16_of(spelling, Order::little), "UTF-16LE"});
    traces.push_back({utf16_of(spelling, Order::big), "UTF-16BE"});
    const auto latin1 = latin1_of(spelling);
    traces.push_back({latin1, "Latin-1"});
    for (const auto& [bytes, of] : {std::pair(spelling, "UTF-8"), std::pair(latin1, "Latin-1"),
                                    std::pair(utf16_of(spelling, Order::little), "UTF-16LE")}) {
      traces.push_back({hex_of(bytes, kLower), std::string("hex of ") + of});
      traces.push_back({hex_of(bytes, kUpper), std::string("upper-case hex of ") + of});
      for (std::size_t phase = 0; phase < 3 && !bytes.empty(); ++phase) {
        // the first digit of a later phase has bits of the byte in front
        traces.push_back({base64_of(bytes, phase), std::string("base64 of ") + of});
      }
    }
    traces.push_back({url_of(spelling, kUpper), "URL escapes"});
    traces.push_back({url_of(spelling, kLower), "lower-case URL escapes"});
    traces.push_back({json_of(spelling, kLower), "JSON escapes"});
    traces.push_back({json_of(spelling, kUpper), "upper-case JSON escapes"});
    add_hashes(spelling, traces);
  }
  return traces;
}

std::vector<Trace> traces_of(std::int64_t number) {
  auto traces = traces_of(std::to_string(number));
  const auto bytes = big_endian(static_cast<std::uint64_t>(number), 8);
  traces.push_back({bytes, "8 bytes"});
  traces.push_back({reversed(bytes), "8 bytes, reversed"});
  add_hashes(bytes, traces);
  add_hashes(reversed(bytes), traces);
  return traces;
}

void Search::add(const std::string& name, const std::vector<Trace>& traces) {
  std::set<std::string> seen;
  for (const auto& trace : traces) {
    if (trace.bytes.empty() || !seen.insert(trace.bytes).second) {
      continue;
    }
    REQUIRE_MESSAGE(trace.bytes.size() >= kStart, name, " is too short as ", trace.form);
    const auto start = start_of(trace.bytes.data());
    may_start_[slot_of(start)] = true;
    by_start_.emplace(start, known_.size());
    known_.push_back({name, trace});
  }
}

std::vector<std::string> Search::in(std::string_view bytes, const std::string& where) const {
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  std::set<std::string> found;
  for (std::size_t at = 0; at + kStart <= bytes.size(); ++at) {
    const auto start = start_of(bytes.data() + at);
    if (!may_start_[slot_of(start)]) {
      continue;
    }
    const auto [from, to] = by_start_.equal_range(start);
    for (auto one = from; one != to; ++one) {
      const auto& [name, trace] = known_[one->second];
      const auto end = at + trace.bytes.size();
      if (bytes.compare(at, trace.bytes.size(), trace.bytes) != 0 ||
          (trace.whole_word &&
           ((at > 0 && is_digit(bytes[at - 1])) || (end < bytes.size() && is_digit(bytes[end]))))) {
        continue;
      }
      found.insert(name + " (" + trace.form + ") in " + where);
    }
  }
  return {found.begin(), found.end()};
}

std::vector<std::string> Search::below(const std::filesystem::path& directory,
                                       const std::vector<std::filesystem::path>& except,
                                       std::uintmax_t& bytes) const {
  namespace fs = std::filesystem;
  std::vector<std::string> found;
  for (auto one = fs::recursive_directory_iterator(directory); one != fs::end(one); ++one) {
    if (std::ranges::find(except, one->path()) != except.end()) {
      one.disable_recursion_pending();
      continue;
    }
    const auto name = one->path().string();
    std::string text = name + "\n";
    if (one->is_regular_file()) {
      std::ifstream file(one->path(), std::ios::binary);
      text.append(std::istreambuf_iterator<char>(file), {});
    }
    bytes += text.size();
    const auto here = in(text, name);
    found.insert(found.end(), here.begin(), here.end());
  }
  return found;
}

}  // namespace abgleich::test
