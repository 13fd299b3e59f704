// How a connection to a PostgreSQL server is protected on its way: TLS with a verified server,
// unless the server is on this machine or the configuration asks for less in words.
#pragma once

#include <string>

namespace abgleich::db::postgresql {

/// What to tell libpq beside the URL; empty: nothing, so that its own default or the URL holds.
struct Wire {
  std::string sslmode;
  std::string sslrootcert;
  std::string gssencmode;
};

/// For a libpq URI. Only sockets and the loopback interface are on this machine; a service file
/// (`service=`, $PGSERVICE) that may name the host is not taken to mean it. Less than verify-full
/// is asked for in words by `sslmode` in the URL, and by nothing else: not by $PGSSLMODE, not by a
/// service file. The authorities are those of the URL, of $PGSSLROOTCERT or of
/// ~/.postgresql/root.crt, else the system's.
Wire wire_of(const std::string& url);

/// What a network between us and the server could do, where the URL asks for less than verify-full
/// for a server that is not on this machine; empty where it does not.
std::string weakness_of(const std::string& url);

}  // namespace abgleich::db::postgresql
