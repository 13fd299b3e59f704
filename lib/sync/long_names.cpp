#include "sync/long_names.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/value.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

namespace abgleich::sync {

namespace {

/// What a database keeps of a name: at most `size` bytes, and whole characters.
std::string cut(std::string_view name, std::size_t size) {
  while (size > 0 && !is_utf8(name.substr(0, size))) {
    --size;
  }
  return std::string(name.substr(0, size));
}

/// A name of the contract: where it is written, and what it is the name of, in words.
struct Named {
  const contract::Place& place;
  std::string_view what;
  const std::string& name;
};

[[noreturn]] void refuse(const EngineTraits& engine, const Named& named, std::string hint) {
  throw Failure(Code::configuration,
                fmt::format("{}: {} {} has {} bytes, and {} keeps {} of a name", named.place.text(),
                            named.what, contract::in_quotes(named.name), named.name.size(),
                            engine.title, engine.most_name_bytes),
                std::move(hint));
}

bool is_too_long(const EngineTraits& engine, const std::string& name) {
  return engine.most_name_bytes != 0 && name.size() > engine.most_name_bytes;
}

void in_primary(const EngineTraits& engine, const Named& named) {
  if (is_too_long(engine, named.name)) {
    refuse(engine, named,
           fmt::format("write the name that it has there: {}; nothing was changed",
                       contract::in_quotes(cut(named.name, engine.most_name_bytes))));
  }
}

void in_secondary(const EngineTraits& engine, const Named& named, std::string_view word) {
  if (is_too_long(engine, named.name)) {
    refuse(engine, named,
           fmt::format("give it a shorter one in the secondary: {} = \"NAME\"; nothing was changed",
                       word));
  }
}

}  // namespace

void refuse_long_names(const contract::Config& config, const contract::Contract& contract) {
  const auto& primary = traits(config.primary.engine);
  const auto& secondary = traits(config.secondary.engine);
  for (const auto& table : contract.tables) {
    in_primary(primary, {table.place, "table", table.name});
    for (const auto& column : table.columns) {
      in_primary(primary, {column.place, "column", column.name});
    }
    in_secondary(secondary, {table.place, "table", table.target}, "target");
    for (const auto* column : table.exported()) {
      in_secondary(secondary, {column->place, "column", column->as}, "as");
    }
  }
}

}  // namespace abgleich::sync
