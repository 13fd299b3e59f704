#include "core/endpoint.hpp"

#include <cstddef>

namespace abgleich {

std::string_view name_of(Role role) {
  return role == Role::primary ? "primary" : "secondary";
}

bool is_books_name(std::string_view name) {
  constexpr std::size_t kLongest = 30;
  if (!name.starts_with(kUsualBooks)) {
    return false;
  }
  name.remove_prefix(kUsualBooks.size());
  return name.empty() || (name.front() == '_' && name.size() > 1 && name.size() <= kLongest + 1 &&
                          name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                              std::string_view::npos);
}

}  // namespace abgleich
