// The state of a channel as a text, for the disk. Every member is in it, exactly.
#pragma once

#include "exchange/channel.hpp"

#include <string>
#include <string_view>

namespace abgleich::exchange {

/// JSON, one line without a line end: the members of Channel by their names, in their order.
/// Numbers are texts of decimal digits, since many readers of JSON round large ones; ids, boxes and
/// other bytes are in hexadecimal digits.
std::string channel_text(const Channel& channel);

/// The inverse. Throws Failure{integrity} for any text that `channel_text` does not make, byte for
/// byte, and for a state that no channel can be in.
Channel parse_channel(std::string_view text);

}  // namespace abgleich::exchange
