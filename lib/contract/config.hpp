// The configuration of one pairing: abgleich.toml.
#pragma once

#include "contract/contract.hpp"
#include "contract/retention.hpp"
#include "core/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::contract {

struct Config {
  std::filesystem::path file;  // absolute; relative paths in it are relative to its directory
  std::filesystem::path contract;
  std::filesystem::path catalog;
  Endpoint primary;
  Endpoint secondary;
  std::filesystem::path key_file;  // a credential's: in $CREDENTIALS_DIRECTORY, or so called
  std::string key_credential;      // the name of the systemd credential that it is; empty: none
  std::filesystem::path state_directory;
  Limit max_deleted;  // default 5%
  Limit max_updated;  // default 50%
  Retention keep;     // of the journal; default 90 days
  /// Rows whose quasi-identifiers fewer subjects share are held back; 0: none are.
  std::int64_t min_k = 0;
  /// How long a run is tried again that a busy server did not let through.
  std::chrono::seconds retry_for{30};
  /// How long the primary's row versions may be relied upon before every row is read again.
  std::chrono::seconds full_every{86'400};
  /// The primary is a file that is made anew for every delivery: an older one cannot be told.
  bool made_anew = false;
};

/// Parses "postgresql://…" or "sqlite:PATH" (relative to `directory`). Refuses a password inside a
/// URL, an engine that is not built in, an empty path. Throws Failure{configuration}; messages
/// never hold the password.
Endpoint parse_endpoint(Role role, std::string_view url, const std::filesystem::path& directory);

/// Throws Failure{configuration} with file, line and column and what to write instead.
Config parse_config(std::string_view text, const std::filesystem::path& file);
/// Reads the file, then `parse_config`. Whose it is, is not asked: see contract/trust.hpp.
Config read_config(const std::filesystem::path& file);

/// Where the configuration is: `option`, else $ABGLEICH_CONFIG, else ./abgleich.toml, else
/// /etc/abgleich/abgleich.toml. Throws Failure{configuration} that names the places looked at.
std::filesystem::path find_config(const std::optional<std::filesystem::path>& option);

}  // namespace abgleich::contract
