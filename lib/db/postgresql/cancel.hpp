// Asks a server to stop its current statement.
#pragma once

#include <libpq-fe.h>

namespace abgleich::db::postgresql {

/// Asks the server to cancel the current statement, which it need not do. False: it did not answer
/// within some seconds.
bool cancel_soon(PGconn* connection) noexcept;

}  // namespace abgleich::db::postgresql
