#include "contract/place.hpp"

#include <fmt/format.h>

namespace abgleich::contract {

std::string Place::text() const {
  return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column);
}

}  // namespace abgleich::contract
