// A second session beside one that answers nothing: for what only makes a message better.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace abgleich::db::postgresql {

struct FinishSession {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using AnotherSession = std::unique_ptr<PGconn, FinishSession>;

/// Connects with the same parameters, and waits for a few seconds only. PQstatus says whether it is
/// up.
AnotherSession connect_like(PGconn* like);

}  // namespace abgleich::db::postgresql
