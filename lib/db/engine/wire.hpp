// What a network on the way to a database could do.
#pragma once

#include "core/endpoint.hpp"

#include <string>

namespace abgleich::db {

/// Where the configuration asks for less than a server that proves who it is; empty where it does
/// not, or where nothing goes over a network.
std::string wire_weakness(const Endpoint& endpoint);

}  // namespace abgleich::db
