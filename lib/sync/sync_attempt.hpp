// One attempt at the main job, a step a function; `run` in sync.cpp has their order.
#pragma once

#include "db/bookkeeping/books.hpp"
#include "db/primary/source.hpp"
#include "report/change.hpp"
#include "sync/detect/value_check.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/merge/plan.hpp"
#include "sync/options.hpp"
#include "sync/pairing.hpp"
#include "sync/progress.hpp"
#include "sync/rotate/rotate.hpp"
#include "sync/run/apply.hpp"
#include "sync/run/detect.hpp"
#include "sync/run/schema.hpp"
#include "sync/run/writing_run.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace abgleich::sync {

/// What the attempts of one run have found out, for those that follow.
struct Learned {
  CacheUse cache = CacheUse::read_and_write;
  std::optional<Rotation> rotation{};       // the key's new epoch came first, in a run of its own
  std::vector<ValueMismatch> mismatches{};  // what the data contradicts
  std::vector<std::string> remarks{};
};

class SyncAttempt {
 public:
  /// Opens the primary. Everything outlives this.
  SyncAttempt(const WritingRun& frame, const Options& options, Learned& learned,
              Progress& progress);

  /// Locks, looks where the secondary stands, and brings in a key that was rotated: that is a run
  /// of its own, after which another attempt begins.
  void look();
  /// What drift, identities and the bookkeeping leave of the contract's tables.
  void export_tables();
  /// Makes or adapts the secondary's tables. Returns the result of a run that may not.
  [[nodiscard]] std::optional<report::Outcome> bring_schema();
  /// Reads, masks, stages, and merges into plans. Begins again where the data contradicts what
  /// was assumed.
  void detect_and_plan();
  /// Refuses what passes the limits.
  void judge();
  void apply();
  /// The books of a real run, its commit, and what is kept; of a dry one, what it would have done.
  void commit(const OnChange& on_change);
  void tell(const OnCounts& on_counts, const OnChange& on_change);

  /// The result, with the counts. To be asked last.
  [[nodiscard]] report::Outcome outcome();

 private:
  /// Ends the run; `diff` looks beyond it, and says so.
  void refuse(const Error& error);
  [[nodiscard]] Primary primary();

  const WritingRun& frame_;
  const Options& options_;
  Learned& learned_;
  Progress& progress_;
  report::Outcome outcome_;
  db::Source source_;
  const Catalog& live_;
  std::optional<RunAttempt> attempt_;
  std::vector<db::TrackedRow> tracked_;
  std::optional<Pairing> pairing_;       // with every identity settled
  std::vector<ExportedTable> exported_;  // until they are located
  Schema schema_;
  std::optional<Detection> detection_;
  std::vector<Judged> judged_;
  std::set<std::string> emptied_;
};

}  // namespace abgleich::sync
