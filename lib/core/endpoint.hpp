// How to reach a database: where, as whom, in which schema. Holds no password.
#pragma once

#include "core/trace.hpp"
#include "core/type.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

namespace abgleich {

enum class Role : std::uint8_t { primary, secondary };

std::string_view name_of(Role role);

struct Endpoint {
  Role role = Role::primary;
  Engine engine = Engine::sqlite;
  std::string url;                      // as configured: for people, and verbatim for libpq
  std::filesystem::path file;           // of a SQLite database, absolute
  std::filesystem::path password_file;  // in libpq's .pgpass format or one line; empty for none
  std::string schema;                   // PostgreSQL; empty for SQLite
  bool manage_schema = true;            // secondary: may abgleich create and alter tables
  /// Primary: how many connections may read at once. Two: the server makes a table's text in one
  /// process a connection, which is what a full pass waits for, and a second one halves that; more
  /// would compete with a production server's own users, which is for its administrator to allow.
  int workers = 2;
  /// PostgreSQL: how long one statement may run there, and a transaction of ours wait; 0: for ever.
  std::chrono::seconds statement_timeout{1'800};
  std::chrono::seconds lock_timeout{10};  // how long a lock of others is waited for
  OnStatement on_statement;               // of -vv; nobody usually
};

}  // namespace abgleich
