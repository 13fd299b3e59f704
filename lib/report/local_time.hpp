// A moment for people: in UTC, as everything is stored, and in local time.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::report {

/// "2026-03-09T08:55:04Z (09:55 CET)". The zone is that of TZ, else that of the machine. The local
/// day is added where it is another one; nothing is added where the zone is UTC. Any other text is
/// returned as it is.
std::string with_local(std::string_view utc);

}  // namespace abgleich::report
