// Collects what the pages of `report` show.
#pragma once

#include "report/page/decision_page.hpp"
#include "report/page/overview.hpp"
#include "sync/pairing.hpp"

namespace abgleich::sync {

/// Everything that `status`, `log`, `conflicts`, `quarantine`, `drift` and `privacy` know, up to a
/// number of each. Where the primary cannot be reached, drift is unknown. Writes nothing. Throws
/// Failure{key_or_trust} where the key cannot be read: without it nothing tells what may be shown.
report::Overview overview(const Pairing& pairing);

/// The open conflicts, up to a number of them, and the mark that binds decisions to this pairing.
/// Throws Failure{usage} where the secondary has no history yet, and as `overview` does.
report::DecisionSheet decision_sheet(const Pairing& pairing);

}  // namespace abgleich::sync
