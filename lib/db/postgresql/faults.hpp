// What the server said, as a Fault: SQLSTATE and the names of objects, never its own words, which
// quote rows.
#pragma once

#include "core/endpoint.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/fault_code.hpp"
#include "db/engine/session.hpp"
#include "db/postgresql/known_names.hpp"

#include <libpq-fe.h>

#include <chrono>
#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

/// Whom we talk to and what for: decides the exit code and who is named in the message.
struct Peer {
  Role role = Role::primary;
  Access access = Access::read;
};

/// lock_timeout is over.
inline constexpr std::string_view kLockNotAvailable = "55P03";

Fault::Cause cause_of(std::string_view sqlstate);

/// Whether one row is to blame (and another row may go through): classes 22 and 23, limits (54),
/// WITH CHECK OPTION (44) and exceptions that a trigger raises (P0).
bool blames_row(const Fault& fault);

/// `result` may be null: then the connection is gone or memory is out. Of the names that the server
/// gives only those are told that `names` knows. `holder` is who has a lock that was waited for, if
/// that is known.
Fault fault_of(const Peer& peer, PGconn* connection, const PGresult* result, KnownNames& names,
               std::string_view holder = {});

/// A connection that is gone, whatever the server managed to say before.
Fault lost(const Peer& peer, std::string sqlstate = "08006");
/// A server that is connected and has kept silent for that long.
Fault stalled(const Peer& peer, std::chrono::seconds silence);

}  // namespace abgleich::db::postgresql
