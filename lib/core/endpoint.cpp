#include "core/endpoint.hpp"

#include "core/engine.hpp"

#include <algorithm>
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

std::string books_of_peer(std::string_view id) {
  return std::string(kUsualBooks) + '_' + std::string(id);
}

bool is_books_of_peer(std::string_view name) {
  constexpr std::size_t kId = 26;
  const auto prefix = books_of_peer("");
  return name.starts_with(prefix) && name.size() == prefix.size() + kId &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", prefix.size()) ==
             std::string_view::npos;
}

Endpoint endpoint_of_file(Role role, const std::filesystem::path& file) {
  const auto all = engines();
  const auto engine = std::ranges::find_if(all, &EngineTraits::is_file);
  return {.role = role,
          .engine = engine->engine,
          .url = std::string(engine->schemes.front()) + file.string(),
          .file = file,
          .schema = std::string(engine->schema)};
}

}  // namespace abgleich
