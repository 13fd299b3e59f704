// Runs pg_dump and pg_restore with the connection settings of this program. Their arguments name no
// server, user or password: they get them in files without a name that only they can read, as a
// service file and a password file (PostgreSQL manual, "The Connection Service File").
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// A program that has ended. What it has said on stderr can quote a server's own words, so it is
/// only searched, and never shown.
struct ClientRun {
  int exit = -1;  // 128+n where signal n ended it
  std::string out;
  std::string said;

  [[nodiscard]] bool says(std::string_view words) const {
    return said.find(words) != std::string::npos;
  }
};

/// What a client program is run for.
struct ClientCall {
  std::string_view program;  // "pg_dump"
  int server_version = 0;    // PQserverVersion; 0: it connects to no server
  std::vector<std::string> arguments;
  /// Connects as this connection does, to the same server; null: to none. `--dbname` is added to
  /// the arguments.
  PGconn* like = nullptr;
  /// Handed over as a file of that content, whose name follows the last argument; empty: none.
  std::string list{};
};

/// Runs the newest fitting program that Debian has installed, else the one in $PATH, and waits for
/// its end. Throws Failure{configuration} where there is none, Failure{out_of_space} where no
/// process can be made.
ClientRun run_client(const ClientCall& call);

}  // namespace abgleich::db::postgresql
