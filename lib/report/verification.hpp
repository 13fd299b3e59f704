// What `verify` found: plain data for the printers.
#pragma once

#include "core/error.hpp"
#include "core/value.hpp"
#include "drift/drift.hpp"
#include "journal/audit.hpp"
#include "merge/verify.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::report {

/// One cell that does not agree, in the secondary's terms; a side that does not have the row has no
/// value.
struct DifferentCell {
  std::string column;
  std::optional<Value> primary;
  std::optional<Value> secondary;
  merge::Standing standing = merge::Standing::unexplained;
};

/// One row that does not agree.
struct Difference {
  std::string table;
  std::vector<std::pair<std::string, Value>> key;
  merge::Standing standing = merge::Standing::unexplained;
  std::vector<DifferentCell> cells;
  std::string reason;  // of a row that is held back
};

/// The rows of one table, each counted once.
struct VerifiedTable {
  std::string table;
  std::array<std::int64_t, merge::kStandings> rows{};

  [[nodiscard]] std::int64_t of(merge::Standing standing) const {
    return rows.at(static_cast<std::size_t>(standing));
  }
};

struct Verification {
  std::vector<VerifiedTable> tables;
  std::vector<state::Damage> damage;
  std::vector<drift::Event> drift;
  std::vector<std::string> notes;  // for people, to stderr
  Code code = Code::done;          // integrity, drift_decision or done
};

/// What a repair of the base did.
struct Repair {
  std::optional<std::string> run;  // empty: there was nothing to repair
  std::int64_t rewritten = 0;
  std::int64_t removed = 0;
  std::int64_t journals = 0;  // runs whose changes are no longer kept
};

/// What laying the rows down anew did.
struct LaidDown {
  std::string run;
  std::int64_t tables = 0;
  std::vector<std::string> left;  // statements that the tables' owners have to run
};

}  // namespace abgleich::report
