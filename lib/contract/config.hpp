// The configuration of one pairing: abgleich.toml.
#pragma once

#include "contract/alert.hpp"
#include "contract/contract.hpp"
#include "contract/peers.hpp"
#include "contract/retention.hpp"
#include "contract/routing.hpp"
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
  std::filesystem::path file;  // absolute; other paths are relative to the file they are written in
  std::filesystem::path contract;
  std::filesystem::path catalog;
  Endpoint primary;
  Endpoint secondary;
  std::filesystem::path key_file;  // of a credential: in $CREDENTIALS_DIRECTORY
  /// Pseudonyms are made for this domain only, see mask::Keyring::of_domain; empty: the node's own.
  std::string domain;
  /// The mark of this node in the tokens that it makes for a peer; empty: it makes none.
  std::string issuer;
  /// The rows come from a peer.
  bool from_peer = false;
  /// Only those use the secondary who may see the values of the primary, and it holds what peers
  /// send back; so nothing is exported into it.
  bool inbox = false;
  /// Which rows of the contract a peer gets; empty: the contract is not one that peers get.
  std::optional<Routes> routes;
  std::string key_credential;  // name of the systemd credential; empty: the key is a file
  std::filesystem::path state_directory;
  Limit max_deleted;  // default 5%
  Limit max_updated;  // default 50%
  Retention keep;     // of the journal; default 90 days
  /// Rows whose quasi-identifiers are shared by fewer subjects than this are held back; 0: no rows.
  std::int64_t min_k = 0;
  /// For how long a run is tried again if a server was busy.
  std::chrono::seconds retry_for{30};
  /// How long the primary's row versions may be relied upon before every row is read again.
  std::chrono::seconds full_every{86'400};
  /// The primary is a file that is made anew for every delivery, so that an older one cannot be
  /// recognised.
  bool made_anew = false;
  /// The state directory is the only one of this pairing. If the secondary has later runs than it
  /// knows, it was restored from a copy, and so was the primary beside it.
  bool alone = false;
  Alert alert;
  /// Contracts of what peers get: the same role reads the primary for them.
  std::vector<std::filesystem::path> also_read;
  std::filesystem::path identity;  // the file with the secret keys of this node
  std::filesystem::path cards;     // the directory of the peers' cards
  Exchange exchange;
  /// Whether primary and secondary are paired with each other, by `contract`: always where there is
  /// no [peers.…], else only where a contract is written at the top. Where they are not, `contract`
  /// is its default, which nobody reads, and the two may be the same database.
  bool pairs = true;
};

/// Parses "postgresql://…" or "sqlite:PATH" (relative to `directory`). Refuses a password inside a
/// URL, an engine that is not built in, an empty path. Throws Failure{configuration}; messages
/// never hold the password.
Endpoint parse_endpoint(Role role, std::string_view url, const std::filesystem::path& directory);

/// Parses a configuration together with the file that it includes (contract/include.hpp). Throws
/// Failure{configuration} with file, line and column and what to write instead.
Config parse_config(std::string_view text, const std::filesystem::path& file);
/// Reads the file, then `parse_config`. Does not check who owns the file: see contract/trust.hpp.
Config read_config(const std::filesystem::path& file);

/// Where the configurations of several pairings are: NAME.toml each.
inline constexpr std::string_view kProfiles = "/etc/abgleich";

/// DIRECTORY/NAME.toml. Throws Failure{usage} where the name cannot be that of a file,
/// Failure{configuration} where there is no such file.
std::filesystem::path find_profile(const std::filesystem::path& directory, const std::string& name);

/// The files NAME.toml of the directory, in the order of their names, except contracts and files
/// that others of them include. A file that cannot be read counts as a configuration: whoever opens
/// it gets the error. Throws Failure{configuration} where there are none.
std::vector<std::filesystem::path> all_profiles(const std::filesystem::path& directory);

/// The name of a pairing: that of its file, without ".toml".
std::string name_of_pairing(const std::filesystem::path& config);

/// Where the configuration is: `option`, else $ABGLEICH_CONFIG, else ./abgleich.toml, else
/// /etc/abgleich/abgleich.toml. Throws Failure{configuration} that names the places looked at.
std::filesystem::path find_config(const std::optional<std::filesystem::path>& option);

}  // namespace abgleich::contract
