// Coarser values: years, months, weeks, age bands, prefixes, steps, maps, constants. Pure functions
// of value and contract.
#pragma once

#include "contract/contract.hpp"
#include "core/value.hpp"
#include "mask/calendar.hpp"
#include "mask/reason.hpp"
#include "mask/time_zone.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::mask {

class Generaliser {
 public:
  /// Throws Failure{configuration} where this machine does not know the zone, Failure{bug} on an
  /// age band without a valid reference date or a number below 1. REQUIRES: not a shift, which is
  /// made by DateShift.
  explicit Generaliser(const contract::Generalisation& generalisation);

  /// Writes the coarser form of a value that is not NULL. Reuses the memory of `out`, which is left
  /// as it was where a reason is returned. REQUIRES: text is valid UTF-8.
  Reason make(const Value& value, Value& out) const;

 private:
  Reason look_up(const Value& value, Value& out) const;
  Reason rounded(const Value& value, Value& out) const;
  Reason part_of_date(const Value& value, Value& out) const;

  contract::Generalisation generalisation_;
  Date reference_;
  std::optional<TimeZone> zone_;
};

/// Writes the multiple of `step` that is nearest to a canonical integer, decimal or real; halves
/// are rounded away from zero. Exact for integers and decimals. Refuses more than 18 digits, and
/// what is not a number ("NaN", "Infinity").
Reason round_to(std::string_view number, int step, std::int64_t& out);

/// The first `count` characters as a reader sees them (grapheme clusters, Unicode annex 29).
std::string_view first_characters(std::string_view utf8, int count);

}  // namespace abgleich::mask
