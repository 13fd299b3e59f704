// Turns different spellings of one value into one normal form, before a pseudonym is made of it.
#pragma once

#include "contract/contract.hpp"
#include "mask/reason.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::mask {

/// "phone@1": a normaliser's name and version, as it is bound into the pseudonym. A new version
/// changes the pseudonyms of everything that is normalised with it. It is needed where a text that
/// was accepted gets another normal form; to accept a text that was refused needs no new version.
std::string versioned_name(contract::Normaliser normaliser);

/// Working memory of `normalise`, to be reused.
struct NormaliseScratch {
  std::vector<std::int32_t> code_points;
  std::string folded;
};

/// Writes the normal form of `text` to `out`. REQUIRES: `text` is valid UTF-8.
///
/// none   as it is
/// text   NFKC_Casefold of Unicode; white space trimmed, and runs of it one space
/// name   text, and ä, ö, ü as ae, oe, ue; all other diacritical marks removed
/// email  text, without "mailto:" in front; refused without exactly one @ with something on either
///        side, or with white space
/// phone  E.164; a number without its country is one of `country`
Reason normalise(contract::Normaliser normaliser, std::string_view text, std::string& out,
                 NormaliseScratch& scratch, std::string_view country = "DE");

}  // namespace abgleich::mask
