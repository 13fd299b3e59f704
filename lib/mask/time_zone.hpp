// The calendar day of a moment in a time zone: the compiled files of the IANA database (RFC 8536),
// which Debian's package tzdata has. Pure once loaded: no clock, no environment, no global zone.
#pragma once

#include "core/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::mask {

class TimeZone {
 public:
  /// The zone of a name ("Europe/Berlin"); empty where this machine does not know it.
  static std::optional<TimeZone> find(std::string_view name);

  /// Reads the bytes of a compiled file, of version 2 or later. Empty where they are not such a
  /// file.
  static std::optional<TimeZone> parse(std::string_view bytes);

  /// Seconds east of UTC at a moment, in seconds since 1970 UTC.
  [[nodiscard]] std::int64_t offset_at(std::int64_t moment) const;

 private:
  /// When summer time begins or ends in every year, by the rule at the end of the file.
  struct Change {
    enum class By : std::uint8_t { month, julian, day } by = By::month;
    int month = 0, week = 0, day = 0;
    std::int64_t time = 0;  // seconds after midnight, by the clock before the change
  };
  struct Rule {
    std::int64_t standard = 0;
    std::optional<std::int64_t> summer;
    Change begins, ends;
  };
  static std::optional<Rule> parse_rule(std::string_view text);
  static std::int64_t moment_of(const Change& change, std::int64_t year, std::int64_t offset);
  [[nodiscard]] std::int64_t by_rule(std::int64_t moment) const;

  std::vector<std::int64_t> transitions_;
  std::vector<std::int64_t> offsets_;  // from each transition on
  std::int64_t first_ = 0;             // before all of them
  std::optional<Rule> rule_;           // after the last
};

/// The date in the zone of a moment ("2019-12-31 23:30:00+00", "2020-01-01T00:30+01:00", "…Z").
/// Empty where the text is not a moment, since it has no offset, or is not a date of our era.
std::optional<std::string> local_date(const TimeZone& zone, std::string_view moment);

}  // namespace abgleich::mask
