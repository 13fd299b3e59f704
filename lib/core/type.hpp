// What a column can hold: a family that every engine knows, and the engine's own name for it.
#pragma once

#include "core/engine.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich {

enum class Family : std::uint8_t {
  boolean,
  integer,
  decimal,
  real,
  text,
  bytes,
  date,
  time,
  timestamp,
  timestamptz,
  uuid,
  json,
  other,    // passed on as the text that the engine prints
  dynamic,  // no fixed type: a column that was declared without one
};

std::string_view name_of(Family family);
std::optional<Family> family_from(std::string_view name);

/// A column's type. `native` is what the engine's own DDL calls it ("character varying(64)",
/// "VARCHAR(64)"), `engine` says which engine that is.
struct Type {
  Family family = Family::text;
  Engine engine = Engine::postgresql;
  std::string native;
  std::optional<int> length;        // characters, of text with a limit
  std::optional<int> precision;     // digits of a decimal
  std::optional<int> scale;         // digits after its point; of times: of the seconds' fraction
  std::optional<int> bits;          // of an integer: 16, 32, 64; of a real: 32, 64
  std::vector<std::string> labels;  // of an enumeration, in order
  bool padded = false;              // character(n)

  bool operator==(const Type&) const = default;
};

/// The type of text without a limit, which every engine has.
Type text_type();

}  // namespace abgleich
