// A moment for people: in UTC, as everything is stored, and as the clock on their wall says.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::report {

/// "2026-03-09T08:55:04Z (09:55 CET)": the zone is that of TZ, else the machine's; the day stands
/// there where it is another one, and nothing where the zone is UTC. What is no such moment comes
/// back as it is.
std::string with_local(std::string_view utc);

}  // namespace abgleich::report
