// The form of cards and of the node's key: lines of a word, a blank and a value, in a fixed order.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace abgleich::exchange {

/// Takes lines off the front of a text. Gives views into it and no copies, since it may hold a
/// secret.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}

  /// The value of the next line, which has to begin with that word. Empty where it does not, or
  /// where the line has no end.
  std::optional<std::string_view> take(std::string_view word);
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

/// A decimal number from 1, without leading zeros; empty for any other text.
std::optional<std::uint32_t> read_serial(std::string_view text);

}  // namespace abgleich::exchange
