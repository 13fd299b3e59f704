// How it stands with each peer: what `status` says of it.
#pragma once

#include "contract/config.hpp"
#include "core/error.hpp"
#include "core/trace.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

struct PeerStatus {
  std::string peer;
  std::int64_t begun = 0;               // when it was first looked for, Unix time; 0: not yet
  std::optional<std::int64_t> heard;    // Unix time
  std::optional<std::int64_t> waiting;  // since when rows wait for its answer
  std::uint64_t noise = 0;              // files in its boxes that it has not signed
  std::int64_t conflicts = 0;           // of its rows, open
  std::int64_t quarantined = 0;
  std::vector<std::string> drift;  // what has drifted on either way, in words
  Code code = Code::done;          // the severest of what is open or in the way
  std::optional<Error> error;      // why it could not be asked, or what is in the way
};

/// All peers of the configuration, by their names. Asks the databases for what is open. Throws
/// Failure{key_or_trust} where the cards cannot be read.
std::vector<PeerStatus> peer_status(const contract::Config& node, const OnStatement& on_statement);

}  // namespace abgleich::sync
