// Encodings in which not every byte is a character. The server refuses a whole statement over one
// value with such a byte when it converts to UTF-8. Here bytes are converted on our side, so that
// only the row is held back.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

class PartialEncoding {
 public:
  /// Those with one byte per character that this machine can convert.
  static const std::vector<PartialEncoding>& all();

  /// The server's name for it: "WIN1252".
  [[nodiscard]] std::string_view name() const { return name_; }

  /// Converts a text, as the server stores it, to UTF-8. A byte that is no character becomes 0xff,
  /// which valid UTF-8 never contains, so that a check of the text finds it.
  void to_utf8(std::string_view bytes, std::string& utf8) const;

 private:
  static constexpr std::size_t kAscii = 128;
  static constexpr char kNone = static_cast<char>(0xff);

  PartialEncoding(std::string_view name, std::string_view here);

  std::string_view name_;
  std::array<std::string, 256 - kAscii> upper_;
  bool is_partial_ = false;
};

}  // namespace abgleich::db::postgresql
