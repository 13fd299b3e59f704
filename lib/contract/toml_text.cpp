#include "contract/toml_text.hpp"

#include "core/visible_text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::contract {

namespace {

/// The TOML escape of the format character that the text begins with, since it could change the
/// order in which a reviewer sees the text; empty where there is none.
std::string hidden_at(std::string_view text) {
  constexpr std::size_t kOne = 6;  // \\u202e
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0xC2 ? 1U : first < 0xE0 ? 2U : first < 0xF0 ? 3U : 4U;
  auto shown = visible(text.substr(0, length));
  if (length == 1 || !shown.starts_with("\\u")) {
    return {};
  }
  if (shown.size() == kOne) {
    return shown;
  }
  const auto unit = [&](std::size_t at) { return std::stoul(shown.substr(at, 4), nullptr, 16); };
  return fmt::format("\\U{:08x}", 0x10000U + ((unit(2) - 0xD800U) << 10U) + unit(8) - 0xDC00U);
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 =
        byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", byte);
    } else if (c1) {
      // TOML allows C1 controls, but they control the terminal on which the file is read.
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(text[++i]));
    } else if (const auto hidden = hidden_at(text.substr(i)); !hidden.empty()) {
      out += hidden;
      i += byte < 0xE0 ? 1U : byte < 0xF0 ? 2U : 3U;
    } else {
      out += text[i];
    }
  }
  return out + '"';
}

std::string toml_key(std::string_view name) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  if (!name.empty() && std::ranges::all_of(name, bare)) {
    return std::string(name);
  }
  return toml_string(name);
}

std::string toml_list(std::span<const std::string> texts) {
  std::string out = "[";
  for (std::size_t i = 0; i < texts.size(); ++i) {
    out += i > 0 ? ", " : "";
    out += toml_string(texts[i]);
  }
  return out + "]";
}

}  // namespace abgleich::contract
