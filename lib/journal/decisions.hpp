// What a person has decided on the page of `report --decide`, as text: a file with a line for each
// decision, or the address that the page's form leads to. schemas/stored-formats.md describes both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::journal {

/// The side whose values stand.
enum class Side : std::uint8_t { primary, secondary };
/// "primary", "secondary"
std::string_view name_of(Side side);

/// What stands in place of a side where nothing is decided.
inline constexpr std::string_view kLeftOpen = "open";

struct Decision {
  std::string id;  // of a conflict, whole
  Side side = Side::secondary;
  std::int64_t line = 0;  // in the file, from 1; 0: it came in an address

  bool operator==(const Decision&) const = default;
};

struct Decisions {
  std::string pairing;        // a `pairing_mark`
  std::vector<Decision> all;  // as they came; one id can be there several times

  bool operator==(const Decisions&) const = default;
};

inline constexpr std::string_view kDecisionsFormat = "abgleich.decisions/1";
/// The field of the address that says the format. The pairing's is also the word of the file's
/// second line.
inline constexpr std::string_view kFormatField = "format";
inline constexpr std::string_view kPairingField = "pairing";

/// The most bytes of such a text: more than there are on a page.
inline constexpr std::size_t kLongestDecisions = std::size_t{1} << 20U;

/// 16 hexadecimal digits that tell pairings apart. They are made of the lineage, which is a random
/// number and is not found again from them.
std::string pairing_mark(std::string_view lineage);

/// `file`: its name, for messages. Throws Failure{usage} for a text that is neither a file of
/// decisions nor the page's address, or has a line that cannot be read; then nothing of it counts.
Decisions parse_decisions(std::string_view text, std::string_view file);

}  // namespace abgleich::journal
