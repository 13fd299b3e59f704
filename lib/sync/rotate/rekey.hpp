// `abgleich rekey`: for a table whose key in the contract is not the one by which the secondary
// knows its rows. In one transaction and as a run of its own, every row gets its new key. Edits,
// conflicts, the journal and the number of rows stay as they are.
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
  std::int64_t rows = 0;              // of the secondary whose key columns changed
  std::vector<std::string> left;      // see `lay_down_data`
};

/// `table`: its name in the contract. Throws Failure where not every row can get its new key; then
/// nothing has changed.
RekeyReport rekey(const Pairing& pairing, const std::string& table, const std::string& reason,
                  Progress& progress);

/// What the run did, for people.
std::string text_of(const RekeyReport& report);

}  // namespace abgleich::sync
