// Looks for secret values in whatever form they could have left: encodings, spellings, escapes,
// unkeyed hashes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace abgleich::test {

/// One form of one secret, as bytes.
struct Trace {
  std::string bytes;
  std::string form;         // "UTF-16 of …", for messages
  bool whole_word = false;  // only between bytes that are no hexadecimal digits
};

/// Every form of a text that is looked for.
std::vector<Trace> traces_of(const std::string& text);
/// Every form of a number: as text, and in 8 bytes of either order.
std::vector<Trace> traces_of(std::int64_t number);

/// Unkeyed hashes that others use where they should not, as bytes.
struct Hash {
  std::string_view name;
  std::string bytes;
};
std::vector<Hash> hashes_of(std::string_view text);

/// What a thief would try who takes `key` for the key: HMACs and hashes of both, cut
/// as pseudonyms and digests are, in the spellings that the secondary has them in.
std::vector<std::string> keyed_guesses(const std::string& key, const std::string& value);

class Search {
 public:
  /// Adds a secret under a name that may be shown.
  void add(const std::string& name, const std::vector<Trace>& traces);

  /// What was found, as "NAME (FORM) in WHERE", each form once a place.
  [[nodiscard]] std::vector<std::string> in(std::string_view bytes, const std::string& where) const;
  /// The same for all files below a directory, their names included; but not for those below
  /// `except`. `bytes` is increased by what was looked at.
  [[nodiscard]] std::vector<std::string> below(const std::filesystem::path& directory,
                                               const std::vector<std::filesystem::path>& except,
                                               std::uintmax_t& bytes) const;
  [[nodiscard]] std::size_t traces() const { return known_.size(); }

 private:
  static constexpr std::size_t kStart = 8;  // bytes that a trace is found by
  static constexpr unsigned kBits = 20;

  struct Known {
    std::string name;
    Trace trace;
  };
  static std::uint64_t start_of(const char* bytes) {
    std::uint64_t start = 0;
    std::memcpy(&start, bytes, kStart);
    return start;
  }
  static std::size_t slot_of(std::uint64_t start) {
    return static_cast<std::size_t>((start * 0x9E3779B97F4A7C15U) >> (64U - kBits));
  }

  std::vector<Known> known_;
  std::unordered_multimap<std::uint64_t, std::size_t> by_start_;
  std::vector<bool> may_start_ = std::vector<bool>(std::size_t{1} << kBits);
};

}  // namespace abgleich::test
