// Tables without their keys while many rows are loaded: to make a key at the end costs less than to
// maintain it with every row.
#pragma once

#include "db/engine/engine.hpp"
#include "db/engine/session.hpp"

#include <functional>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// See Backend, for all three.
Bared bare(Session& session, const std::vector<std::string>& tables);
void end_bare(Session& session, const Bared& bared);

bool without_key(Session& session, const std::string& table, const std::function<void()>& work);

}  // namespace abgleich::db::postgresql
