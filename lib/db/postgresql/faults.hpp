// A server's error as a Fault: SQLSTATE and the names of objects, never the server's own words,
// which quote rows.
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

/// The SQLSTATE of a lock that was not given within lock_timeout.
inline constexpr std::string_view kLockNotAvailable = "55P03";

Fault::Cause cause_of(std::string_view sqlstate);

/// Whether one row is the cause, so that the server may accept others: classes 22 and 23, limits
/// (54), WITH CHECK OPTION (44) and exceptions that a trigger raises (P0, or a class of its own).
bool blames_row(const Fault& fault);

/// `result` may be null: the connection was lost, or there was no memory. The message repeats only
/// those of the server's names that `names` knows. `holder`: who has the lock that was waited for;
/// empty: not known.
Fault fault_of(const Peer& peer, PGconn* connection, const PGresult* result, KnownNames& names,
               std::string_view holder = {});

/// The Fault of a connection that was lost. `sqlstate`: the last one that the server sent, if any.
Fault lost(const Peer& peer, std::string sqlstate = "08006");
/// The Fault of a server that is connected and has not answered for that long.
Fault stalled(const Peer& peer, std::chrono::seconds silence);

}  // namespace abgleich::db::postgresql
