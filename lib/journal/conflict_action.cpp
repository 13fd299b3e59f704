#include "journal/conflict_action.hpp"

namespace abgleich::journal {

std::string_view name_of(ConflictAction action) {
  switch (action) {
    case ConflictAction::insert:
      return "insert";
    case ConflictAction::update:
      return "update";
    case ConflictAction::remove:
      return "delete";
    case ConflictAction::partly:
      return "partly";
  }
  return {};
}

std::optional<ConflictAction> conflict_action_from(std::string_view name) {
  for (const auto action : {ConflictAction::insert, ConflictAction::update, ConflictAction::remove,
                            ConflictAction::partly}) {
    if (name == name_of(action)) {
      return action;
    }
  }
  return std::nullopt;
}

}  // namespace abgleich::journal
