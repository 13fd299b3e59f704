// Why rows are held back in quarantine, and the words for it, which the bookkeeping keeps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::journal {

enum class QuarantineCause : std::uint8_t {
  value,            // of one column: it cannot be masked or stored
  refused_by_type,  // the secondary's server has refused the row
  repeated_key,     // several rows have the key, and it is not known which is meant
  taken,            // another pairing that writes to the same table has a row with this key
  rare,             // min_k: too few subjects share its quasi-identifiers
  belongs_to_rare,  // the row belongs to one that is `rare`
};

/// `detail`: for `value`, the whole text; for `refused_by_type`, the server's SQLSTATE; for
/// `taken`, the other pairing's bookkeeping; for `rare`, `min_k`.
std::string text_of(QuarantineCause cause, std::string_view detail = {});
/// Adds to such a text that the secondary still has the rows.
std::string still_there(std::string_view text);

/// The cause that `text_of` was given to make this text.
QuarantineCause quarantine_cause_of(std::string_view text);
bool is_still_there(std::string_view text);
/// Whether the rows are held back by min_k.
bool is_rarity(std::string_view text);

}  // namespace abgleich::journal
