// Asking a server to stop what it does.
#pragma once

#include <libpq-fe.h>

namespace abgleich::db::postgresql {

/// Cancels the current statement, if the server is willing; what it does not cancel it ends by
/// itself. False where it does not answer for some seconds.
bool cancel_soon(PGconn* connection) noexcept;

}  // namespace abgleich::db::postgresql
