#include "sync/long_names.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/value.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace abgleich::sync {

namespace {

constexpr std::size_t kMostBytes = 63;  // NAMEDATALEN - 1

/// What PostgreSQL keeps of a name: whole characters.
std::string cut(std::string_view name) {
  auto size = kMostBytes;
  while (size > 0 && !is_utf8(name.substr(0, size))) {
    --size;
  }
  return std::string(name.substr(0, size));
}

[[noreturn]] void refuse(const contract::Place& place, std::string_view what,
                         const std::string& name, std::string hint) {
  throw Failure(Code::configuration,
                fmt::format("{}: {} {} has {} bytes, and PostgreSQL keeps {} of a name",
                            place.text(), what, contract::in_quotes(name), name.size(), kMostBytes),
                std::move(hint));
}

void in_primary(const contract::Place& place, std::string_view what, const std::string& name) {
  if (name.size() > kMostBytes) {
    refuse(place, what, name,
           fmt::format("write the name that it has there: {}; nothing was changed",
                       contract::in_quotes(cut(name))));
  }
}

void in_secondary(const contract::Place& place, std::string_view what, std::string_view word,
                  const std::string& name) {
  if (name.size() > kMostBytes) {
    refuse(place, what, name,
           fmt::format("give it a shorter one in the secondary: {} = \"NAME\"; nothing was changed",
                       word));
  }
}

}  // namespace

void refuse_long_names(const contract::Config& config, const contract::Contract& contract) {
  for (const auto& table : contract.tables) {
    if (config.primary.engine == Engine::postgresql) {
      in_primary(table.place, "table", table.name);
      for (const auto& column : table.columns) {
        in_primary(column.place, "column", column.name);
      }
    }
    if (config.secondary.engine == Engine::postgresql) {
      in_secondary(table.place, "table", "target", table.target);
      for (const auto* column : table.exported()) {
        in_secondary(column->place, "column", "as", column->as);
      }
    }
  }
}

}  // namespace abgleich::sync
