#include "sync/detect/value_check.hpp"

#include "core/digest.hpp"
#include "mask/masker.hpp"
#include "sync/mapping/table_matches.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace abgleich::sync {

namespace {

// Some rows are edited before the renamed column is compared, so not all have to be the same, but
// at least this share.
constexpr double kRenamed = 0.9;

constexpr auto kRetyped = drift::EventKind::type_changed;

bool blocks(const drift::Event& event) {
  return event.verdict == drift::Verdict::block;
}

/// Whether nothing but changes of type blocks the table.
bool only_retyped(const std::vector<drift::Event>& events, const std::string& table) {
  return std::ranges::none_of(events, [&](const drift::Event& event) {
    return event.table == table && blocks(event) && event.kind != kRetyped;
  });
}

/// What the last run remembers of a column. First choice is the entry with its name and its `was`,
/// second the one with the old name (`was`), third the one with the same name.
std::optional<Remembered> find_remembered(const db::TrackedRow& row,
                                          const contract::Column& column) {
  auto layout = read_column_history(row);
  std::erase_if(layout, [](const Remembered& remembered) {
    return remembered.state != ColumnState::exported;
  });
  const auto find = [&](const auto& same) -> std::optional<Remembered> {
    const auto found = std::ranges::find_if(layout, same);
    return found == layout.end() ? std::nullopt : std::optional(*found);
  };
  auto found = find([&](const Remembered& remembered) {
    return remembered.source == column.name && remembered.was == column.was;
  });
  if (!found && !column.was.empty()) {
    found = find([&](const Remembered& remembered) { return remembered.source == column.was; });
  }
  return found
             ? found
             : find([&](const Remembered& remembered) { return remembered.source == column.name; });
}

const ValueMismatch* find_mismatch(const std::vector<ValueMismatch>& mismatches,
                                   const drift::Event& event) {
  const auto found = std::ranges::find_if(mismatches, [&](const ValueMismatch& mismatch) {
    return mismatch.table == event.table && mismatch.column == event.column && mismatch.was.empty();
  });
  return found == mismatches.end() ? nullptr : &*found;
}

bool is_mismatched(const std::vector<ValueMismatch>& mismatches, const std::string& table) {
  return std::ranges::find(mismatches, table, &ValueMismatch::table) != mismatches.end();
}

double percent(std::int64_t part, std::int64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string refuted_text(const ValueMismatch& mismatch) {
  const auto share = percent(mismatch.other, mismatch.rows);
  if (mismatch.column.empty()) {
    return fmt::format(
        "of {} rows of '{}' {} ({:.1f} %) are not in '{}' as they were: correct its was, or if it "
        "is the same table all the same, run: abgleich drift accept",
        mismatch.rows, mismatch.was, mismatch.other, share, mismatch.table);
  }
  return fmt::format(
      "of {} rows {} ({:.1f} %) have another value in '{}' than '{}' had: correct its was, or if "
      "it is the same column all the same, run: abgleich drift accept",
      mismatch.rows, mismatch.other, share, mismatch.column, mismatch.was);
}

std::string borne_out_text(const ValueMismatch& found) {
  constexpr std::string_view kThen = "as a person has said: abgleich drift accept";
  if (found.rows == 0) {
    return fmt::format("no row shows whether it is the same, {}", kThen);
  }
  const auto same = found.rows - found.other;
  return found.column.empty()
             ? fmt::format("of {} rows of '{}' {} ({:.1f} %) are in '{}' as they were, {}",
                           found.rows, found.was, same, percent(same, found.rows), found.table,
                           kThen)
             : fmt::format("of {} rows {} ({:.1f} %) have in '{}' the value that '{}' had, {}",
                           found.rows, same, percent(same, found.rows), found.column, found.was,
                           kThen);
}

drift::Event rename_event(const ValueMismatch& found, drift::Verdict verdict) {
  const bool refuted = verdict == drift::Verdict::block;
  return {.kind = found.column.empty() ? drift::EventKind::renamed_table
                                       : drift::EventKind::renamed_column,
          .table = found.table,
          .column = found.column,
          .was = found.was,
          .now = found.column.empty() ? found.table : found.column,
          .verdict = verdict,
          .hint = refuted ? refuted_text(found) : borne_out_text(found)};
}

/// That one column, or (no column) the table as a whole, holds the same values as before.
struct Hypothesis {
  std::optional<std::size_t> column;
  std::string was;    // of a rename: the old name
  bool kept = false;  // the last run did not export it: only the secondary has its values
  std::int64_t rows = 0;
  std::int64_t other = 0;
};

/// Whether a person has accepted the schema with the table's new name.
bool table_is_accepted(const Pairing& pairing, const ExportedTable& exported) {
  return pairing.accepted && pairing.accepted->find_table(exported.table->name) != nullptr &&
         pairing.accepted->find_table(exported.called) == nullptr;
}

/// Whether a column's rename is proven: by identity, or because a person has accepted the schema
/// with the new name.
bool rename_is_proven(const Pairing& pairing, const contract::Table& table,
                      const Remembered& before, const Remembered& now) {
  if (!before.identity.empty() && before.identity == now.identity) {
    return true;
  }
  if (!pairing.accepted) {
    return false;
  }
  const auto names = {&table.name, &table.was};
  return std::ranges::any_of(names, [&](const std::string* name) {
    const auto* accepted = pairing.accepted->find_table(*name);
    return accepted != nullptr && accepted->find_column(now.source) != nullptr &&
           accepted->find_column(now.was) == nullptr;
  });
}

std::vector<Hypothesis> hypotheses_of(const ExportedTable& exported, const Pairing& pairing,
                                      const std::vector<drift::Event>& events) {
  std::vector<Hypothesis> hypotheses;
  const auto& layout = exported.layout;
  if (!exported.called.empty() && !table_is_accepted(pairing, exported)) {
    hypotheses.push_back({.was = exported.called});
  }
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    if (!layout.known[i]) {
      continue;
    }
    const auto& before = layout.previous[*layout.known[i]];
    const auto& now = layout.columns[i];
    const bool exported_before = before.state == ColumnState::exported;
    const bool retyped = exported_before && before.read_as != now.read_as &&
                         std::ranges::any_of(events, [&](const drift::Event& event) {
                           return event.kind == kRetyped && event.table == exported.table->name &&
                                  event.column == now.source;
                         });
    if (retyped) {
      hypotheses.push_back({.column = i});
    }
    if (!now.was.empty() && before.source == now.was && before.source != now.source &&
        !rename_is_proven(pairing, *exported.table, before, now)) {
      hypotheses.push_back({.column = i, .was = now.was, .kept = !exported_before});
    }
  }
  return hypotheses;
}

/// Compares the primary's rows with the base, and kept columns with the secondary's rows.
class HypothesisTest {
 public:
  HypothesisTest(db::StagedTable& table, const ExportedTable& exported,
                 std::vector<Hypothesis>& hypotheses)
      : table_(table), exported_(exported), hypotheses_(hypotheses) {}

