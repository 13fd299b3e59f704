// `abgleich privacy --erased`: the proof that a person who was deleted in the primary is gone, or
// where the pseudonym still stands and until when.
#pragma once

#include "sync/pairing.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::sync {

/// Whether backups are restored and searched too, one after the other, or only named.
enum class SearchBackups : std::uint8_t { no, yes };

struct Place {
  std::string where;      // "table person", "journal", "reveal.log", "backup /…"
  std::int64_t rows = 0;  // rows, entries or lines; 0: not known
  std::string until;      // when it is gone from there, and by what
  bool certain = true;    // false: it may be there, and nobody has looked
};

struct Erased {
  std::string pseudonym;
  std::vector<Place> places;        // empty: it is gone
  std::vector<std::string> looked;  // where it was looked for
};

/// Looks in the data tables of the contract, in every record of the bookkeeping, in the files of
/// the state directory that can have a pseudonym, and names the backups that were made here and
/// still exist. Writes nothing. Throws Failure{usage} for a text that is no pseudonym of the key's
/// epoch.
Erased look_for(const Pairing& pairing, const std::string& pseudonym, SearchBackups backups);

}  // namespace abgleich::sync
