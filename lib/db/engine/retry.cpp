#include "db/engine/retry.hpp"

#include "db/engine/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace abgleich::db {

namespace {

/// The first pause is a hundredth of Patience::in_all, and each is three times as long as the one
/// before. All four together are four tenths of it.
constexpr int kFirstPause = 100;
constexpr int kGrowth = 3;

}  // namespace

bool may_pass(const Fault& fault) {
  return fault.cause() == Fault::Cause::serialization ||
         std::ranges::any_of(engines(), [&](const EngineTraits& engine) {
           return backend(engine.engine).may_pass(fault.state());
         });
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