  void run() {
    table_.staged_pairs([&](db::Pair& pair) { compare(pair); });
    const auto unknown = [&](db::Pair& pair) { miss(pair, Missing::held_back); };
    const auto absent = [&](db::Pair& pair) { miss(pair, Missing::absent); };
    table_.held_back_pairs(db::HeldBack::all, unknown);
    table_.missing_pairs(absent);
  }

 private:
  enum class Missing : std::uint8_t { held_back, absent };

  void compare(db::Pair& pair) {
    if (!pair.base_digests) {
      return;
    }
    base_ = base_digests(exported_.relation, *pair.base_digests);
    primary_ = unpack_digests(*pair.primary_digests);
    if (pair.in_secondary) {
      db::respell_key(exported_.relation, pair.primary, pair.secondary);
      digest_row(exported_, pair.secondary, key_bytes_, secondary_);
    }
    for (auto& hypothesis : hypotheses_) {
      if (hypothesis.kept && !pair.in_secondary) {
        continue;
      }
      if (!hypothesis.column) {
        ++hypothesis.rows;
        hypothesis.other += same_row() ? 0 : 1;
        continue;
      }
      const auto at = *hypothesis.column;
      const auto& before = hypothesis.kept ? secondary_ : base_;
      const bool same = before[at] == primary_[at];
      // NULL before and now does not prove a rename
      if (hypothesis.was.empty() || !same || !pair.primary.cells[at].is_null()) {
        ++hypothesis.rows;
        hypothesis.other += same ? 0 : 1;
      }
    }
  }

