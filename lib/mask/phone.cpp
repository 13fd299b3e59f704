#include "mask/phone.hpp"

#include "mask/ascii.hpp"
#include "mask/white_space.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <phonenumbers/phonenumberutil.h>
#include <set>
#include <span>

namespace abgleich::mask {

namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

constexpr std::string_view kPunctuation = "-/().";
constexpr std::string_view kTrunkPrefix = "(0)";
constexpr std::size_t kFewestDigits = 7;
constexpr std::size_t kMostDigits = 15;  // ITU-T E.164, section 6

// German numbers are handled here, since libphonenumber needs 9 us for a number and a health office
// has millions of them. The lengths are without the country code; a test compares both ways.
constexpr std::string_view kGermany = "DE";
constexpr std::string_view kGermanCode = "+49";
constexpr std::size_t kShortestGerman = 5;
constexpr std::size_t kLongestGerman = 13;

/// Dashes that word processors make of a "-" (Unicode's Dash_Punctuation, and the minus sign), and
/// invisible marks: those for the direction of text, joiners, the soft hyphen.
constexpr auto kDashes =
    std::to_array<std::string_view>({"\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015",
                                     "\u2212", "\u2e3a", "\u2e3b", "\ufe58", "\ufe63", "\uff0d"});
constexpr auto kUnseen = std::to_array<std::string_view>(
    {"\u00ad", "\u061c", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a", "\u202b",
     "\u202c", "\u202d", "\u202e", "\u2060", "\u2066", "\u2067", "\u2068", "\u2069", "\ufeff"});

/// The length in bytes of such a character at the front; 0 where there is none.
std::size_t leading_mark(std::string_view text) {
  if (text.empty() || static_cast<unsigned char>(text.front()) < 0x80) {
    return 0;
  }
  for (const auto& marks :
       {std::span<const std::string_view>(kDashes), std::span<const std::string_view>(kUnseen)}) {
    for (const auto mark : marks) {
      if (text.starts_with(mark)) {
        return mark.size();
      }
    }
  }
  return 0;
}

/// Takes white space, invisible marks and "tel:" off the front.
void skip_scheme(std::string_view& text) {
  constexpr std::string_view kScheme = "tel:";
  for (std::size_t size = 1; size > 0; text.remove_prefix(size)) {
    size = leading_white_space(text) + leading_mark(text);
  }
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  if (std::ranges::equal(text.substr(0, kScheme.size()), kScheme, same)) {
    text.remove_prefix(kScheme.size());
  }
}

/// Whether what was taken so far is an international prefix and a country code (1 to 3 digits).
bool ends_in_country_code(std::string_view taken) {
  const std::size_t prefix = taken.starts_with('+') ? 1 : taken.starts_with("00") ? 2 : 0;
  return prefix > 0 && taken.size() > prefix && taken.size() <= prefix + 3;
}

/// Writes the digits of the text, after a "+" where it has one before all digits. False where the
/// text has a character that is not allowed.
bool take_digits(std::string_view text, std::string& out) {
  out.clear();
  skip_scheme(text);
  while (!text.empty()) {
    const auto space = leading_white_space(text) + leading_mark(text);
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

/// Whether the digits are clearly a German number; if so, they are changed to E.164.
bool make_german(std::string_view country, std::string& digits) {
  std::size_t prefix = 0;
  if (digits.starts_with(kGermanCode)) {
    prefix = kGermanCode.size();
  } else if (country == kGermany && digits.starts_with("0049")) {
    prefix = 4;
  } else if (country != kGermany || !digits.starts_with('0')) {
    return false;
  }
  // no national number starts with 0 there, so a 0 in front is the trunk prefix
  const std::size_t start = digits.size() > prefix && digits[prefix] == '0' ? prefix + 1 : prefix;
  const std::size_t length = digits.size() - start;
  if (length < kShortestGerman || length > kLongestGerman || digits[start] == '0') {
    return false;
  }
  digits.replace(0, start, kGermanCode);
  return true;
}

/// Whether a number without a country code could also lack its area code.
bool may_be_local(const PhoneNumberUtil& numbers, std::string_view digits,
                  const std::string& country) {
  if (digits.starts_with('+')) {
    return false;
  }
  std::string trunk;
  numbers.GetNddPrefixForRegion(country, true, &trunk);
  return trunk == "0" && !digits.starts_with('0');
}

bool has_plausible_length(std::string_view e164) {
  return e164.size() > kFewestDigits && e164.size() <= kMostDigits + 1;
}

}  // namespace

Reason normalise_phone(std::string_view text, std::string_view country, std::string& out) {
  if (!take_digits(text, out)) {
    return Cause::not_phone;
  }
  if (!make_german(country, out)) {
    const auto& numbers = *PhoneNumberUtil::GetInstance();
    const std::string region(country);
    PhoneNumber number;
    // neither a trunk prefix nor an international one has three zeros
    if (out.starts_with("000") || may_be_local(numbers, out, region) ||
        numbers.Parse(out, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR ||
        numbers.IsPossibleNumberWithReason(number) != PhoneNumberUtil::IS_POSSIBLE) {
      return Cause::not_phone;
    }
    numbers.Format(number, PhoneNumberUtil::E164, &out);
    // a number that is read as another one when it is read again is refused
    std::string again = out;
    if (!make_german(country, again)) {
      if (numbers.Parse(out, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR) {
        return Cause::not_phone;
      }
      numbers.Format(number, PhoneNumberUtil::E164, &again);
    }
    if (again != out) {
      return Cause::not_phone;
    }
  }
  return has_plausible_length(out) ? std::nullopt : Reason(Cause::not_phone);
}

bool is_country(std::string_view code) {
  if (code == kGermany) {  // without loading what libphonenumber knows of the whole world
    return true;
  }
  static const auto regions = [] {
    std::set<std::string> known;
    PhoneNumberUtil::GetInstance()->GetSupportedRegions(&known);
    return known;
  }();
  return regions.contains(std::string(code));
}

}  // namespace abgleich::mask
