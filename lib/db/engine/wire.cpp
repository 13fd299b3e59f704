#include "db/engine/wire.hpp"

#include "db/engine/engine.hpp"

namespace abgleich::db {

std::string wire_weakness(const Endpoint& endpoint) {
  return backend(endpoint.engine).wire_weakness(endpoint);
}

}  // namespace abgleich::db
