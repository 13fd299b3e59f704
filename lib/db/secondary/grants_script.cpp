#include "db/secondary/grants_script.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

/// A literal of standard SQL. A backslash in it is only right with standard_conforming_strings.
std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c == '\'' ? "''" : std::string(1, c);
  }
  return out + "'";
}

}  // namespace

std::string only_here(const Grants& grants, const DatabaseIdentity& database,
                      std::string_view script) {
  return fmt::format(
      "SELECT EXISTS (SELECT FROM pg_database WHERE datname = current_database() AND oid = {})\n"
      "   AND EXISTS (SELECT FROM pg_roles WHERE rolname = {}) AS here \\gset\n"
      "\\if :here\n{}\\endif\n",
      database.database, literal(grants.role), script);
}

}  // namespace abgleich::db
