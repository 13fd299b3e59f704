#include "db/engine/connection.hpp"

#include <utility>

namespace abgleich::db {

Fault::Fault(Cause cause, std::string state, Error error, std::string broken)
    : Failure(std::move(error)),
      cause_(cause),
      state_(std::move(state)),
      broken_(std::move(broken)) {}

}  // namespace abgleich::db
