// Who is in the way: whom the operator has to talk to when a lock was not given in time.
#pragma once

#include <libpq-fe.h>

#include <string>

namespace abgleich::db::postgresql {

/// The session that holds the strongest lock on a table of `like`'s database, the oldest of
/// several, as "process 4711 ('psql')"; empty where none is seen. By a connection of its own, since
/// `like`'s transaction has failed. What we hold ourselves is not meant.
std::string lock_holder(PGconn* like);

}  // namespace abgleich::db::postgresql
