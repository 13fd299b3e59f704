#include "mask/date_shift.hpp"

#include "mask/calendar.hpp"
#include "seal/hkdf.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace abgleich::mask {

namespace {

constexpr std::string_view kShiftVersion = "1";
constexpr int kLastPlainYear = 9999;
constexpr std::size_t kMonthAndDay = 6;  // "-05-17"

}  // namespace

DateShift::DateShift(const Keyring& keyring, const Recipe& subject, int most, int epoch)
    : subject_(subject),
      most_(most),
      mac_(keyring
               .shift_key(seal::info_of({"abgleich shift", kShiftVersion, subject.identity,
                                         versioned_name(subject.normaliser)}),
                          epoch)
               .bytes()) {}

Reason DateShift::days(const Value& subject, int& days) {
  std::string_view normal;
  if (auto why = subject_.make(subject, normal)) {
    return why;
  }
  // the same input as for the subject's pseudonym
  const auto hash = mac_.of(subject.kind() == Kind::bytes ? kBytesClass : kTextClass, normal);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) {
    number = number << 8U | hash.at(i);
  }
  // 64 bits over some thousand days: no day is likelier than another by more than 2^-51
  const int step = static_cast<int>(number % (2 * static_cast<std::uint64_t>(most_)));
  days = step < most_ ? step - most_ : step - most_ + 1;
  return std::nullopt;
}

Reason DateShift::make(const Value& date, const Value& subject, Value& out) {
  Date moved;
  if (!may_hold_date(date.kind())) {
    return Cause::not_date;
  }
  if (auto why = read_date(date.bytes(), moved)) {
    return why;
  }
  int by = 0;
  if (auto why = days(subject, by)) {
    return why;
  }
  const bool plain = moved.year <= kLastPlainYear;
  if (!shift(moved, by)) {
    return Cause::no_year;
  }
  if (plain && moved.year > kLastPlainYear) {
    return Cause::beyond;  // most programs do not read a year of five digits
  }
  const std::string_view text = date.bytes();
  const auto rest = text.substr(text.find('-') + kMonthAndDay);
  out.set(date.kind(),
          fmt::format("{:04}-{:02}-{:02}{}", moved.year, moved.month, moved.day, rest));
  return std::nullopt;
}

}  // namespace abgleich::mask
