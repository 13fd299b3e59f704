// Where a hello is put: the one file that two nodes can name without a grant. Only they can name
// it, and it has another name every day and in the other direction.
#pragma once

#include "exchange/peer_name.hpp"
#include "seal/age_key.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace abgleich::exchange {

/// The name of the file for a hello from `from` to `to` on a day (since 1970, in UTC): 26
/// characters of base32, of the first 16 bytes of HKDF-SHA-256 with the shared secret of the two
/// nodes' keys and the info "abgleich hello", "1", `from`, `to` (as `id_text` writes them), and the
/// day in decimal digits. One of the two nodes is we, and `theirs` is the key of the other; both
/// nodes get the same name. Empty where the keys have no shared secret.
std::optional<std::string> hello_name(const seal::Identity& ours, const seal::Recipient& theirs,
                                      const PeerId& from, const PeerId& to, std::int64_t day);

}  // namespace abgleich::exchange
