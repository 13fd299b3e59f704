#include "core/token.hpp"

#include "core/base32.hpp"

#include <fmt/format.h>

#include <charconv>

namespace abgleich {

namespace {

bool is_issuer(std::string_view text) {
  return text.size() == kIssuerSize &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") == std::string_view::npos;
}

}  // namespace

std::optional<Token> read_token(std::string_view text) {
  const auto epoch_end = text.find('_');
  if (!text.starts_with('t') || epoch_end == std::string_view::npos || epoch_end == 1 ||
      text[1] == '0') {
    return std::nullopt;
  }
  Token token;
  const auto* const last = text.data() + epoch_end;
  const auto read = std::from_chars(text.data() + 1, last, token.epoch);
  if (read.ec != std::errc{} || read.ptr != last || token.epoch < 1) {
    return std::nullopt;
  }
  const auto rest = text.substr(epoch_end + 1);
  token.issuer = rest.substr(0, kIssuerSize);
  if (!is_issuer(token.issuer) || rest.size() <= kIssuerSize || rest[kIssuerSize] != '_' ||
      !read_base32(rest.substr(kIssuerSize + 1), token.digits)) {
    return std::nullopt;
  }
  return token;
}

std::string issuer_of(std::string_view id) {
  return std::string(id.substr(0, kIssuerSize));
}

std::string pattern_of_tokens(std::string_view issuer) {
  return fmt::format("t%\\_{}\\_%", issuer);
}

}  // namespace abgleich
