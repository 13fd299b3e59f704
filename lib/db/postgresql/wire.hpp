// How a connection to a PostgreSQL server is protected on its way: TLS with a verified server,
// unless the server is on this machine or the URL explicitly asks for less.
#pragma once

#include <string>

namespace abgleich::db::postgresql {

/// Parameters for libpq beside the URL. Empty ones are not set: its own default or the URL applies.
struct Wire {
  std::string sslmode;
  std::string sslrootcert;
  std::string gssencmode;
};

/// For a libpq URI. A server is on this machine only by a socket or the loopback interface, and not
/// where a service file (`service=`, $PGSERVICE) may name the host. Less than verify-full is
/// possible only by `sslmode` in the URL, not by $PGSSLMODE or a service file. The certificate
/// authorities are those of the URL, of $PGSSLROOTCERT or of ~/.postgresql/root.crt, otherwise
/// those of the system.
Wire wire_of(const std::string& url);

/// What an attacker in the network could do, where the URL asks for less than verify-full for a
/// server that is not on this machine. Empty: it does not.
std::string weakness_of(const std::string& url);

}  // namespace abgleich::db::postgresql
