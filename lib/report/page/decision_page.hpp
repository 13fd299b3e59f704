// `abgleich report --decide`: the open conflicts as a form. What is chosen becomes a file of
// decisions (journal/decisions.hpp): by the page's script, or, in a browser that runs none, the
// page's address, which the form leads to.
#pragma once

#include "report/page/shown_row.hpp"
#include "report/page/words.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::report {

struct DecisionSheet {
  std::string pairing;  // its name
  std::string mark;     // of the pairing, for the decisions
  std::string made;     // UTC
  std::vector<ShownConflict> conflicts;
  std::int64_t more_conflicts = 0;  // open ones that are not among them
  /// Beside these, those about rows that are to be withdrawn because too few subjects are like
  /// them: a page that is handed round does not show them.
  std::int64_t rare_conflicts = 0;
  /// Likewise those of tables of which the contract lets other things leave than when they were
  /// found: only the next run shows what they are now.
  std::int64_t older_conflicts = 0;
};

std::string decision_page(const DecisionSheet& sheet, Language language);

}  // namespace abgleich::report
