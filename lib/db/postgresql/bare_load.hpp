// Tables without their keys, for as long as many rows come: a key that is made at the end costs
// less than one that is kept up on the way.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// Takes keys and foreign keys off those of the tables (quoted) that this transaction has made, and
/// lets it be idle for as long as that takes.
Bared bare(Session& session, const std::vector<std::string>& tables);
void end_bare(Session& session, const Bared& bared);

/// Runs `work` while the table (quoted) has no primary key. False: it cannot be taken off now, and
/// nothing was done.
bool without_key(Session& session, const std::string& table, const std::function<void()>& work);

}  // namespace abgleich::db::postgresql
