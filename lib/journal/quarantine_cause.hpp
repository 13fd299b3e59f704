// Why rows are held back in quarantine, and the words for it, which the bookkeeping keeps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::journal {

enum class QuarantineCause : std::uint8_t {
  value,            // of one column, in the words of who cannot mask or hold it
  refused_by_type,  // the secondary's server has refused the row
  repeated_key,     // which of the rows is meant, nobody can say
  rare,             // min_k: too few subjects share its quasi-identifiers
  belongs_to_rare,  // … of a row that it belongs to
};

/// `detail`: of a value, all that there is to say; of a type, the server's state; of a rare row,
/// `min_k`.
std::string text_of(QuarantineCause cause, std::string_view detail = {});
/// The same of rows that the secondary still has.
std::string still_there(std::string_view text);

/// What `text_of` was given.
QuarantineCause quarantine_cause_of(std::string_view text);
bool is_still_there(std::string_view text);
/// Whether it is min_k that holds the rows back.
bool is_rarity(std::string_view text);

}  // namespace abgleich::journal
