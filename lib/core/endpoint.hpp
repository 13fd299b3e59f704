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

/// The name of a pairing's bookkeeping, unless the configuration gives it another one.
inline constexpr std::string_view kUsualBooks = "abgleich";

/// Whether bookkeeping may have this name: "abgleich", or "abgleich_" and at most 30 small letters
/// of ASCII, digits and underscores. So nobody takes it for the data, and no dialect has to quote
/// it.
bool is_books_name(std::string_view name);
/// The name of the bookkeeping of what a peer sends: "abgleich_" and the peer's id, which has 26
/// characters of base32.
std::string books_of_peer(std::string_view id);
bool is_books_of_peer(std::string_view name);

struct Endpoint {
  Role role = Role::primary;
  Engine engine = Engine::sqlite;
  std::string url;                      // as configured: for people, and verbatim for libpq
  std::filesystem::path file;           // of a SQLite database, absolute
  std::filesystem::path password_file;  // in libpq's .pgpass format or one line; empty for none
  std::string schema;                   // PostgreSQL; empty for SQLite
  bool manage_schema = true;            // secondary: may abgleich create and alter tables
  std::string books{kUsualBooks};       // secondary: the bookkeeping's schema, or tables' prefix
  /// Primary: how many connections may read at once. The server turns the rows of a table into
  /// text, in one process for each connection, and a full pass mostly waits for that. So a second
  /// connection halves the time. More would slow down the users of a production server; its
  /// administrator may allow them.
  int workers = 2;
  /// How long one statement may run, and on PostgreSQL how long a transaction of ours may be idle;
  /// 0: without limit.
  std::chrono::seconds statement_timeout{1'800};
  std::chrono::seconds lock_timeout{10};  // how long to wait for a lock that others hold
  OnStatement on_statement;               // for -vv; otherwise empty
};

/// A database in this file, of the engine whose databases are files. REQUIRES: the path is
/// absolute.
Endpoint endpoint_of_file(Role role, const std::filesystem::path& file);

}  // namespace abgleich
