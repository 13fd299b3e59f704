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

std::string_view packed(const Dialect& dialect, const Cell& cell, std::string& scratch) {
  static const Type kBytes = [] {
    Type type;
    type.family = Family::bytes;
    type.native = "bytea";
    return type;
  }();
  return dialect.decode(kBytes, cell, scratch).bytes;
}

const Dialect& dialect(Engine engine) {
  return engine == Engine::postgresql ? postgresql::dialect() : sqlite::dialect();
}

}  // namespace abgleich::db
