#include "sync/verify/verify.hpp"

#include "contract/tokens.hpp"
#include "db/engine/retry.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"
#include "journal/audit.hpp"
#include "journal/head.hpp"
#include "mask/keyring.hpp"
#include "state/latch.hpp"
#include "sync/detect/bucket_checksums.hpp"
#include "sync/detect/same_values.hpp"
#include "sync/detect/stage.hpp"
#include "sync/detect/value_check.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/merge/plan.hpp"
#include "sync/run/accepted.hpp"
#include "sync/run/expect_tables.hpp"
#include "sync/run/primary_position.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/row_order.hpp"
#include "sync/run/schema.hpp"
#include "sync/verify/base_integrity.hpp"
#include "sync/verify/compare.hpp"
#include "sync/verify/lay_down.hpp"

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
  Verifier(db::StagedTable& table, const ExportedTable& exported, merge::Trust trust,
           const OnDifference& on_difference, Progress& progress)
      : table_(table),
        exported_(exported),
        explainer_(table.target(), exported, trust),
        on_difference_(on_difference),
        progress_(progress) {
    counts_.table = exported.table->name;
  }

  /// Where only rows that may differ were staged, those of the base have to be named as gone before
  /// (`name_unequal`).
  report::VerifiedTable run(const Staged& staged) {
    const auto known = [this](db::Pair& pair) { take(pair, PrimarySide::known); };
    const auto held_back = [this](db::Pair& pair) { take(pair, PrimarySide::held_back); };
    table_.staged_pairs(known);
    if (staged.absent == Staged::Absent::named) {
      table_.gone_pairs(known);
    } else if (staged.keyless > 0) {
      // each of them may be one of the primary's rows whose key is not known
      table_.missing_pairs(held_back);
    } else {
      table_.missing_pairs(known);
    }
    table_.held_back_pairs(db::HeldBack::rare, known);  // to be withdrawn
    table_.rare_rows([this](const db::RareRow& row) {
      if (!row.in_base) {
        ++counts_.rows.at(static_cast<std::size_t>(Standing::quarantined));
        auto change = change_of(exported_, row);
        on_difference_({.table = counts_.table,
                        .key = std::move(change.key),
                        .standing = Standing::quarantined,
                        .reason = std::move(change.reason)});
      }
    });
    table_.held_back_pairs(db::HeldBack::others, [this](db::Pair& pair) {
      // that they are held back is reported once for each row, by `tell_quarantine`
      if (explainer_.explain(pair, PrimarySide::held_back).row == Standing::unexplained) {
        take(pair, PrimarySide::held_back);
      }
    });
    table_.secondary_only(known);
    counts_.rows.at(static_cast<std::size_t>(Standing::agrees)) += staged.agreed;
    return counts_;
  }

 private:
  void take(db::Pair& pair, PrimarySide side) {
    if (++rows_ % kProgressEvery == 0) {
      progress_.at("verify", counts_.table, rows_);
    }
    const auto& explanation = explainer_.explain(pair, side);
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
    const bool primary = pair.primary_digests.has_value();
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

  db::StagedTable& table_;
  const ExportedTable& exported_;
  RowExplainer explainer_;
  const OnDifference& on_difference_;
  Progress& progress_;
  report::VerifiedTable counts_;
  std::int64_t rows_ = 0;
};

/// Reports the rows that are held back, each once.
void tell_quarantine(db::Target& target, const std::vector<LocatedTable>& tables,
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

/// Sets or removes the latch, and finds the severest exit code.
void conclude(const Pairing& pairing, report::Verification& verification) {
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
    state::clear_latch(pairing.config.state_directory);
    return;
  }
  verification.code = Code::integrity;
  state::set_latch(pairing.config.state_directory, verification.damage);
}

