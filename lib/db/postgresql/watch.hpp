// The position of a PostgreSQL server: the timeline, the place in the log and the next transaction.
// What is kept of them is what no crash takes back, or a server that has only lost what nobody was
// promised (synchronous_commit = off, a transaction that was given up) would count as an older
// copy; what is asked is what there is now. A standby is asked before the snapshot begins, as it
// goes on meanwhile; its transactions say nothing that its position does not.
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
