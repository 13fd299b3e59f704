#include "mask/date_shift.hpp"

#include "mask/calendar.hpp"
#include "mask/hkdf.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <cstdint>

namespace abgleich::mask {

namespace {

constexpr std::string_view kShiftVersion = "1";
constexpr std::size_t kMonthAndDay = 6;  // "-05-17"

}  // namespace

DateShift::DateShift(const Keyring& keyring, const Recipe& subject, int most)
    : normaliser_(subject.normaliser),
      country_(subject.country),
      most_(most),
      key_(keyring.shift_key(info_of({"abgleich shift", kShiftVersion, subject.identity,
                                      versioned_name(subject.normaliser)}))) {}

Reason DateShift::days(const Value& subject, int& days) {
  if (auto why = normal_form(normaliser_, country_, subject, normal_, scratch_)) {
    return why;
  }
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key_.bytes().data(), key_.bytes().size());
  // the input of the subject's pseudonym: class, length, bytes
  std::array<std::uint8_t, 5> head{
      static_cast<std::uint8_t>(subject.kind() == Kind::bytes ? kBytesClass : kTextClass)};
  for (unsigned i = 0; i < 4; ++i) {
    head.at(1 + i) = static_cast<std::uint8_t>((normal_.size() >> (8 * i)) & 0xffU);
  }
  crypto_auth_hmacsha256_update(&state, head.data(), head.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(normal_.data()),
                                normal_.size());
  std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> hash;
  crypto_auth_hmacsha256_final(&state, hash.data());  // which zeroes the state
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
    return reason::kNotDate;
  }
  if (auto why = read_date(date.bytes(), moved)) {
    return why;
  }
  int by = 0;
  if (auto why = days(subject, by)) {
    return why;
  }
  if (!shift(moved, by)) {
    return reason::kNoYear;
  }
  const std::string_view text = date.bytes();
  const auto rest = text.substr(text.find('-') + kMonthAndDay);
  out.set(date.kind(),
          fmt::format("{:04}-{:02}-{:02}{}", moved.year, moved.month, moved.day, rest));
  return std::nullopt;
}

}  // namespace abgleich::mask
