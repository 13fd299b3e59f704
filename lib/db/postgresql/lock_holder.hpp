// Who holds a lock that was not given in time, so that the operator knows whom to ask.
#pragma once

#include <libpq-fe.h>

#include <string>

namespace abgleich::db::postgresql {

/// The session that holds the strongest lock on a table of `like`'s database, the oldest of
/// several, as "process 4711 ('psql')"; empty where none is seen. Locks of `like` itself do not
/// count. Asks over a connection of its own, since `like`'s transaction has failed.
std::string lock_holder(PGconn* like);

}  // namespace abgleich::db::postgresql
