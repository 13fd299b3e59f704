// How long the journal keeps what runs changed: "90d", "500 runs", "forever".
#pragma once

#include "contract/document.hpp"

#include <cstdint>

namespace abgleich::contract {

struct Retention {
  enum class Unit : std::uint8_t { days, runs, forever };
  Unit unit = Unit::days;
  std::int64_t amount = 90;

  bool operator==(const Retention&) const = default;
};

/// Throws Failure{configuration} with what to write instead.
Retention retention_of(const Member& member);

}  // namespace abgleich::contract
