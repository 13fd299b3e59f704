#include "core/endpoint.hpp"

namespace abgleich {

std::string_view name_of(Role role) {
  return role == Role::primary ? "primary" : "secondary";
}

}  // namespace abgleich
