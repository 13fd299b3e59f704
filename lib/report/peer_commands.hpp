// Commands in hints and other texts, so that they mean the pairing that the text is about.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::report {

/// The text with `--peer PEER` in every command of this program that works on a pairing:
/// "abgleich --peer to:ga-north drift accept". `peer`: as `--peer` takes it. A command that has the
/// option already stays as it is.
std::string for_peer(std::string_view text, std::string_view peer);

}  // namespace abgleich::report
