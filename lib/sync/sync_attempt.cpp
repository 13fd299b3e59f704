#include "sync/sync_attempt.hpp"

#include "contract/tokens.hpp"
#include "core/clock.hpp"
#include "drift/drift.hpp"
#include "journal/head.hpp"
#include "sync/detect/same_values.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/accepted.hpp"
#include "sync/run/commit.hpp"
#include "sync/run/first_load.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/limits.hpp"
#include "sync/run/rare_keys.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/unknown_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::sync {

namespace {

/// Puts what the run's options say about merging into the tables' rules.
void choose_rules(const Options& options, std::vector<ExportedTable>& tables) {
  for (auto& exported : tables) {
    exported.rules.adopt = options.adopt;
    exported.rules.reassert =
        exported.rules.reassert ||
        (options.full && std::ranges::any_of(exported.rules.cells, [](const auto& cell) {
           return cell.owner == merge::Owner::primary;
         }));
  }
}

std::vector<std::int64_t> numbers_of(const std::vector<LocatedTable>& tables) {
  std::vector<std::int64_t> numbers;
  numbers.reserve(tables.size());
  for (const auto& exported : tables) {
    numbers.push_back(exported.relation.id);
  }
  return numbers;
}

/// Collects the keys of rare rows. If that fails, the run goes on: the reason is returned.
std::optional<std::string> collect(RareKeys& keys, const std::vector<LocatedTable>& tables,
                                   const std::vector<Judged>& judged) {
  try {
    keys.collect(tables, judged);
    return std::nullopt;
  } catch (const state::CacheUnusable& unusable) {
    return std::string(unusable.what()) + "; the quarantine will not name the rare rows";
  }
}

}  // namespace

SyncAttempt::SyncAttempt(const WritingRun& frame, const Options& options, Learned& learned,
                         Progress& progress)
    : frame_(frame),
      options_(options),
      learned_(learned),
      progress_(progress),
      outcome_{.started = now_utc(), .kind = options.kind},
      source_(frame.pairing().config.primary, filters_of(frame.pairing().contract)),
      live_(source_.lock_schema(readings_of(frame.pairing().contract))) {
  outcome_.drift = drift_events(frame.pairing(), live_);
  contract::read_issued(frame.pairing().contract);
}

Primary SyncAttempt::primary() {
  return {.identity = live_.identity, .position = source_.lasting_position()};
}

void SyncAttempt::refuse(const Error& error) {
  if (!options_.beyond_refusal) {
    throw Failure(error);
  }
  outcome_.notes.push_back("sync would refuse this: " + error.message);
}

void SyncAttempt::look() {
  attempt_.emplace(frame_, outcome_.started);
  auto& target = attempt_->target();
  const auto old_epoch =
      options_.kind == report::Run::real ? epoch_to_rotate(target, frame_.keyring()) : std::nullopt;
  if (old_epoch) {
    learned_.rotation = rotate(frame_, *attempt_, source_, *old_epoch, options_.refill, progress_);
    throw StartAgain();  // what this attempt has found is out of date
  }
  const auto& head = attempt_->look(primary_of(source_));
  if (!head) {
    refuse_same_database(frame_.pairing(), live_, target);
  }
  check_books(target, head);
  if (head && head->paused) {
    outcome_.notes.push_back("paused: " + *head->paused + "; sync goes on after: abgleich resume");
  }
}

void SyncAttempt::export_tables() {
  auto& target = attempt_->target();
  const auto& keyring = frame_.keyring();
  tracked_ = known_tables(target);
  pairing_ = settle_identities(frame_.pairing(), live_, tracked_);
  judge_by_values(outcome_.drift, *pairing_, source_, target, keyring);
  refuse_unknown_names(*pairing_, live_, target, tracked_);
  assume_types(outcome_.drift, *pairing_, tracked_, live_, Assumption::until_compared,
               learned_.mismatches);
  exported_ = sync::export_tables(pairing_->contract, live_, outcome_.drift, tracked_, keyring);
  if (const auto wider = refuse_widening(*pairing_, target, attempt_->head(), keyring, live_)) {
    refuse(*wider);
  }
  keep_chosen(options_.tables, exported_);
  std::ranges::move(find_secondary_drift(*pairing_, target, options_.refill, exported_),
                    std::back_inserter(outcome_.drift));
  choose_rules(options_, exported_);
}

