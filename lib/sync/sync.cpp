#include "sync/sync.hpp"

#include "db/retry.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "drift/drift.hpp"
#include "journal/head.hpp"
#include "journal/state.hpp"
#include "mask/keyring.hpp"
#include "sync/accepted.hpp"
#include "sync/apply.hpp"
#include "sync/commit.hpp"
#include "sync/detect.hpp"
#include "sync/exported.hpp"
#include "sync/first_load.hpp"
#include "sync/leaving.hpp"
#include "sync/limits.hpp"
#include "sync/proof.hpp"
#include "sync/rare_keys.hpp"
#include "sync/recover.hpp"
#include "sync/rotate.hpp"
#include "sync/same_values.hpp"
#include "sync/schema.hpp"
#include "sync/secondary_drift.hpp"
#include "sync/settle_identities.hpp"
#include "sync/unknown_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace abgleich::sync {

namespace {

/// What this run's options say about merging.
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

/// Ends the run; `diff` looks beyond it, and says so.
void refuse(const Error& error, const Options& options, report::Outcome& outcome) {
  if (!options.beyond_refusal) {
    throw Failure(error);
  }
  outcome.notes.push_back("sync would refuse this: " + error.message);
}

/// Why the keys of rows that are rare could not be kept, which is no reason to stop.
std::optional<std::string> collect(RareKeys& keys, db::Target& target,
                                   const std::vector<ExportedTable>& tables,
                                   const std::vector<Judged>& judged) {
  try {
    keys.collect(target, tables, judged);
    return std::nullopt;
  } catch (const journal::CacheUnusable& unusable) {
    return std::string(unusable.what()) + "; quarantine will not say who is rare";
  }
}

/// Empty: the run is to be made again. The key's new epoch came first, in a run of its own, and
/// what this one found is out of date; or the data does not bear out what this one has believed.
std::optional<report::Outcome> attempt(const Pairing& given, const Options& options,
                                       const mask::Keyring& keyring, CacheUse use,
                                       Progress& progress, const OnChange& on_change,
                                       std::optional<Rotation>& rotated,
                                       std::vector<Doubt>& doubts) {
  const auto believed = doubts.size();
  report::Outcome outcome{.started = journal::now_utc(), .kind = options.kind};
  const bool real = options.kind == report::Run::real;

  db::Source source(given.config.primary);
  const auto& primary = source.fence(readings_of(given.contract));
  outcome.drift = drift_events(given, primary);

  db::Target target(given.config.secondary, real ? db::Mode::real : db::Mode::dry);
  const auto old_epoch = real ? epoch_to_rotate(target, keyring) : std::nullopt;
  if (old_epoch) {
    rotated = rotate(given, source, target, keyring, *old_epoch, options.refill, progress);
    return std::nullopt;
  }
  const auto head = recover(given, target, keyring, primary_of(source), options.kind);
  if (!head) {
    refuse_same_database(given, primary, target);
  }
  check_books(target, head);
  if (head && head->paused) {
    outcome.notes.push_back("paused: " + *head->paused + "; sync goes on after: abgleich resume");
  }

  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, primary, tracked);
  weigh_values(outcome.drift, pairing, source, target, keyring);
  refuse_unknown_names(pairing, primary, target, tracked);
  weigh(outcome.drift, pairing, tracked, primary, Belief::on_trial, doubts);
  auto tables = export_tables(pairing.contract, primary, outcome.drift, tracked, keyring);
  if (const auto wider = refuse_widening(pairing, target, head, keyring)) {
    refuse(*wider, options, outcome);
  }
  keep_chosen(options.tables, tables);
  std::ranges::move(find_secondary_drift(pairing, target, options.refill, tables),
                    std::back_inserter(outcome.drift));
  choose_rules(options, tables);
  auto schema = bring_schema(pairing, target, tables, options.kind);
  if (!schema.refused.empty()) {
    if (!options.beyond_refusal) {
      return refuse_for_schema(schema, std::move(outcome));
    }
    refuse(*refuse_for_schema(schema, {}).error, options, outcome);
  }