/// Names the base's rows that may differ as gone, so that those of them that are not staged are
/// looked at too. Returns how many.
std::int64_t name_unequal(db::StagedTable& table, const BucketChecksums& sides) {
  const auto& relation = table.relation();
  db::GoneWriter gone(table);
  std::int64_t rows = 0;
  std::string key_bytes;
  db::BaseTable(table.target(), relation).each([&](const Row& key, std::string_view) {
    key_bytes_of(relation, key, key_bytes);
    if (!sides.agrees(key_bytes)) {
      gone.add(key, {});
      ++rows;
    }
  });
  gone.finish();
  return rows;
}

/// Verifies one table after the other.
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

  report::VerifiedTable verify(const LocatedTable& exported, const db::TrackedRow* tracked) {
    auto& table = target_.prepare(exported.located());
    const TableReading reading{source_, table, exported, keyring_, progress_};
    if (tracked == nullptr || !may_compare(target_, exported)) {
      return explain(table, exported, stage_table(reading));
    }
    BucketChecksums sides(fingerprinter_);
    const auto compared = compare(source_, target_, exported, keyring_, sides, progress_);
    bases_.judge(*tracked, compared.base, db::BaseTable(target_, exported.relation).seal());
    latch();
    if (compared.keyless > 0 || sides.share() > kMostUnequal) {
      return explain(table, exported, stage_table(reading));
    }
    if (sides.all_agree()) {
      report::VerifiedTable counts{.table = exported.table->name};
      counts.rows.at(static_cast<std::size_t>(Standing::agrees)) = compared.usable;
      return counts;
    }
    auto staged = stage_unequal(reading, sides);
    staged.gone = name_unequal(table, sides);
    staged.absent = Staged::Absent::named;
    return explain(table, exported, staged);
  }

  /// Checks the bases of tables for which `compare` is not used.
  void look_at(const std::vector<db::TrackedRow>& tracked) {
    auto found = check_bases(target_, tracked);
    bases_.trust.merge(found.trust);
    std::ranges::move(found.damage, std::back_inserter(bases_.damage));
    latch();
  }

  [[nodiscard]] const std::vector<state::Damage>& damage() const { return bases_.damage; }

 private:
  // beyond this it is faster to look at every row at once
  static constexpr double kMostUnequal = 0.2;

  report::VerifiedTable explain(db::StagedTable& table, const ExportedTable& exported,
                                const Staged& staged) {
    return Verifier(table, exported, bases_.of(exported.relation.id), on_difference_, progress_)
        .run(staged);
  }

  /// Sets the latch as soon as there is damage: no run may go on, even if reading more rows fails.
  void latch() const {
    if (!bases_.damage.empty()) {
      state::set_latch(pairing_.config.state_directory, bases_.damage);
    }
  }

  const Pairing& pairing_;
  const mask::Keyring& keyring_;
  db::Source& source_;
  db::Target& target_;
  Progress& progress_;
  const OnDifference& on_difference_;
  Fingerprinter fingerprinter_;
  CheckedBases bases_;
};

/// Audits the bookkeeping. Sets the latch as soon as damage to it is found.
journal::Findings audited(const Pairing& pairing, db::Target& target, const db::HeadRow& head) {
  auto findings = journal::audit(target.books(), head);
  if (!findings.damage.empty()) {
    state::set_latch(pairing.config.state_directory, findings.damage);
  }
  return findings;
}

/// The tracked tables for which `compare` is not used.
std::vector<db::TrackedRow> not_compared(const db::Target& target,
                                         const std::vector<db::TrackedRow>& tracked,
                                         const std::vector<LocatedTable>& tables) {
  auto rows = tracked;
  std::erase_if(rows, [&](const db::TrackedRow& row) {
    const auto found = std::ranges::find(
        tables, row.id, [](const ExportedTable& exported) { return exported.relation.id; });
    return found != tables.end() && may_compare(target, *found);
  });
  return rows;
}

/// Notes the tables that were not verified because drift blocks them.
void note_blocked(const contract::Contract& contract, report::Verification& verification) {
  for (const auto& table : contract.tables) {
    if (std::ranges::find(verification.tables, table.name, &report::VerifiedTable::table) ==
        verification.tables.end()) {
      verification.notes.push_back(fmt::format(
          "table '{}' was not verified: drift blocks it; see: abgleich drift", table.name));
    }
  }
}

