#include "sync/verify.hpp"

#include "db/retry.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/audit.hpp"
#include "journal/latch.hpp"
#include "mask/keyring.hpp"
#include "sync/evidence.hpp"
#include "sync/exported.hpp"
#include "sync/plan.hpp"
#include "sync/proof.hpp"
#include "sync/recover.hpp"
#include "sync/schema.hpp"
#include "sync/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

using merge::Standing;

constexpr std::int64_t kProgressEvery = 10'000;

/// Judges the rows of one staged table.
class Verifier {
 public:
  Verifier(db::Target& target, const ExportedTable& exported, merge::Trust trust,
           const OnDifference& on_difference, Progress& progress)
      : target_(target),
        exported_(exported),
        witness_(target, exported, trust),
        on_difference_(on_difference),
        progress_(progress) {
    counts_.table = exported.table->name;
  }

  report::VerifiedTable run(const Staged& staged) {
    const auto& relation = exported_.relation;
    const auto known = [this](db::Pair& pair) { take(pair, PrimarySide::known); };
    const auto held = [this](db::Pair& pair) { take(pair, PrimarySide::held); };
    target_.staged_pairs(relation, known);
    if (staged.nameless > 0) {
      // any of them may be the row whose key cannot be known
      target_.missing_pairs(relation, held);
    } else {
      target_.missing_pairs(relation, known);
    }
    target_.held_pairs(relation, [this](db::Pair& pair) {
      // that they are held back is told, once each, by what was found in quarantine
      if (witness_.explain(pair, PrimarySide::held).row == Standing::unexplained) {
        take(pair, PrimarySide::held);
      }
    });
    target_.secondary_only(relation, known);
    return counts_;
  }

 private:
  void take(db::Pair& pair, PrimarySide side) {
    if (++rows_ % kProgressEvery == 0) {
      progress_.at("verify", counts_.table, rows_);
    }
    const auto& explanation = witness_.explain(pair, side);
    ++counts_.rows.at(static_cast<std::size_t>(explanation.row));
    if (explanation.row != Standing::agrees) {
      on_difference_(difference(pair, explanation));
    }
  }

  [[nodiscard]] report::Difference difference(const db::Pair& pair,
                                              const merge::Explanation& explanation) const {
    const auto& relation = exported_.relation;
    report::Difference difference{.table = counts_.table, .standing = explanation.row};
    for (const auto i : relation.key) {
      difference.key.emplace_back(relation.columns[i].name, pair.primary.cells[i]);
    }
    const bool primary = pair.primary_cells.has_value();
    const bool both = primary && pair.in_secondary;
    for (std::size_t i = 0; i < relation.columns.size() && (primary || pair.in_secondary); ++i) {
      const auto standing = both ? explanation.cells[i] : explanation.row;
      if (both && standing == Standing::agrees) {
        continue;
      }
      report::DifferentCell cell{.column = relation.columns[i].name, .standing = standing};
      if (primary) {
        cell.primary = pair.primary.cells[i];
      }
      if (pair.in_secondary) {
        cell.secondary = pair.secondary.cells[i];
      }
      difference.cells.push_back(std::move(cell));
    }
    return difference;
  }

  db::Target& target_;
  const ExportedTable& exported_;
  RowWitness witness_;
  const OnDifference& on_difference_;
  Progress& progress_;
  report::VerifiedTable counts_;
  std::int64_t rows_ = 0;
};

/// The rows that are held back, each once.
void tell_quarantine(db::Target& target, const std::vector<ExportedTable>& tables,
                     const OnDifference& on_difference, report::Verification& verification) {
  target.books().found_quarantines([&](const db::QuarantineRow& row) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
      if (tables[i].relation.id != row.tracked) {
        continue;
      }
      auto& counts = verification.tables[i];
      counts.rows.at(static_cast<std::size_t>(Standing::quarantined)) += row.rows;
      auto change = change_of(counts.table, row);
      on_difference({.table = counts.table,
                     .key = std::move(change.key),
                     .standing = Standing::quarantined,
                     .reason = std::move(change.reason)});
    }
  });
}

/// What the latch has to do with it, and the severest code.
void settle(const Pairing& pairing, report::Verification& verification) {
  for (const auto& table : verification.tables) {
    if (table.of(Standing::unexplained) > 0 && verification.damage.empty()) {
      verification.damage.push_back({.table = table.table,
                                     .what = "rows are there that nothing explains",
                                     .hint = "abgleich verify --repair-base --reason TEXT"});
    }
  }
  for (const auto& event : verification.drift) {
    if (event.verdict == drift::Verdict::block) {
      verification.code = Code::drift_decision;
    }
  }
  if (verification.damage.empty()) {
    journal::clear_latch(pairing.config.state_directory);
    return;
  }
  verification.code = Code::integrity;
  journal::set_latch(pairing.config.state_directory, verification.damage);
}

report::Verification attempt(const Pairing& pairing, const mask::Keyring& keyring,
                             Progress& progress, const OnDifference& on_difference) {
  report::Verification verification;
  db::Source source(pairing.config.primary);
  const auto& primary = source.fence(readings_of(pairing.contract));
  verification.drift = drift_events(pairing, primary);

  db::Target target(pairing.config.secondary, db::Mode::dry);
  const auto head = recover(pairing, target, keyring, primary.identity, report::Run::dry);
  const auto tracked = known_tables(target);
  const auto bases = look_at_bases(target, tracked);
  verification.damage = bases.damage;
  if (head) {
    auto found = journal::audit(target.books(), *head);
    std::ranges::move(found, std::back_inserter(verification.damage));
  }
  if (!verification.damage.empty()) {
    // at once: whatever happens to the reading of the rows, no run may go on
    journal::set_latch(pairing.config.state_directory, verification.damage);
  }

  weigh(verification.drift, pairing, tracked, primary, Belief::proven, {});
  auto tables = export_tables(pairing.contract, primary, verification.drift, tracked, keyring);
  (void)bring_schema(pairing, target, tables, report::Run::dry);
  target.books().begin_findings();
  for (const auto& exported : tables) {
    target.prepare(exported.relation);
    const auto staged = stage_table(source, target, exported, keyring, progress);
    verification.tables.push_back(
        Verifier(target, exported, bases.of(exported.relation.id), on_difference, progress)
            .run(staged));
  }
  tell_quarantine(target, tables, on_difference, verification);
  for (const auto& table : pairing.contract.tables) {
    if (std::ranges::find(verification.tables, table.name, &report::VerifiedTable::table) ==
        verification.tables.end()) {
      verification.notes.push_back(fmt::format(
          "table '{}' was not verified: drift blocks it; see: abgleich drift", table.name));
    }
  }
  settle(pairing, verification);
  return verification;
}

}  // namespace

report::Verification verify(const Pairing& pairing, Progress& progress,
                            const OnDifference& on_difference) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  return db::with_retries([&] { return attempt(pairing, keyring, progress, on_difference); });
}

bool differs(const report::Verification& verification) {
  return std::ranges::any_of(verification.tables, [](const report::VerifiedTable& table) {
    return table.of(Standing::pending) + table.of(Standing::unexplained) > 0;
  });
}

}  // namespace abgleich::sync
