// Reports what leaves in which class, and how many subjects of the secondary share the values that
// could identify them.
#pragma once

#include "report/privacy.hpp"
#include "sync/pairing.hpp"

namespace abgleich::sync {

/// Reads contract, accepted catalogue, key and secondary, never the primary. The result contains no
/// value of either database. Writes nothing.
report::Privacy privacy(const Pairing& given);

}  // namespace abgleich::sync
