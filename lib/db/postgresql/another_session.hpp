// A second session on the same server, for questions that the first can no longer answer. Their
// answers only make a message better.
#pragma once

#include <libpq-fe.h>

#include <memory>

namespace abgleich::db::postgresql {

struct FinishSession {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using AnotherSession = std::unique_ptr<PGconn, FinishSession>;

/// Connects with the same parameters, and waits only a few seconds. PQstatus says if it worked.
AnotherSession connect_like(PGconn* like);

}  // namespace abgleich::db::postgresql
