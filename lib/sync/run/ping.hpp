// Tells a service as healthchecks.io by HTTP that a run begins or has ended. Nothing but the URL
// and an exit code leaves.
#pragma once

#include <string>

namespace abgleich::sync {

/// Asks for `url` with `/suffix` behind its path (nothing where it is empty). Waits five seconds at
/// most, follows no redirect. Returns why that failed, for people, with no more of the URL than its
/// host; empty: it did not. REQUIRES: the configuration's parser has let the URL pass.
std::string ping(const std::string& url, const std::string& suffix);

/// The URL that is asked for.
std::string ping_url(const std::string& url, const std::string& suffix);

}  // namespace abgleich::sync