void note_out_of_order(db::Books& books, report::Verification& verification) {
  for (const auto& table : tables_out_of_order(books)) {
    verification.notes.push_back(fmt::format(
        "the rows of '{}' lie in the order in which the primary had them, which tells who came "
        "when, or more; lay them down anew: abgleich verify --lay-down-anew",
        table));
  }
}

/// Of the tracked tables those of which the contract exports other columns than the last run did.
std::vector<db::TrackedRow> bases_to_be_moved(const std::vector<db::TrackedRow>& tracked,
                                              const std::vector<ExportedTable>& tables) {
  std::vector<db::TrackedRow> moved;
  for (const auto& row : tracked) {
    if (std::ranges::any_of(tables, [&](const ExportedTable& exported) {
          return exported.relation.id == row.id && !exported.previous_labels.empty() &&
                 exported.previous_labels != exported.labels;
        })) {
      moved.push_back(row);
    }
  }
  return moved;
}

report::Verification attempt(const Pairing& given, const mask::Keyring& keyring, Progress& progress,
                             const OnDifference& on_difference) {
  report::Verification verification;
  db::Source source(given.config.primary, filters_of(given.contract));
  const auto& primary = source.lock_schema(readings_of(given.contract));
  verification.drift = drift_events(given, primary);
  contract::read_issued(given.contract);

  db::Target target(given.config.secondary, db::Mode::dry);
  // forged rows are read as well, so that they can be reported
  const auto head = open_books(given, target, keyring, {.forged = db::Books::Forged::taken});
  auto findings = head ? audited(given, target, *head) : journal::Findings{};
  if (findings.head_forged || findings.tables_forged) {
    verification.notes.emplace_back(
        "the tables were not verified: what the bookkeeping says of them is not to be believed");
    verification.damage = std::move(findings.damage);
    conclude(given, verification);
    return verification;
  }
  if (!findings.damage.empty()) {
    journal::check_primary(head, journal::primary_id(primary.identity));
  } else {
    expect_primary(given, target, keyring, head, primary.identity, source.position());
    expect_accepted(given, target);
  }
  const auto tracked = known_tables(target);
  const auto pairing = settle_identities(given, primary, tracked);
  judge_by_values(verification.drift, pairing, source, target, keyring);

  assume_types(verification.drift, pairing, tracked, primary, Assumption::proven, {});
  auto exported = export_tables(pairing.contract, primary, verification.drift, tracked, keyring);
  std::ranges::move(find_secondary_drift(pairing, target, {}, exported),
                    std::back_inserter(verification.drift));
  Verifying verifying(pairing, keyring, source, target, progress, on_difference);
  const auto moved = bases_to_be_moved(tracked, exported);
  verifying.look_at(moved);  // now: bring_schema writes them in the order of the contract's columns
  const auto schema = bring_schema(pairing, target, std::move(exported), report::Run::dry);
  const auto& tables = schema.tables;
  target.books().begin_findings();
  auto others = not_compared(target, tracked, tables);
  std::erase_if(others, [&](const db::TrackedRow& row) {
    return std::ranges::find(moved, row.id, &db::TrackedRow::id) != moved.end();
  });
  verifying.look_at(others);
  for (const auto& table : tables) {
    const auto row = std::ranges::find(tracked, table.relation.id, &db::TrackedRow::id);
    verification.tables.push_back(verifying.verify(table, row == tracked.end() ? nullptr : &*row));
  }
  verification.damage = verifying.damage();
  std::ranges::move(findings.damage, std::back_inserter(verification.damage));
  tell_quarantine(target, tables, on_difference, verification);
  note_blocked(pairing.contract, verification);
  if (head) {
    note_out_of_order(target.books(), verification);
  }
  conclude(pairing, verification);
  return verification;
}

}  // namespace

report::Verification verify(const Pairing& pairing, Progress& progress,
                            const OnDifference& on_difference) {
  expect_tables(pairing.contract);
  const auto keyring = read_keyring(pairing.config);
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
