// The configuration of one pairing: abgleich.toml.
#pragma once

#include "contract/alert.hpp"
#include "contract/contract.hpp"
#include "contract/retention.hpp"
#include "core/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

struct Config {
  std::filesystem::path file;  // absolute; paths are relative to the file that they stand in
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
  Alert alert;
  std::filesystem::path identity;  // of this node among its peers: its secret keys
  std::filesystem::path cards;     // the directory of the peers' cards
};

/// Parses "postgresql://…" or "sqlite:PATH" (relative to `directory`). Refuses a password inside a
/// URL, an engine that is not built in, an empty path. Throws Failure{configuration}; messages
/// never hold the password.
Endpoint parse_endpoint(Role role, std::string_view url, const std::filesystem::path& directory);

/// With what it includes (contract/include.hpp). Throws Failure{configuration} with file, line and
/// column and what to write instead.
Config parse_config(std::string_view text, const std::filesystem::path& file);
/// Reads the file, then `parse_config`. Whose it is, is not asked: see contract/trust.hpp.
Config read_config(const std::filesystem::path& file);

/// Where the configurations of several pairings are: NAME.toml each.
inline constexpr std::string_view kProfiles = "/etc/abgleich";

/// DIRECTORY/NAME.toml. Throws Failure{usage} where the name is none of a file,
/// Failure{configuration} where there is no such file.
std::filesystem::path find_profile(const std::filesystem::path& directory, const std::string& name);

/// The files NAME.toml of the directory, by name, but for contracts and for what others of them
/// include. A
/// file that cannot be read counts as a configuration: whoever opens it says why. Throws
/// Failure{configuration} where there are none.
std::vector<std::filesystem::path> all_profiles(const std::filesystem::path& directory);

/// By what a pairing is called: its file's name without ".toml".
std::string name_of_pairing(const std::filesystem::path& config);

/// Where the configuration is: `option`, else $ABGLEICH_CONFIG, else ./abgleich.toml, else
/// /etc/abgleich/abgleich.toml. Throws Failure{configuration} that names the places looked at.
std::filesystem::path find_config(const std::optional<std::filesystem::path>& option);

}  // namespace abgleich::contract
