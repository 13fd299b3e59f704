#include "db/dialect.hpp"

#include "db/postgresql/postgresql.hpp"
#include "db/soci/sqlite.hpp"

namespace abgleich::db {

std::string Dialect::quote(std::string_view name) const {
  std::string quoted;
  quoted.reserve(name.size() + 2);
  quoted += '"';
  for (const char c : name) {
    if (c == '"') {
      quoted += '"';
    }
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

const Dialect& dialect(Engine engine) {
  return engine == Engine::postgresql ? postgresql::dialect() : sqlite::dialect();
}

}  // namespace abgleich::db