  Detection detection(pairing, options, keyring, head, use);
  const auto id_key = keyring.purpose_key("conflict-id");
  auto loaded = load_first(source, target, tables, options, detection, progress);
  auto judged = loaded ? std::move(*loaded) : std::vector<Judged>{};
  if (const auto& why = target.rows_not_kept(); !why.empty()) {
    outcome.notes.push_back("the rows of a first load could not wait here to be sorted (" + why +
                            "), so the secondary has sorted them, and every table was read twice");
  }
  if (!loaded) {
    target.books().begin_findings();
    for (const auto& exported : tables) {
      target.prepare(exported.relation);
      const auto staged = detection.stage(source, target, exported, progress);
      find_doubts(target, exported, staged, pairing, outcome.drift, doubts);
      judged.push_back(plan_or_wait(target, exported, staged, id_key, options, progress));
    }
  }
  if (doubts.size() > believed) {
    return std::nullopt;
  }
  fill_empty(target, tables, id_key, progress, judged);
  if (auto why = source.shortfall(); !why.empty()) {
    outcome.remarks.push_back(std::move(why));
  }
  source.finish();
  const auto emptied = known_emptied(target);
  if (const auto over = judge_limits(pairing, options, emptied, judged)) {
    refuse(*over, options, outcome);
  }
  count_quarantine(target, tables, judged);
  apply_plans(target, tables, judged, id_key);
  record_rarity(target, tables, judged);
  if (real) {
    const auto epoch = head ? head->epoch + 1 : 1;
    remember_accepted(pairing, target, primary, epoch);
    remember_emptied(options, emptied, judged, epoch, target);
    bring_constraints(pairing, target, tables, schema);
    RareKeys rare_keys(pairing, keyring);
    if (const auto why = collect(rare_keys, target, tables, judged)) {
      outcome.remarks.push_back(*why);
    }
    finish_run(pairing, target, tables, judged, head, schema, keyring,
               {.identity = primary.identity, .position = source.lasting_position()}, options,
               detection, on_change, outcome);
    rare_keys.keep();
    if (const auto why = detection.keep()) {
      outcome.remarks.push_back(*why + "; the next run compares every row");
    }
  } else {
    if (options.detail == Detail::changes) {
      tell(target, tables, on_change);
    }
    count_findings(judged, outcome);
  }
  settle_outcome(judged, outcome);
  return outcome;
}

/// Whether a code says that the secondary is as it was.
bool says_untouched(Code code) {
  return code >= Code::limit && code <= Code::out_of_space;
}

/// Of a run that has brought the key's new epoch in, which stands, and could do nothing after it:
/// it cannot be said that nothing was changed.
report::Outcome only_rotated(const Rotation& rotation, const Error& error) {
  report::Outcome outcome{
      .run = rotation.run, .result = report::Result::applied, .code = Code::quarantine_or_drift};
  outcome.notes.push_back(text_of(rotation));
  outcome.notes.push_back("the rows of the primary were not compared after it: " + error.message);
  outcome.notes.push_back(
      "run the same command again to do so; it will say what to do if that "
      "fails once more");
  return outcome;
}

}  // namespace

report::Outcome run(const Pairing& pairing, const Options& options, Progress& progress,
                    const OnChange& on_change) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  std::optional<journal::StateLock> lock;
  if (options.kind == report::Run::real) {
    lock.emplace(pairing.config.state_directory);
    expect_unlatched(pairing, keyring);
  }
  std::optional<Rotation> rotated;
  std::vector<std::string> remarks;
  std::vector<Doubt> doubts;
  bool told = false;
  const auto telling = [&](const report::Change& change) {
    told = true;
    on_change(change);
  };
  const db::Patience patience{
      .in_all = pairing.config.retry_for, .told = &told, .on_retry = [&](const Error& error) {
        remarks.push_back(error.message + "; it was tried again");
      }};
  for (auto use = CacheUse::read_and_write;;) {
    try {
      auto outcome = db::with_retries(patience, [&] {
        return attempt(pairing, options, keyring, use, progress, telling, rotated, doubts);
      });
      if (outcome) {
        if (rotated) {
          outcome->notes.insert(outcome->notes.begin(), text_of(*rotated));
        }
        outcome->remarks.insert(outcome->remarks.begin(), remarks.begin(), remarks.end());
        return *std::move(outcome);
      }
    } catch (const journal::CacheUnusable& unusable) {
      if (use == CacheUse::none) {
        throw Failure(Code::bug, unusable.what());
      }
      remarks.push_back(std::string(unusable.what()) + "; it was not used");
      if (options.kind == report::Run::real) {
        Detection::cache_of(pairing, keyring).clear();
      }
      use = use == CacheUse::read_and_write ? CacheUse::write : CacheUse::none;
    } catch (const Failure& failure) {
      // an unknown outcome, damage or a bug is told as that
      if (!rotated || !says_untouched(failure.error().code)) {
        throw;
      }
      return only_rotated(*rotated, failure.error());
    }
  }
}

}  // namespace abgleich::sync
