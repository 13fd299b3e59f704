// Tells a service such as healthchecks.io by HTTP that a run begins or has ended. Nothing but the
// URL and an exit code leaves.
#pragma once

#include <string>

namespace abgleich::sync {

/// Requests `url` with `/suffix` behind its path, or as it is where `suffix` is empty. Waits at
/// most five seconds and follows no redirect. Returns why that failed, for people, with no more of
/// the URL than its host; empty: it did not fail. REQUIRES: the configuration's parser has accepted
/// the URL.
std::string ping(const std::string& url, const std::string& suffix);

/// The URL that `ping` requests.
std::string ping_url(const std::string& url, const std::string& suffix);

}  // namespace abgleich::sync
