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
  /// Those of one byte a character that this machine knows.
  static const std::vector<PartialEncoding>& all();

  /// The server's name for it: "WIN1252".
  [[nodiscard]] std::string_view name() const { return name_; }

  /// The bytes as the server holds them, in UTF-8. A byte that is no character becomes 0xff, which
  /// no UTF-8 contains: whoever checks the text finds it.
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