  /// Whether the row is the same in every column that was exported before.
  [[nodiscard]] bool same_row() const {
    const auto& layout = exported_.layout;
    for (std::size_t i = 0; i < base_.size(); ++i) {
      const auto& known = layout.known[i];
      if (known && layout.previous[*known].state == ColumnState::exported &&
          base_[i] != primary_[i]) {
        return false;
      }
    }
    return true;
  }

  /// Counts a row of the base whose value is not known now. An absent row counts against a change
  /// of type only in a column of the key: there it may be absent because its key reads otherwise.
  void miss(const db::Pair& pair, Missing missing) {
    if (!pair.base_digests) {
      return;
    }
    for (auto& hypothesis : hypotheses_) {
      const bool counts = hypothesis.column ? hypothesis.was.empty() &&
                                                  (missing == Missing::held_back ||
                                                   exported_.relation.is_key(*hypothesis.column))
                                            : true;
      if (counts) {
        ++hypothesis.rows;
        ++hypothesis.other;
      }
    }
  }

  db::StagedTable& table_;
  const ExportedTable& exported_;
  std::vector<Hypothesis>& hypotheses_;
  std::vector<Digest> base_;
  std::vector<Digest> primary_;
  std::vector<Digest> secondary_;
  std::string key_bytes_;
};

bool borne_out(const ValueMismatch& found, const Staged& staged) {
  if (found.was.empty()) {
    return found.other == 0 && (found.rows > 0 || staged.rows == 0);
  }
  return static_cast<double>(found.rows - found.other) >=
         kRenamed * static_cast<double>(found.rows);
}

}  // namespace

void assume_types(std::vector<drift::Event>& events, const Pairing& pairing,
                  const std::vector<db::TrackedRow>& tracked, const Catalog& live,
                  Assumption assumption, const std::vector<ValueMismatch>& mismatches) {
  const TableMatches known(pairing.contract, live, tracked);
  for (auto& event : events) {
    if (event.kind != kRetyped || !blocks(event)) {
      continue;
    }
    if (const auto* mismatch = find_mismatch(mismatches, event)) {
      event.hint = mismatch->rows == 0
                       ? "no row shows whether the values read as before; " + event.hint
                       : fmt::format("{} of {} values read otherwise than before; {}",
                                     mismatch->other, mismatch->rows, event.hint);
      continue;
    }
    const auto* table = pairing.contract.find_table(event.table);
    const auto* column = table == nullptr ? nullptr : table->find_column(event.column);
    const auto* source = live.find_table(event.table);
    const auto* now = source == nullptr ? nullptr : source->find_column(event.column);
    if (column == nullptr || now == nullptr || !only_retyped(events, event.table)) {
      continue;
    }
    const auto* row = known.of(*table);
    const auto before = row == nullptr ? std::nullopt : find_remembered(*row, *column);
    const bool proven = before && before->read_as == reading_of(now->type);
    // values of another family never read as before; once accepted, they get a column of their own
    const bool comparable =
        before && before->type.family == mask::exported_type(*column, now->type).family;
    if (comparable && (proven || (assumption == Assumption::until_compared &&
                                  !is_mismatched(mismatches, event.table)))) {
      event.verdict = drift::Verdict::adapt;
      event.hint = "every value reads as before; abgleich drift accept";
    }
  }
  for (const auto& mismatch : mismatches) {
    if (!mismatch.was.empty()) {
      events.push_back(rename_event(mismatch, drift::Verdict::block));
    }
  }
}

void find_mismatches(db::StagedTable& table, const ExportedTable& exported, const Staged& staged,
                     const Pairing& pairing, std::vector<drift::Event>& events,
                     std::vector<ValueMismatch>& mismatches) {
  auto hypotheses = hypotheses_of(exported, pairing, events);
  if (hypotheses.empty()) {
    return;
  }
  HypothesisTest(table, exported, hypotheses).run();
  for (auto& hypothesis : hypotheses) {
    ValueMismatch found{
        .table = exported.table->name,
        .column = hypothesis.column ? exported.layout.columns[*hypothesis.column].source : "",
        .was = std::move(hypothesis.was),
        .rows = hypothesis.rows,
        .other = hypothesis.other};
    if (!borne_out(found, staged)) {
      mismatches.push_back(std::move(found));
    } else if (!found.was.empty()) {
      events.push_back(rename_event(found, drift::Verdict::adapt));
    }
  }
}

}  // namespace abgleich::sync
