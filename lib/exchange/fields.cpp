#include "exchange/fields.hpp"

#include <charconv>

namespace abgleich::exchange {

std::optional<std::string_view> Fields::take(std::string_view word) {
  const auto end = text_.find('\n');
  const auto line = text_.substr(0, end);
  if (end == std::string_view::npos || line.size() <= word.size() || !line.starts_with(word) ||
      line[word.size()] != ' ') {
    return std::nullopt;
  }
  text_.remove_prefix(end + 1);
  return line.substr(word.size() + 1);
}

std::optional<std::uint32_t> read_serial(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || text.starts_with('0')) {
    return std::nullopt;
  }
  return number;
}

}  // namespace abgleich::exchange
