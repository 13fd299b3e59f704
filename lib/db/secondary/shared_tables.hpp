// Tables that the rows of several peers come into. Each peer's pairing has books of its own; a row
// is that of the peer in whose base its key is.
#pragma once

#include "core/value.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <vector>

namespace abgleich::db {

class Target;

/// What happens where another peer's base is not there: it is refused; or, to repair our own base,
/// it is left out.
enum class OthersBases : std::uint8_t { all, as_far_as_there };

/// Adds to Relation::shared_bases where the session's books are a peer's: for the tables of these
/// names, or of those that they had before, that other peers' books name. Uses the catalogue that
/// the target has loaded. Throws Failure{configuration} where another peer has another key there,
/// or a contract would rename the table; Failure{integrity} where another peer's books are damaged;
/// Failure{other_secondary} where a table is gone in which another peer still has rows.
void find_shared_bases(Target& target, OthersBases which, std::vector<Relation>& relations);

/// Whether the row with this key is another peer's.
bool is_taken(Target& target, const Relation& relation, const Row& key);

}  // namespace abgleich::db
