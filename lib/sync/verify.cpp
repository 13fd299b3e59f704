#include "sync/verify.hpp"

#include "db/retry.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "journal/latch.hpp"
#include "mask/keyring.hpp"
#include "sync/accepted.hpp"
#include "sync/compare.hpp"
#include "sync/evidence.hpp"
#include "sync/exported.hpp"
#include "sync/lay_down.hpp"
#include "sync/plan.hpp"
#include "sync/primary_position.hpp"
#include "sync/proof.hpp"
#include "sync/recover.hpp"
#include "sync/same_values.hpp"
#include "sync/schema.hpp"
#include "sync/secondary_drift.hpp"
#include "sync/settle_identities.hpp"
#include "sync/sides.hpp"
#include "sync/stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::sync {

namespace {

using merge::Standing;

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

  /// Where only what may differ was staged, `staged` names the base's rows that may as gone.
  report::VerifiedTable run(const Staged& staged) {
    const auto& relation = exported_.relation;
    const auto known = [this](db::Pair& pair) { take(pair, PrimarySide::known); };
    const auto held = [this](db::Pair& pair) { take(pair, PrimarySide::held); };
    target_.staged_pairs(relation, known);
    if (staged.absent == Staged::Absent::named) {
      target_.gone_pairs(relation, known);
    } else if (staged.nameless > 0) {
      // any of them may be the row whose key cannot be known
      target_.missing_pairs(relation, held);
    } else {
      target_.missing_pairs(relation, known);
    }
    target_.held_pairs(relation, db::Held::rare, known);  // to be withdrawn
    target_.rare_rows(relation, [this](const db::Target::RareRow& row) {
      if (!row.in_base) {
        ++counts_.rows.at(static_cast<std::size_t>(Standing::quarantined));
        auto change = change_of(exported_, row);
        on_difference_({.table = counts_.table,
                        .key = std::move(change.key),
                        .standing = Standing::quarantined,
                        .reason = std::move(change.reason)});
      }
    });
    target_.held_pairs(relation, db::Held::others, [this](db::Pair& pair) {
      // that they are held back is told, once each, by what was found in quarantine
      if (witness_.explain(pair, PrimarySide::held).row == Standing::unexplained) {
        take(pair, PrimarySide::held);
      }
    });
    target_.secondary_only(relation, known);
    counts_.rows.at(static_cast<std::size_t>(Standing::agrees)) += staged.agreed;
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

/// Names the base's rows that may differ, so that those that the stage does not have are found.
std::int64_t name_doubted(db::Target& target, const ExportedTable& exported, const Sides& sides) {
  db::Target::Gone gone(target, exported.relation);
  std::int64_t rows = 0;
  std::string key_bytes;
  target.each_base(exported.relation, [&](const Row& key, std::string_view) {
    key_bytes_of(exported.relation, key, key_bytes);
    if (!sides.agrees(key_bytes)) {
      gone.add(key, {});
      ++rows;
    }
  });
  gone.finish();
  return rows;
}

/// One verification's way through the tables.
class Verifying {
 public:
  Verifying(const Pairing& pairing, const mask::Keyring& keyring, db::Source& source,
            db::Target& target, Progress& progress, const OnDifference& on_difference)
      : pairing_(pairing),
        keyring_(keyring),
        source_(source),
        target_(target),
        progress_(progress),
        on_difference_(on_difference),
        fingerprinter_(keyring.purpose_key("fingerprint")) {}

  report::VerifiedTable verify(const ExportedTable& exported, const db::TrackedRow* tracked) {
    target_.prepare(exported.relation);
    if (tracked == nullptr || !may_compare(target_, exported)) {
      return explain(exported, stage_table(source_, target_, exported, keyring_, progress_));
    }
    Sides sides(fingerprinter_);
    const auto compared = compare(source_, target_, exported, keyring_, sides, progress_);
    bases_.judge(*tracked, compared.base, target_.base_seal(exported.relation));
    latch();
    if (compared.nameless > 0 || sides.share() > kMostDoubted) {
      return explain(exported, stage_table(source_, target_, exported, keyring_, progress_));
    }
    if (sides.all_agree()) {
      report::VerifiedTable counts{.table = exported.table->name};
      counts.rows.at(static_cast<std::size_t>(Standing::agrees)) = compared.usable;
      return counts;
    }
    auto staged = stage_doubted(source_, target_, exported, keyring_, sides, progress_);
    staged.gone = name_doubted(target_, exported, sides);
    staged.absent = Staged::Absent::named;
    return explain(exported, staged);
  }

  /// Looks at bases that nothing is compared with.
  void look_at(const std::vector<db::TrackedRow>& tracked) {
    auto found = look_at_bases(target_, tracked);
    bases_.trust.merge(found.trust);
    std::ranges::move(found.damage, std::back_inserter(bases_.damage));
    latch();
  }

  [[nodiscard]] const std::vector<journal::Damage>& damage() const { return bases_.damage; }

 private:
  // beyond this it is faster to look at every row at once
  static constexpr double kMostDoubted = 0.2;

  report::VerifiedTable explain(const ExportedTable& exported, const Staged& staged) {
    return Verifier(target_, exported, bases_.of(exported.relation.id), on_difference_, progress_)
        .run(staged);
  }

  /// At once: whatever happens to the reading of more rows, no run may go on.
  void latch() const {
    if (!bases_.damage.empty()) {
      journal::set_latch(pairing_.config.state_directory, bases_.damage);
    }
  }

  const Pairing& pairing_;
  const mask::Keyring& keyring_;
  db::Source& source_;
  db::Target& target_;
  Progress& progress_;
  const OnDifference& on_difference_;
  Fingerprinter fingerprinter_;
  Bases bases_;
};

report::Verification attempt(const Pairing& given, const mask::Keyring& keyring, Progress& progress,
                             const OnDifference& on_difference) {
  report::Verification verification;
  db::Source source(given.config.primary);
  const auto& primary = source.fence(readings_of(given.contract));
  verification.drift = drift_events(given, primary);

  db::Target target(given.config.secondary, db::Mode::dry);
  // what is forged is to be told, row by row
  const auto head = open_books(given, target, keyring, {.forged = db::Books::Forged::taken});
  std::vector<journal::Damage> journal_damage;
  if (head) {
    auto findings = journal::audit(target.books(), *head);
    journal_damage = std::move(findings.damage);
    if (!journal_damage.empty()) {
      journal::set_latch(given.config.state_directory, journal_damage);
    }
    if (findings.head_forged || findings.tables_forged) {
      verification.notes.emplace_back(
          "the tables were not verified: what the bookkeeping says of them is not to be believed");
      verification.damage = std::move(journal_damage);
      settle(given, verification);
      return verification;
    }
  }
  if (!journal_damage.empty()) {
    journal::check_primary(head, journal::primary_id(primary.identity));
  } else {
    expect_primary(given, target, keyring, head, primary.identity, source.position());
    expect_accepted(given, target);
  }
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, primary, tracked);
  weigh_values(verification.drift, pairing, source, target, keyring);

  weigh(verification.drift, pairing, tracked, primary, Belief::proven, {});
  auto tables = export_tables(pairing.contract, primary, verification.drift, tracked, keyring);
  std::ranges::move(find_secondary_drift(pairing, target, {}, tables),
                    std::back_inserter(verification.drift));
  (void)bring_schema(pairing, target, tables, report::Run::dry);
  target.books().begin_findings();
  Verifying verifying(pairing, keyring, source, target, progress, on_difference);
  auto alone = tracked;  // bases that are not read with their tables
  std::erase_if(alone, [&](const db::TrackedRow& row) {
    const auto found = std::ranges::find(
        tables, row.id, [](const ExportedTable& exported) { return exported.relation.id; });
    return found != tables.end() && may_compare(target, *found);
  });
  verifying.look_at(alone);
  for (const auto& exported : tables) {
    const auto row = std::ranges::find(tracked, exported.relation.id, &db::TrackedRow::id);
    verification.tables.push_back(
        verifying.verify(exported, row == tracked.end() ? nullptr : &*row));
  }
  verification.damage = verifying.damage();
  std::ranges::move(journal_damage, std::back_inserter(verification.damage));
  tell_quarantine(target, tables, on_difference, verification);
  for (const auto& table : pairing.contract.tables) {
    if (std::ranges::find(verification.tables, table.name, &report::VerifiedTable::table) ==
        verification.tables.end()) {
      verification.notes.push_back(fmt::format(
          "table '{}' was not verified: drift blocks it; see: abgleich drift", table.name));
    }
  }
  if (head) {
    for (const auto& table : tables_out_of_order(target.books())) {
      verification.notes.push_back(fmt::format(
          "the rows of '{}' lie in the order in which the primary had them, which tells who came "
          "when, or more; lay them down anew: abgleich verify --lay-down-anew",
          table));
    }
  }
  settle(pairing, verification);
  return verification;
}

}  // namespace

report::Verification verify(const Pairing& pairing, Progress& progress,
                            const OnDifference& on_difference) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  bool told = false;
  const auto telling = [&](const report::Difference& difference) {
    told = true;
    on_difference(difference);
  };
  return db::with_retries({.in_all = pairing.config.retry_for, .told = &told},
                          [&] { return attempt(pairing, keyring, progress, telling); });
}

bool differs(const report::Verification& verification) {
  return std::ranges::any_of(verification.tables, [](const report::VerifiedTable& table) {
    return table.of(Standing::pending) + table.of(Standing::unexplained) > 0;
  });
}

}  // namespace abgleich::sync
