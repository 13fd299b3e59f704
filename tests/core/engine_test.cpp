#include "core/engine.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace abgleich {
namespace {

TEST_CASE("every engine is found by its name, as it is stored") {
  for (const auto& engine : engines()) {
    CAPTURE(engine.name);
    CHECK(engine_from(name_of(engine.engine)) == engine.engine);
    CHECK(&traits(engine.engine) == &engine);
  }
  CHECK(name_of(Engine::postgresql) == "postgresql");
  CHECK(name_of(Engine::sqlite) == "sqlite");
  CHECK_FALSE(engine_from("PostgreSQL"));
  CHECK_FALSE(engine_from("sqlite3"));
  CHECK_FALSE(engine_from(""));
}

TEST_CASE("a URL is of the engine whose scheme it begins with") {
  const auto server = scheme_of("postgresql://user@host/database");
  REQUIRE(server);
  CHECK(server->engine->engine == Engine::postgresql);
  CHECK(server->rest == "user@host/database");
  CHECK(scheme_of("postgres://host")->rest == "host");
  CHECK(scheme_of("sqlite:a b.db")->rest == "a b.db");
  CHECK_FALSE(scheme_of("SQLITE:a.db"));
  CHECK_FALSE(scheme_of("mysql://host/database"));
  CHECK_FALSE(scheme_of(""));
}

TEST_CASE("no two engines have a name or a scheme in common, and each has what is asked of all") {
  std::set<std::string_view> names;
  std::set<std::string_view> schemes;
  for (const auto& engine : engines()) {
    CAPTURE(engine.name);
    CHECK(names.insert(engine.name).second);
    CHECK_FALSE(engine.title.empty());
    REQUIRE_FALSE(engine.schemes.empty());
    CHECK(engine.url_form.starts_with(engine.schemes.front()));
    for (const auto scheme : engine.schemes) {
      CHECK(schemes.insert(scheme).second);
    }
  }
}

}  // namespace
}  // namespace abgleich
