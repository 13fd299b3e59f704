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

}  // namespace abgleich::report
