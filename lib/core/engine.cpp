#include "core/engine.hpp"

#include <algorithm>
#include <array>

namespace abgleich {

namespace {

constexpr std::array<std::string_view, 2> kPostgresqlSchemes{"postgresql://", "postgres://"};
constexpr std::array<std::string_view, 1> kSqliteSchemes{"sqlite:"};

// In the order of `Engine`.
constexpr std::array kEngines{
    EngineTraits{.engine = Engine::postgresql,
                 .name = "postgresql",
                 .title = "PostgreSQL",
                 .schemes = kPostgresqlSchemes,
                 .url_form = "postgresql://user@host/database",
                 .schema = "public",
                 .numbers_objects = true,
                 .has_strict_types = true,
                 .alters_columns = true,
                 .most_name_bytes = 63,     // NAMEDATALEN - 1
                 .most_key_bytes = 2'680},  // a B-tree's tuple has 2,704 with its header (nbtree.h)
    EngineTraits{.engine = Engine::sqlite,
                 .name = "sqlite",
                 .title = "SQLite",
                 .schemes = kSqliteSchemes,
                 .url_form = "sqlite:PATH",
                 .is_file = true,
                 .folds_names = true,
                 .has_nocase = true},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kEngines.size(); ++i) {
    if (static_cast<std::size_t>(kEngines[i].engine) != i) {
      return false;
    }
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const EngineTraits> engines() {
  return kEngines;
}

const EngineTraits& traits(Engine engine) {
  return kEngines.at(static_cast<std::size_t>(engine));
}

std::string_view name_of(Engine engine) {
  return traits(engine).name;
}

std::optional<Engine> engine_from(std::string_view name) {
  const auto* const found = std::ranges::find(kEngines, name, &EngineTraits::name);
  return found == kEngines.end() ? std::nullopt : std::optional(found->engine);
}

std::optional<UrlScheme> scheme_of(std::string_view url) {
  for (const auto& engine : kEngines) {
    for (const auto scheme : engine.schemes) {
      if (url.starts_with(scheme)) {
        return UrlScheme{.engine = &engine, .rest = url.substr(scheme.size())};
      }
    }
  }
  return std::nullopt;
}

}  // namespace abgleich