std::optional<report::Outcome> SyncAttempt::bring_schema() {
  schema_ = sync::bring_schema(*pairing_, attempt_->target(), std::move(exported_), options_.kind);
  if (schema_.refused.empty()) {
    return std::nullopt;
  }
  if (!options_.beyond_refusal) {
    return refuse_for_schema(schema_, std::move(outcome_));
  }
  refuse(*refuse_for_schema(schema_, {}).error);
  return std::nullopt;
}

void SyncAttempt::detect_and_plan() {
  auto& target = attempt_->target();
  const auto id_key = frame_.keyring().purpose_key("conflict-id");
  const auto believed = learned_.mismatches.size();
  detection_.emplace(*pairing_, options_, frame_.keyring(), attempt_->head(), learned_.cache);
  Detection::look_ahead(source_, schema_.tables);
  auto loaded = load_first(source_, target, schema_.tables, options_, *detection_, progress_);
  if (const auto& why = loaded.rows_not_kept; !why.empty()) {
    outcome_.notes.push_back("the rows of a first load could not wait here to be sorted (" + why +
                             "), so the secondary has sorted them, and every table was read twice");
  }
  if (loaded.tables) {
    judged_ = std::move(*loaded.tables);
  } else {
    target.books().begin_findings();
    target.books().look_at_bases(numbers_of(schema_.tables));
    for (const auto& exported : schema_.tables) {
      auto& table = target.prepare(exported.located());
      const auto staged = detection_->stage(source_, table, exported, progress_);
      find_mismatches(table, exported, staged, *pairing_, outcome_.drift, learned_.mismatches);
      judged_.push_back(plan_or_wait(table, exported, staged, id_key, options_, progress_));
    }
  }
  if (learned_.mismatches.size() > believed) {
    throw StartAgain();  // the data contradicts what this attempt has assumed
  }
  fill_empty(schema_.tables, id_key, progress_, judged_);
  if (auto why = source_.shortfall(); !why.empty()) {
    outcome_.remarks.push_back(std::move(why));
  }
  source_.finish();
}

void SyncAttempt::judge() {
  emptied_ = known_emptied(attempt_->target());
  if (const auto over = judge_limits(*pairing_, options_, emptied_, judged_)) {
    refuse(*over);
  }
}

void SyncAttempt::apply() {
  auto& target = attempt_->target();
  count_quarantine(target, schema_.tables, judged_);
  apply_plans(target, schema_.tables, judged_, frame_.keyring().purpose_key("conflict-id"));
  record_rarity(target, schema_.tables, judged_);
}

void SyncAttempt::commit(const OnChange& on_change) {
  auto& target = attempt_->target();
  const auto& keyring = frame_.keyring();
  const auto epoch = attempt_->epoch();
  remember_accepted(*pairing_, target, live_, epoch);
  remember_emptied(options_, emptied_, judged_, epoch, target);
  bring_constraints(*pairing_, target, schema_);
  RareKeys rare_keys(*pairing_, keyring);
  if (const auto why = collect(rare_keys, schema_.tables, judged_)) {
    outcome_.remarks.push_back(*why);
  }
  const auto read = primary();
  finish_run({.pairing = *pairing_,
              .keyring = keyring,
              .attempt = *attempt_,
              .primary = read,
              .live = live_,
              .options = options_,
              .schema = schema_,
              .tables = schema_.tables,
              .judged = judged_},
             *detection_, on_change, outcome_);
  rare_keys.keep();
  if (const auto why = detection_->keep()) {
    outcome_.remarks.push_back(*why + "; the next run compares every row");
  }
}

void SyncAttempt::tell(const OnCounts& on_counts, const OnChange& on_change) {
  if (on_counts) {
    report::Outcome counts{.kind = report::Run::dry};
    for (const auto& table : judged_) {
      counts.tables.push_back(table.counts);
    }
    on_counts(counts);
  }
  if (options_.detail == Detail::changes) {
    sync::tell(attempt_->target(), schema_.tables, judged_, on_change);
  }
  count_findings(judged_, outcome_);
}

report::Outcome SyncAttempt::outcome() {
  sum_up(judged_, outcome_);
  return std::move(outcome_);
}

}  // namespace abgleich::sync
