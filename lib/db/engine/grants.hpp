// The rights of the role that connects: what it needs, what it has, and the statements that turn
// the one into the other.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::db {

struct Grants {
  std::string role;                     // as the server calls it
  bool superuser = false;               // it may do everything, and no statement changes that
  std::vector<std::string> statements;  // GRANT and REVOKE: after them it may do what it needs
  std::vector<std::string> surplus;     // what it may do beyond that: "SELECT on public.visit"
  std::vector<std::string> remarks;     // on rights that no REVOKE from this role takes away
};

/// What pairings keep in a database: bookkeeping, and tables of the data by schema and name.
struct KeptTables {
  std::set<std::string> books;
  std::set<std::pair<std::string, std::string>> data;
  std::set<std::string> anywhere{};  // tables of the data, by name, whose schema is not known
};

/// By the name of a table of the data's schema: the columns that are read.
using ReadColumns = std::map<std::string, std::set<std::string>>;

}  // namespace abgleich::db
