#include "seal/age_header.hpp"

#include "seal/unopened.hpp"

#include <sodium.h>

#include <algorithm>

namespace abgleich::seal {

namespace {

constexpr std::string_view kIntro = "age-encryption.org/v1\n";
constexpr std::string_view kStanzaStart = "-> ";
constexpr std::string_view kEndStart = "---";
constexpr std::size_t kLineOfBody = 64;  // characters of base64; the last line has fewer
constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;

[[noreturn]] void refuse_header() {
  throw Unopened(Unopened::Why::malformed);
}

/// How many bytes so many characters of base64 hold.
std::size_t base64_bytes(std::size_t characters) {
  return characters * 3 / 4;
}

class HeaderReader {
 public:
  explicit HeaderReader(std::string_view bytes)
      : text_(bytes.substr(0, kMostHeader)), all_(text_.size()) {}

  /// The next line, without its line end.
  std::string_view line() {
    const auto end = text_.find('\n');
    if (end == std::string_view::npos) {
      refuse_header();
    }
    const auto line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }

  [[nodiscard]] bool starts_with(std::string_view start) const { return text_.starts_with(start); }
  [[nodiscard]] std::size_t taken() const { return all_ - text_.size(); }

 private:
  std::string_view text_;
  std::size_t all_;
};

std::vector<std::string> arguments_of(std::string_view line) {
  std::vector<std::string> arguments;
  for (;;) {
    const auto end = std::min(line.find(' '), line.size());
    const auto argument = line.substr(0, end);
    if (argument.empty() ||
        !std::ranges::all_of(argument, [](char c) { return c >= '!' && c <= '~'; })) {
      refuse_header();
    }
    arguments.emplace_back(argument);
    if (end == line.size()) {
      return arguments;
    }
    line.remove_prefix(end + 1);
  }
}

Stanza take_stanza(HeaderReader& reader) {
  Stanza stanza{.arguments = arguments_of(reader.line().substr(kStanzaStart.size()))};
  for (bool last = false; !last;) {
    const auto line = reader.line();
    last = line.size() < kLineOfBody;
    const auto at = stanza.body.size();
    stanza.body.resize(at + base64_bytes(line.size()));
    if (line.size() > kLineOfBody || !read_base64(line, std::span(stanza.body).subspan(at))) {
      refuse_header();
    }
  }
  return stanza;
}

}  // namespace

AgeHeader parse_age_header(std::string_view bytes) {
  HeaderReader reader(bytes);
  if (!reader.starts_with(kIntro)) {
    refuse_header();
  }
  (void)reader.line();
  AgeHeader header;
  while (reader.starts_with(kStanzaStart)) {
    header.stanzas.push_back(take_stanza(reader));
  }
  if (header.stanzas.empty() || !reader.starts_with(kEndStart)) {
    refuse_header();
  }
  header.mac_covers = reader.taken() + kEndStart.size();
  auto end = reader.line().substr(kEndStart.size());
  if (!end.starts_with(' ') || !read_base64(end.substr(1), header.mac)) {
    refuse_header();
  }
  header.size = reader.taken();
  return header;
}

std::string age_header_text(std::span<const Stanza> stanzas) {
  std::string text(kIntro);
  for (const auto& stanza : stanzas) {
    text += "->";
    for (const auto& argument : stanza.arguments) {
      text += ' ';
      text += argument;
    }
    text += '\n';
    const auto body = base64(stanza.body);
    for (std::size_t at = 0; at <= body.size(); at += kLineOfBody) {
      text += body.substr(at, kLineOfBody);  // a full last line is followed by an empty one
      text += '\n';
    }
  }
  return text += kEndStart;
}

std::string age_header_end(const HeaderMac& mac) {
  return " " + base64(mac) + "\n";
}

std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
  text.pop_back();  // the NUL, which the length includes
  return text;
}

bool read_base64(std::string_view text, std::span<std::uint8_t> out) {
  if (out.empty()) {
    return text.empty();  // libsodium takes no null pointer, which an empty span may have
  }
  std::size_t size = 0;
  // libsodium 1.0.18 accepts some bytes beyond ASCII as digits
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  return text.size() == (8 * out.size() + 5) / 6 &&
         text.find_first_not_of(kDigits) == std::string_view::npos &&
         sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &size,
                           nullptr, kBase64) == 0 &&
         size == out.size();
}

}  // namespace abgleich::seal
