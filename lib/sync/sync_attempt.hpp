// One attempt of a run, with a function for each step; `carry_out` in sync.cpp has their order.
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

/// What earlier attempts of a run have found out, for the later ones.
struct Learned {
  CacheUse cache = CacheUse::read_and_write;
  std::optional<Rotation> rotation{};       // of the key, where it came first, as a run of its own
  std::vector<ValueMismatch> mismatches{};  // hypotheses that the data contradicts
  std::vector<std::string> remarks{};
};

class SyncAttempt {
 public:
  /// Opens the primary and locks its schema. The arguments must outlive this.
  SyncAttempt(const WritingRun& frame, const Options& options, Learned& learned,
              Progress& progress);

  /// Locks the head and checks where the secondary stands. If the key was rotated, applies the
  /// rotation, which is a run of its own, and throws StartAgain.
  void look();
  /// Finds out which tables of the contract this run reads, and how; drift can block some of them.
  /// Refuses a widening.
  void export_tables();
  /// Makes or adapts the secondary's tables. Returns an outcome only if the run needs DDL that it
  /// may not execute: the run ends with it.
  [[nodiscard]] std::optional<report::Outcome> bring_schema();
  /// Reads, masks, stages, and merges into plans. Throws StartAgain if the data contradicts
  /// what was assumed.
  void detect_and_plan();
  /// Refuses the run if it would change more than the limits allow.
  void judge();
  void apply();
  /// Ends a real run: writes the bookkeeping, commits, and writes the state directory.
  void commit(const OnChange& on_change);
  /// Ends a dry run: reports what a real one would do.
  void tell(const OnCounts& on_counts, const OnChange& on_change);

  /// The result, with the counts. To be called once, as the last function.
  [[nodiscard]] report::Outcome outcome();

 private:
  /// Ends the run with this error. For `diff` (Options::beyond_refusal) it only adds a note.
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
