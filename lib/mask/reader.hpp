// The only class that can look into a value of the primary. Nothing outside lib/mask includes this.
#pragma once

#include "core/value.hpp"

namespace abgleich::mask {

class Reader {
 public:
  [[nodiscard]] static const Value& open(const RawValue& raw) { return raw.value_; }
};

}  // namespace abgleich::mask
