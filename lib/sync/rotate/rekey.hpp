// `abgleich rekey`: a table whose contract names another key than the one by which the secondary
// knows its rows. In one transaction and as a run of its own every row gets its new key; edits,
// conflicts, the journal and the number of rows stay what they are.
#pragma once

#include "sync/pairing.hpp"
#include "sync/progress.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::sync {

struct RekeyReport {
  std::string run;
  std::string table;
  std::vector<std::string> was, now;  // the key's columns, in the primary
  std::int64_t rows = 0;              // of the secondary whose new key was not there yet
  std::vector<std::string> left;      // see `lay_down_data`
};

/// `table`: its name in the contract. Throws Failure where it cannot be done whole: nothing has
/// changed then.
RekeyReport rekey(const Pairing& pairing, const std::string& table, const std::string& reason,
                  Progress& progress);

/// What it did, for people.
std::string text_of(const RekeyReport& report);

}  // namespace abgleich::sync
