#include "sync/sync.hpp"

#include "core/clock.hpp"
#include "db/engine/retry.hpp"
#include "state/row_cache.hpp"
#include "sync/run/detect.hpp"
#include "sync/run/expect_tables.hpp"
#include "sync/run/writing_run.hpp"
#include "sync/sync_attempt.hpp"

#include <string>
#include <utility>

namespace abgleich::sync {

namespace {

/// All steps of one attempt, in their order.
report::Outcome carry_out(SyncAttempt& run, report::Run kind, const OnCounts& on_counts,
                          const OnChange& on_change) {
  run.look();
  run.export_tables();
  if (auto refused = run.bring_schema()) {
    return *std::move(refused);
  }
  run.detect_and_plan();
  run.judge();
  run.apply();
  if (kind == report::Run::real) {
    run.commit(on_change);
  } else {
    run.tell(on_counts, on_change);
  }
  return run.outcome();
}

/// Makes the next attempt use the cache less: first only write it, then not at all.
void distrust_cache(const WritingRun& frame, const state::CacheUnusable& unusable,
                    Learned& learned) {
  if (learned.cache == CacheUse::none) {
    throw Failure(Code::bug, unusable.what());
  }
  learned.remarks.push_back(std::string(unusable.what()) + "; it was not used");
  if (frame.kind() == report::Run::real) {
    Detection::cache_of(frame.pairing(), frame.keyring()).clear();
  }
  learned.cache = learned.cache == CacheUse::read_and_write ? CacheUse::write : CacheUse::none;
}

/// Whether an error with this code says that nothing in the secondary has changed.
bool says_untouched(Code code) {
  return code >= Code::limit && code <= Code::out_of_space;
}

/// The result of a run that has committed the key's new epoch and then failed. The error alone
/// would say that nothing was changed, which is not true.
report::Outcome only_rotated(const Rotation& rotation, const Error& error) {
  report::Outcome outcome{
      .run = rotation.run, .result = report::Result::applied, .code = Code::quarantine_or_drift};
  outcome.notes.push_back(text_of(rotation));
  outcome.notes.push_back("the rows of the primary were not compared after it: " + error.message);
  outcome.notes.emplace_back(
      "run the same command again to do so; it will say what to do if that "
      "fails once more");
  return outcome;
}

}  // namespace

report::Outcome run(const Pairing& pairing, const Options& options, Progress& progress,
                    const OnChange& on_change) {
  return run_counted(pairing, options, progress, {}, on_change);
}

report::Outcome run_counted(const Pairing& pairing, const Options& options, Progress& progress,
                            const OnCounts& on_counts, const OnChange& on_change) {
  expect_tables(pairing.contract);
  const WritingRun frame(pairing, {.kind = options.kind, .on_lock = options.on_lock});
  Learned learned;
  bool told = false;
  const auto telling = [&](const report::Change& change) {
    told = true;
    on_change(change);
  };
  const OnCounts counting = [&](const report::Outcome& counts) {
    told = true;
    on_counts(counts);
  };
  const db::Patience patience{
      .in_all = pairing.config.retry_for, .told = &told, .on_retry = [&](const Error& error) {
        learned.remarks.push_back(error.message + "; it was tried again");
      }};
  try {
    auto outcome = frame.attempts(patience, [&] {
      try {
        SyncAttempt attempt(frame, options, learned, progress);
        return carry_out(attempt, options.kind, on_counts ? counting : OnCounts(), telling);
      } catch (const state::CacheUnusable& unusable) {
        distrust_cache(frame, unusable, learned);
        throw StartAgain();
      }
    });
    if (learned.rotation) {
      outcome.notes.insert(outcome.notes.begin(), text_of(*learned.rotation));
    }
    outcome.remarks.insert(outcome.remarks.begin(), learned.remarks.begin(), learned.remarks.end());
    return outcome;
  } catch (const Failure& failure) {
    // an unknown outcome, damage or a bug is reported as it is
    if (!learned.rotation || !says_untouched(failure.error().code)) {
      throw;
    }
    return only_rotated(*learned.rotation, failure.error());
  }
}

}  // namespace abgleich::sync
