#include "db/postgresql/encoding.hpp"

#include <iconv.h>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

/// The encodings with one byte per character, by the server's name and by iconv's (charset.sgml;
/// `iconv --list`).
constexpr std::array<std::pair<std::string_view, std::string_view>, 27> kSingleByte{{
    {"ISO_8859_5", "ISO-8859-5"}, {"ISO_8859_6", "ISO-8859-6"}, {"ISO_8859_7", "ISO-8859-7"},
    {"ISO_8859_8", "ISO-8859-8"}, {"KOI8R", "KOI8-R"},          {"KOI8U", "KOI8-U"},
    {"LATIN1", "ISO-8859-1"},     {"LATIN2", "ISO-8859-2"},     {"LATIN3", "ISO-8859-3"},
    {"LATIN4", "ISO-8859-4"},     {"LATIN5", "ISO-8859-9"},     {"LATIN6", "ISO-8859-10"},
    {"LATIN7", "ISO-8859-13"},    {"LATIN8", "ISO-8859-14"},    {"LATIN9", "ISO-8859-15"},
    {"LATIN10", "ISO-8859-16"},   {"WIN1250", "CP1250"},        {"WIN1251", "CP1251"},
    {"WIN1252", "CP1252"},        {"WIN1253", "CP1253"},        {"WIN1254", "CP1254"},
    {"WIN1255", "CP1255"},        {"WIN1256", "CP1256"},        {"WIN1257", "CP1257"},
    {"WIN1258", "CP1258"},        {"WIN866", "CP866"},          {"WIN874", "CP874"},
}};

/// iconv(3) from one encoding to UTF-8. Not open where this machine does not know the encoding.
class Iconv {
 public:
  explicit Iconv(std::string_view from) : handle_(iconv_open("UTF-8", std::string(from).c_str())) {}
  Iconv(const Iconv&) = delete;
  Iconv& operator=(const Iconv&) = delete;
  ~Iconv() {
    if (is_open()) {
      iconv_close(handle_);
    }
  }

  [[nodiscard]] bool is_open() const {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): what iconv_open returns when it fails
    return handle_ != reinterpret_cast<iconv_t>(-1);
  }

  /// Empty where the byte is no character.
  std::string convert(char byte) {
    std::array<char, 16> room{};
    char* in = &byte;
    char* out = room.data();
    std::size_t in_left = 1;
    std::size_t out_left = room.size();
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    const bool done = iconv(handle_, &in, &in_left, &out, &out_left) != kFailed &&
                      // flushes a character that iconv keeps, as a combining mark may follow it
                      iconv(handle_, nullptr, nullptr, &out, &out_left) != kFailed;
    return done ? std::string(room.data(), room.size() - out_left) : std::string();
  }

 private:
  static constexpr auto kFailed = static_cast<std::size_t>(-1);

  iconv_t handle_;
};

}  // namespace

PartialEncoding::PartialEncoding(std::string_view name, std::string_view here) : name_(name) {
  Iconv iconv(here);
  if (!iconv.is_open()) {
    return;
  }
  for (std::size_t i = 0; i < upper_.size(); ++i) {
    upper_[i] = iconv.convert(static_cast<char>(kAscii + i));
    if (upper_[i].empty()) {
      upper_[i] = kNone;
      is_partial_ = true;
    }
  }
}

const std::vector<PartialEncoding>& PartialEncoding::all() {
  static const auto kAll = [] {
    std::vector<PartialEncoding> all;
    for (const auto& [server, here] : kSingleByte) {
      PartialEncoding encoding(server, here);
      if (encoding.is_partial_) {
        all.push_back(std::move(encoding));
      }
    }
    return all;
  }();
  return kAll;
}

void PartialEncoding::to_utf8(std::string_view bytes, std::string& utf8) const {
  utf8.clear();
  utf8.reserve(bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < kAscii) {
      utf8 += c;
    } else {
      utf8 += upper_[byte - kAscii];
    }
  }
}

}  // namespace abgleich::db::postgresql
