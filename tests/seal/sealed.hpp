// Whole files in memory, sealed and opened: for tests.
#pragma once

#include "seal/age_reader.hpp"
#include "seal/age_writer.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::seal {

inline std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string sealed(std::span<const Recipient> recipients, std::string_view text) {
  std::string file;
  AgeWriter writer(recipients, [&](std::span<const std::uint8_t> bytes) {
    file.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  });
  writer.add(bytes_of(text));
  writer.finish();
  return file;
}

/// A feed of the text, at most `step` bytes at a time. REQUIRES: the text outlives it.
inline Feed feed_of(std::string_view text, std::size_t step) {
  return [text, step](std::span<std::uint8_t> out) mutable {
    const auto size = std::min({text.size(), out.size(), step});
    std::copy_n(text.begin(), size, out.begin());
    text.remove_prefix(size);
    return size;
  };
}

/// What is handed out, chunk by chunk, is appended to `text`. Throws Unopened.
inline void open(const Identity& identity, Recipients recipients, std::string_view file,
                 std::string& text, std::size_t step = 1U << 20U) {
  AgeReader reader(identity, recipients, feed_of(file, step));
  for (auto chunk = reader.read(); !chunk.empty(); chunk = reader.read()) {
    text.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
  }
}

inline std::string opened(const Identity& identity, std::string_view file,
                          Recipients recipients = Recipients::one, std::size_t step = 1U << 20U) {
  std::string text;
  open(identity, recipients, file, text, step);
  return text;
}

}  // namespace abgleich::seal
