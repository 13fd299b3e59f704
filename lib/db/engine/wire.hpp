// How a connection to a database could be attacked in the network.
#pragma once

#include "core/endpoint.hpp"

#include <string>

namespace abgleich::db {

/// What an attacker could do, where the configuration does not require that the server is verified.
/// Empty: it does, or nothing goes over a network.
std::string wire_weakness(const Endpoint& endpoint);

}  // namespace abgleich::db
