// Why a cell cannot be masked, in words that hold no value. `std::nullopt` where it can.
#pragma once

#include <optional>
#include <string_view>

namespace abgleich::mask {

using Reason = std::optional<std::string_view>;

namespace reason {

inline constexpr std::string_view kKeyIsNull = "the key is NULL";
inline constexpr std::string_view kNotUtf8 = "not valid UTF-8";
inline constexpr std::string_view kUnassigned = "has a character that Unicode does not define";
inline constexpr std::string_view kNotInCodes = "not among the contract's codes";
inline constexpr std::string_view kNotText = "not text";
inline constexpr std::string_view kNotPhone = "not a phone number";
inline constexpr std::string_view kNotEmail = "not an e-mail address";
inline constexpr std::string_view kNotInteger = "not an integer";
inline constexpr std::string_view kOutsideDomain = "outside the domain of integer pseudonyms";
inline constexpr std::string_view kNotDate = "not a date";
inline constexpr std::string_view kNoYear = "has no year of our era";
inline constexpr std::string_view kBeyond = "would be moved beyond the year 9999";
inline constexpr std::string_view kAfterReference = "after the reference date";
inline constexpr std::string_view kNotNumber = "not a number";
inline constexpr std::string_view kTooLarge = "too large to be rounded";
inline constexpr std::string_view kNotInMap = "not in the contract's map";
inline constexpr std::string_view kNoSubject = "its subject is NULL";
inline constexpr std::string_view kImplausible = "implausible";

}  // namespace reason

}  // namespace abgleich::mask
