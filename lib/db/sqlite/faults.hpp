// SQLite's result codes as Faults, in our own words: sqlite3_errmsg quotes expressions, and a
// trigger can put any text into it by RAISE, so only names of objects are taken from it.
#pragma once

#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/session.hpp"

#include <string>

struct sqlite3;

namespace abgleich::db::sqlite {

/// What a connection is connected to, for messages and exit codes.
struct Peer {
  Role role = Role::primary;
  Access access = Access::read;
  std::string file;
};

/// "SQLITE_CONSTRAINT_UNIQUE" of an extended result code; an unknown one has its number.
std::string name_of_result(int extended);

Fault::Cause cause_of(int extended);

/// The last error of `database`.
Fault fault_of(const Peer& peer, sqlite3* database);

/// The Fault of a result code, where there is no handle to ask or the failure is not SQLite's.
Fault fault_of(const Peer& peer, int extended);

/// The Fault of a file that cannot be used: `what` says why.
Fault unreachable(const Peer& peer, int extended, const std::string& what, std::string hint);

}  // namespace abgleich::db::sqlite
