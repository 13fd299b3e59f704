#include "db/retry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

namespace abgleich::db {

namespace {

/// SQLSTATEs (PostgreSQL manual, appendix A) of what passes; class 40 is of another cause.
constexpr std::array<std::string_view, 9> kPassing{
    "08003", "08006",           // the connection was lost
    "53300",                    // too many connections
    "55P03", "57014",           // lock_timeout; statement_timeout, or cancelled
    "57P01", "57P02", "57P03",  // shut down, crashed, starting up
    "25P03"};                   // our transaction waited for too long

/// The first pause is this part of the whole, and each is three times as long as the one before:
/// all of them together are four tenths.
constexpr int kFirstPause = 100;
constexpr int kGrowth = 3;

}  // namespace

bool may_pass(const Fault& fault) {
  return fault.cause() == Fault::Cause::serialization || fault.state().starts_with("40") ||
         std::ranges::find(kPassing, fault.state()) != kPassing.end();
}

void Retries::after(const Fault& fault) {
  if (!may_pass(fault) || (patience_.told != nullptr && *patience_.told)) {
    throw Fault(fault);
  }
  const auto now = std::chrono::steady_clock::now();
  if (++tried_ == 1) {
    first_failure_ = now;
  }
  auto pause = patience_.in_all / kFirstPause;
  for (int i = 1; i < tried_; ++i) {
    pause *= kGrowth;
  }
  if (patience_.in_all.count() == 0 || tried_ == Patience::kTries ||
      now + pause > first_failure_ + patience_.in_all) {
    if (tried_ == 1) {
      throw Fault(fault);
    }
    auto error = fault.error();
    error.message += fmt::format("; tried {} times", tried_);
    throw Failure(std::move(error));
  }
  if (patience_.on_retry) {
    patience_.on_retry(fault.error());
  }
  std::this_thread::sleep_for(pause);
}

}  // namespace abgleich::db
