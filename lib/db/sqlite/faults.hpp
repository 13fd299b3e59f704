// SQLite's result codes as Faults, in our own words: sqlite3_errmsg quotes expressions and, by way
// of RAISE, whatever a trigger's author wrote, so only names are taken from it.
#pragma once

#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/session.hpp"

#include <string>

struct sqlite3;

namespace abgleich::db::sqlite {

/// Whom a connection talks to, as messages name it.
struct Peer {
  Role role = Role::primary;
  Access access = Access::read;
  std::string file;
};

/// "SQLITE_CONSTRAINT_UNIQUE" of an extended result code; an unknown one has its number.
std::string name_of_result(int extended);

Fault::Cause cause_of(int extended);

/// What the database last said.
Fault fault_of(const Peer& peer, sqlite3* database);

/// The same where there is no handle to ask, or where the failure is not SQLite's.
Fault fault_of(const Peer& peer, int extended);

/// The file cannot be had: `what` is what is wrong with it.
Fault unreachable(const Peer& peer, int extended, const std::string& what, std::string hint);

}  // namespace abgleich::db::sqlite
