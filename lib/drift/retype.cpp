#include "drift/retype.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

namespace abgleich::drift {

namespace {

// PostgreSQL: a time without a precision has microseconds.
constexpr int kMicroseconds = 6;

enum class Room : std::uint8_t { same, more, less };

/// Compares two limits where the absence of a limit is the largest.
Room room(const std::optional<int>& was, const std::optional<int>& now) {
  if (was == now) {
    return Room::same;
  }
  if (!now) {
    return Room::more;
  }
  return was && *now > *was ? Room::more : Room::less;
}

Retype by_room(Room room) {
  switch (room) {
    case Room::same:
      return Retype::none;
    case Room::more:
      return Retype::widened;
    case Room::less:
      break;
  }
  return Retype::changed;
}

/// numeric(p,s): a limit that is relaxed changes no digit of any value as long as the scale stays
/// (PostgreSQL's own numeric_support decides the same and rewrites nothing).
Retype compare_decimals(const Type& was, const Type& now) {
  if (!now.precision && !now.scale) {
    return was.precision || was.scale ? Retype::widened : Retype::none;
  }
  if (was.scale != now.scale) {
    return Retype::changed;
  }
  return by_room(room(was.precision, now.precision));
}

/// Canonical times are without trailing zeros, so more digits change no value that is there.
Retype compare_seconds(const Type& was, const Type& now) {
  return by_room(room(was.scale.value_or(kMicroseconds), now.scale.value_or(kMicroseconds)));
}

/// character(n) pads, so another n gives another value.
Retype compare_texts(const Type& was, const Type& now) {
  if (was.padded || now.padded) {
    return was.padded == now.padded && was.length == now.length ? Retype::none : Retype::changed;
  }
  return by_room(room(was.length, now.length));
}

/// Whether everything but the labels, the engine and the spelling is the same.
bool same_dimensions(const Type& was, const Type& now) {
  return was.length == now.length && was.precision == now.precision && was.scale == now.scale &&
         was.bits == now.bits && was.padded == now.padded;
}

bool lost_label(const Type& was, const Type& now) {
  const std::set<std::string_view> left(now.labels.begin(), now.labels.end());
  return !std::ranges::all_of(was.labels,
                              [&](const std::string& label) { return left.contains(label); });
}

Retype compare_enumerations(const Type& was, const Type& now) {
  const bool both = !was.labels.empty() && !now.labels.empty();
  return both && !lost_label(was, now) ? Retype::none : Retype::changed;
}

bool with_zone(const Type& type) {
  return type.native.find("with time zone") != std::string::npos || type.native == "timetz";
}

}  // namespace

Retype compare_types(const Type& was, const Type& now) {
  if (!was.labels.empty() || !now.labels.empty()) {
    return compare_enumerations(was, now);
  }
  if (was.family != now.family) {
    return Retype::changed;
  }
  if (was.native == now.native && same_dimensions(was, now)) {
    return Retype::none;
  }
  switch (was.family) {
    case Family::integer:
      return by_room(room(was.bits, now.bits));
    case Family::decimal:
      return compare_decimals(was, now);
    case Family::text:
      return compare_texts(was, now);
    case Family::time:
      // time and timetz are one family, but only one of them writes an offset
      return with_zone(was) == with_zone(now) ? compare_seconds(was, now) : Retype::changed;
    case Family::timestamp:
    case Family::timestamptz:
      return compare_seconds(was, now);
    case Family::real:  // the shortest text of a float is not that of the same double
    case Family::boolean:
    case Family::bytes:
    case Family::date:
    case Family::uuid:
      return same_dimensions(was, now) ? Retype::none : Retype::changed;
    case Family::json:
    case Family::other:
    case Family::dynamic:
      break;  // told apart by their names alone: json and jsonb, inet and cidr
  }
  return Retype::changed;
}

std::vector<std::string> new_labels(const Type& was, const Type& now) {
  if (was.labels.empty() || now.labels.empty() || lost_label(was, now)) {
    return {};
  }
  const std::set<std::string_view> known(was.labels.begin(), was.labels.end());
  std::vector<std::string> added;
  for (const std::string& label : now.labels) {
    if (!known.contains(label)) {
      added.push_back(label);
    }
  }
  return added;
}

std::string type_text(const Type& type) {
  if (!type.native.empty()) {
    return type.native;
  }
  return std::string{name_of(type.family)};
}

}  // namespace abgleich::drift
