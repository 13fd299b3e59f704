// What a run was about to do to a row when a conflict came up.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace abgleich::journal {

enum class ConflictAction : std::uint8_t {
  insert,  // this and the next two: a constraint of the secondary refuses it
  update,
  remove,
  partly,  // from a revert: only the next run reads the primary's whole row
};
/// The word in the bookkeeping. Empty: there is no such action.
std::string_view name_of(ConflictAction action);
std::optional<ConflictAction> conflict_action_from(std::string_view name);

}  // namespace abgleich::journal
