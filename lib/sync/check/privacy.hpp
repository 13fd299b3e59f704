// What leaves in which class, and how many subjects of the secondary share what could tell who they
// are.
#pragma once

#include "report/privacy.hpp"
#include "sync/pairing.hpp"

namespace abgleich::sync {

/// Reads contract, accepted catalogue, key and secondary; never the primary, and no value of either
/// is in the result. Writes nothing.
report::Privacy privacy(const Pairing& given);

}  // namespace abgleich::sync
