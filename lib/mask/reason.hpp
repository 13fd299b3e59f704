// Why a cell cannot be masked. A `Reason` is empty where it can.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace abgleich::mask {

enum class Cause : std::uint8_t {
  key_is_null,
  not_utf8,
  unassigned,
  not_in_codes,
  not_text,
  not_phone,
  not_email,
  not_integer,
  outside_domain,
  not_date,
  no_year,
  beyond,
  after_reference,
  not_number,
  too_large,
  not_in_map,
  no_subject,
  implausible,
  no_token,
  others_token,
  unknown_token,
};
/// The cause as a text without any value: "not a date". Quarantine keeps and shows it. Empty: there
/// is no such cause.
std::string_view text_of(Cause cause);

using Reason = std::optional<Cause>;

}  // namespace abgleich::mask
