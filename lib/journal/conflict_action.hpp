// What was to be done to a row when a conflict came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace abgleich::journal {

enum class ConflictAction : std::uint8_t {
  insert,  // a constraint of the secondary refuses it; so with the next two
  update,
  remove,
  partly,  // of a run that was taken back: only the next run knows the primary's side of it whole
};
/// The word in the bookkeeping. Empty: there is no such action.
std::string_view name_of(ConflictAction action);
std::optional<ConflictAction> conflict_action_from(std::string_view name);

}  // namespace abgleich::journal
