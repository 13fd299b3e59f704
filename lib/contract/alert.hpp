// Who is told how syncing goes, beside cron's mail: the section [alert] of the configuration.
#pragma once

#include "contract/document.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::contract {

struct Alert {
  /// Without a success for longer than this, syncing counts as overdue.
  std::optional<std::chrono::seconds> max_age;
  std::filesystem::path metrics;  // a file for Prometheus; empty: none
  /// The URL that is requested at the start and the end of a run; empty: none. Whoever knows it can
  /// report a success that did not happen, so it is never shown whole.
  std::string ping;
};

/// Throws Failure{configuration}; no message holds any part of the URL to ping.
Alert alert_of(const Node& section);

/// The host of a URL to ping, for messages.
std::string host_of_ping(const std::string& url);

}  // namespace abgleich::contract
