#include "mask/phone.hpp"

#include "mask/white_space.hpp"

#include <cstddef>

namespace abgleich::mask {

namespace {

constexpr std::string_view kCountry = "49";
constexpr std::string_view kGermanTrunk = "+490";  // no national number there starts with 0
constexpr std::string_view kPunctuation = "-/().";
constexpr std::string_view kTrunkPrefix = "(0)";
constexpr std::size_t kFewestDigits = 7;
constexpr std::size_t kMostDigits = 15;  // ITU-T E.164, section 6

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Whether what was taken so far is an international prefix and a country code (1 to 3 digits).
bool ends_in_country_code(std::string_view taken) {
  const std::size_t prefix = taken.starts_with('+') ? 1 : taken.starts_with("00") ? 2 : 0;
  return prefix > 0 && taken.size() > prefix && taken.size() <= prefix + 3;
}

/// The digits of the text behind a "+" where it has one in front of all digits.
bool take_digits(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty()) {
    const auto space = leading_white_space(text);
    std::size_t taken = 1;
    if (space > 0) {
      taken = space;
    } else if (text.front() == '+' && out.empty()) {
      out += '+';
    } else if (text.starts_with(kTrunkPrefix) && ends_in_country_code(out)) {
      taken = kTrunkPrefix.size();
    } else if (is_digit(text.front())) {
      out += text.front();
    } else if (kPunctuation.find(text.front()) == std::string_view::npos) {
      return false;
    }
    text.remove_prefix(taken);
  }
  return true;
}

}  // namespace

Reason normalise_phone(std::string_view text, std::string& out) {
  if (!take_digits(text, out)) {
    return reason::kNotPhone;
  }
  if (out.starts_with("00")) {
    out.replace(0, 2, "+");
  } else if (out.starts_with('0')) {
    out.replace(0, 1, kCountry);
    out.insert(0, 1, '+');
  }
  if (out.starts_with(kGermanTrunk)) {
    out.erase(kGermanTrunk.size() - 1, 1);
  }
  const auto digits = out.size() - (out.empty() ? 0 : 1);
  if (!out.starts_with('+') || digits < kFewestDigits || digits > kMostDigits || out[1] == '0') {
    return reason::kNotPhone;
  }
  return std::nullopt;
}

}  // namespace abgleich::mask
