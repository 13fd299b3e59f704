#include "db/connection.hpp"

#include <utility>

namespace abgleich::db {

Fault::Fault(Cause cause, std::string state, Error error)
    : Failure(std::move(error)), cause_(cause), state_(std::move(state)) {}

}  // namespace abgleich::db
