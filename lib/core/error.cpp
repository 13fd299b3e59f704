#include "core/error.hpp"

#include <array>
#include <utility>

namespace abgleich {

namespace {

// From harmless to severe. A refusal outweighs whatever was applied, an unknown outcome outweighs a
// refusal, and damage outweighs everything but a bug of our own.
constexpr std::array kBySeverity{
    Code::done,
    Code::differences,
    Code::quarantine_or_drift,
    Code::conflicts_open,
    Code::locked,
    Code::paused,
    Code::overdue,
    Code::drift_decision,
    Code::try_again,
    Code::out_of_space,
    Code::secondary_refuses,
    Code::source_incomplete,
    Code::limit,
    Code::other_primary,
    Code::other_secondary,
    Code::bundle_refused,
    Code::key_or_trust,
    Code::usage,
    Code::configuration,
    Code::outcome_unknown,
    Code::integrity,
    Code::bug,
};

std::size_t severity(Code code) {
  std::size_t rank = 0;
  while (rank < kBySeverity.size() && kBySeverity.at(rank) != code) {
    ++rank;
  }
  return rank;
}

}  // namespace

Code severer(Code a, Code b) {
  return severity(a) >= severity(b) ? a : b;
}

Failure::Failure(Error error) : error_(std::move(error)) {}

Failure::Failure(Code code, std::string message, std::string hint)
    : error_{.code = code, .message = std::move(message), .hint = std::move(hint)} {}

}  // namespace abgleich
