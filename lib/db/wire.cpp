#include "db/wire.hpp"

#include "db/postgresql/wire.hpp"

namespace abgleich::db {

std::string wire_weakness(const Endpoint& endpoint) {
  return endpoint.engine == Engine::postgresql ? postgresql::weakness_of(endpoint.url)
                                               : std::string();
}

}  // namespace abgleich::db
