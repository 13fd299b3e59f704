#include "report/change.hpp"

#include <array>

namespace abgleich::report {

namespace {

constexpr std::array<std::string_view, 6> kFates{"insert",   "update",     "delete",
                                                 "conflict", "quarantine", "keep"};
constexpr std::array<std::string_view, 4> kResults{"applied", "unchanged", "refused", "failed"};

}  // namespace

std::string_view name_of(Fate fate) {
  return kFates.at(static_cast<std::size_t>(fate));
}
std::string_view name_of(Result result) {
  return kResults.at(static_cast<std::size_t>(result));
}

std::string settled_by(const Change& change) {
  const auto& kind = change.obstacle;
  if (kind.empty()) {
    return {};
  }
  if (change.action == journal::ConflictAction::remove) {
    return "when what refers to the row in the secondary is gone or refers to another; or keep the "
           "row: --take secondary";
  }
  if (kind == "waits") {
    return "when the conflict of the row that it refers to is decided";
  }
  if (kind == "foreign_key") {
    return "when the row that it refers to is in the secondary; or set another: --set COLUMN=VALUE";
  }
  if (kind == "unique" || kind == "exclusion") {
    return "when one of the two rows has another value, here or in the primary; or set one: --set "
           "COLUMN=VALUE";
  }
  return "when the value is another in the primary, or the secondary takes it; or set one: --set "
         "COLUMN=VALUE";
}

}  // namespace abgleich::report
