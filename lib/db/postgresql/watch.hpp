// The position of a PostgreSQL server: the timeline, the place in the log and the next transaction.
// `now` is as the server says at that moment. `lasting` has only what no crash takes back: a server
// that has lost nothing but what it never promised to keep (synchronous_commit = off, a transaction
// that was given up) must not be taken for an older copy. A standby is asked before the snapshot
// begins, as it continues meanwhile. Its next transaction is not asked for: its place in the log
// already implies it.
#pragma once

#include "db/engine/position.hpp"

namespace abgleich::db::postgresql {

class ServerWatch final : public Watch {
 public:
  void before_snapshot(Session& session) override;
  void in_snapshot(Session& session) override;
  void after_reading(Session& session) override;

 private:
  bool may_ask_ = false;
};

}  // namespace abgleich::db::postgresql
