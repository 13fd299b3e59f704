// Who is told how syncing goes, beside cron's mail: the section [alert] of the configuration.
#pragma once

#include "contract/document.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::contract {

struct Alert {
  /// Without a success for longer than that, syncing counts as overdue.
  std::optional<std::chrono::seconds> max_age;
  std::filesystem::path metrics;  // a file for Prometheus; empty: none
  /// What is asked for by HTTP at the start and the end of a run; empty: nothing. Who knows it can
  /// pretend that all is well: it is never shown whole.
  std::string ping;
};

/// Throws Failure{configuration}; no message has a part of the ping's URL.
Alert alert_of(const Node& section);

/// The host of such a URL, for messages.
std::string host_of_ping(const std::string& url);

}  // namespace abgleich::contract
