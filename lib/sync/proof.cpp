#include "sync/proof.hpp"

#include "core/digest.hpp"
#include "mask/masker.hpp"
#include "sync/same_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace abgleich::sync {

namespace {

// Rows are edited while their column gets a new name, but not this many.
constexpr double kRenamed = 0.9;

constexpr std::string_view kRetyped = "type_changed";

bool blocks(const drift::Event& event) {
  return event.verdict == drift::Verdict::block;
}

/// Whether nothing but changes of type blocks the table.
bool only_retyped(const std::vector<drift::Event>& events, const std::string& table) {
  return std::ranges::none_of(events, [&](const drift::Event& event) {
    return event.table == table && blocks(event) && event.kind != kRetyped;
  });
}

/// What the last run remembers of a column: under the name that it has now if that is how it got
/// it, else under its old name, else under the same name for another reason.
std::optional<Remembered> find_remembered(const db::TrackedRow& row,
                                          const contract::Column& column) {
  auto layout = read_layout(row);
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

const Doubt* find_doubt(const std::vector<Doubt>& doubts, const drift::Event& event) {
  const auto found = std::ranges::find_if(doubts, [&](const Doubt& doubt) {
    return doubt.table == event.table && doubt.column == event.column && doubt.was.empty();
  });
  return found == doubts.end() ? nullptr : &*found;
}

bool doubted(const std::vector<Doubt>& doubts, const std::string& table) {
  return std::ranges::find(doubts, table, &Doubt::table) != doubts.end();
}

double percent(std::int64_t part, std::int64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string refuted_text(const Doubt& doubt) {
  const auto share = percent(doubt.other, doubt.rows);
  if (doubt.column.empty()) {
    return fmt::format(
        "of {} rows of '{}' {} ({:.1f} %) are not in '{}' as they were: correct its was, or if it "
        "is the same table all the same, run: abgleich drift accept",
        doubt.rows, doubt.was, doubt.other, share, doubt.table);
  }
  return fmt::format(
      "of {} rows {} ({:.1f} %) have another value in '{}' than '{}' had: correct its was, or if "
      "it is the same column all the same, run: abgleich drift accept",
      doubt.rows, doubt.other, share, doubt.column, doubt.was);
}

std::string borne_out_text(const Doubt& claim) {
  constexpr std::string_view kThen = "as a person has said: abgleich drift accept";
  if (claim.rows == 0) {
    return fmt::format("no row shows whether it is the same, {}", kThen);
  }
  const auto same = claim.rows - claim.other;
  return claim.column.empty()
             ? fmt::format("of {} rows of '{}' {} ({:.1f} %) are in '{}' as they were, {}",
                           claim.rows, claim.was, same, percent(same, claim.rows), claim.table,
                           kThen)
             : fmt::format("of {} rows {} ({:.1f} %) have in '{}' the value that '{}' had, {}",
                           claim.rows, same, percent(same, claim.rows), claim.column, claim.was,
                           kThen);
}

drift::Event rename_event(const Doubt& claim, drift::Verdict verdict) {
  const bool refuted = verdict == drift::Verdict::block;
  return {.kind = claim.column.empty() ? "renamed_table" : "renamed_column",
          .table = claim.table,
          .column = claim.column,
          .was = claim.was,
          .now = claim.column.empty() ? claim.table : claim.column,
          .verdict = verdict,
          .hint = refuted ? refuted_text(claim) : borne_out_text(claim)};
}

/// One column on trial, or the table as a whole.
struct Trial {
  std::optional<std::size_t> column;
  std::string was;    // of a rename
  bool kept = false;  // dropped in an earlier run: only the secondary still has its values
  std::int64_t rows = 0;
  std::int64_t other = 0;
};

/// Because a person has accepted the schema with the new name since.
bool table_is_accepted(const Pairing& pairing, const ExportedTable& exported) {
  return pairing.accepted && pairing.accepted->find_table(exported.table->name) != nullptr &&
         pairing.accepted->find_table(exported.called) == nullptr;
}

/// By identity, or because a person has accepted the schema with the new name since.
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

std::vector<Trial> trials_of(const ExportedTable& exported, const Pairing& pairing,
                             const std::vector<drift::Event>& events) {
  std::vector<Trial> trials;
  const auto& layout = exported.layout;
  if (!exported.called.empty() && !table_is_accepted(pairing, exported)) {
    trials.push_back({.was = exported.called});
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
      trials.push_back({.column = i});
    }
    if (!now.was.empty() && before.source == now.was && before.source != now.source &&
        !rename_is_proven(pairing, *exported.table, before, now)) {
      trials.push_back({.column = i, .was = now.was, .kept = !exported_before});
    }
  }
  return trials;
}

/// Compares row by row what the primary has with what the base has of it.
class Court {
 public:
  Court(db::Target& target, const ExportedTable& exported, std::vector<Trial>& trials)
      : target_(target), exported_(exported), trials_(trials) {}

  void hear() {
    const auto& relation = exported_.relation;
    target_.staged_pairs(relation, [&](db::Pair& pair) { compare(pair); });
    const auto unknown = [&](db::Pair& pair) { miss(pair, Missing::held); };
    const auto absent = [&](db::Pair& pair) { miss(pair, Missing::absent); };
    target_.held_pairs(relation, db::Held::all, unknown);
    target_.missing_pairs(relation, absent);
  }

 private:
  enum class Missing : std::uint8_t { held, absent };

  void compare(db::Pair& pair) {
    if (!pair.base_cells) {
      return;
    }
    base_ = base_digests(exported_.relation, *pair.base_cells);
    primary_ = unpack_digests(*pair.primary_cells);
    if (pair.in_secondary) {
      for (const auto i : exported_.relation.key) {
        pair.secondary.cells[i] = pair.primary.cells[i];  // what digests are bound to
      }
      digest_row(exported_, pair.secondary, key_bytes_, secondary_);
    }
    for (auto& trial : trials_) {
      if (trial.kept && !pair.in_secondary) {
        continue;
      }
      if (!trial.column) {
        ++trial.rows;
        trial.other += same_row() ? 0 : 1;
        continue;
      }
      const auto at = *trial.column;
      const auto& before = trial.kept ? secondary_ : base_;
      const bool same = before[at] == primary_[at];
      // that nothing is where nothing was does not speak for a rename
      if (trial.was.empty() || !same || !pair.primary.cells[at].is_null()) {
        ++trial.rows;
        trial.other += same ? 0 : 1;
      }
    }
  }

  /// In every column that was exported before.
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

  /// A row of the base whose value is not known now; one that is gone may be gone because its key
  /// reads otherwise.
  void miss(const db::Pair& pair, Missing missing) {
    if (!pair.base_cells) {
      return;
    }
    for (auto& trial : trials_) {
      const bool counts =
          trial.column ? trial.was.empty() &&
                             (missing == Missing::held || exported_.relation.is_key(*trial.column))
                       : true;
      if (counts) {
        ++trial.rows;
        ++trial.other;
      }
    }
  }

  db::Target& target_;
  const ExportedTable& exported_;
  std::vector<Trial>& trials_;
  std::vector<Digest> base_;
  std::vector<Digest> primary_;
  std::vector<Digest> secondary_;
  std::string key_bytes_;
};

bool borne_out(const Doubt& claim, const Staged& staged) {
  if (claim.was.empty()) {
    return claim.other == 0 && (claim.rows > 0 || staged.rows == 0);
  }
  return static_cast<double>(claim.rows - claim.other) >=
         kRenamed * static_cast<double>(claim.rows);
}

}  // namespace

void weigh(std::vector<drift::Event>& events, const Pairing& pairing,
           const std::vector<db::TrackedRow>& tracked, const Catalog& live, Belief belief,
           const std::vector<Doubt>& doubts) {
  const SameTable known(pairing.contract, live, tracked);
  for (auto& event : events) {
    if (event.kind != kRetyped || !blocks(event)) {
      continue;
    }
    if (const auto* doubt = find_doubt(doubts, event)) {
      event.hint = doubt->rows == 0
                       ? "no row shows whether the values read as before; " + event.hint
                       : fmt::format("{} of {} values read otherwise than before; {}", doubt->other,
                                     doubt->rows, event.hint);
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
    // values of another kind never read the same, and have a column of their own once accepted
    const bool comparable =
        before && before->type.family == mask::exported_type(*column, now->type).family;
    if (comparable && (proven || (belief == Belief::on_trial && !doubted(doubts, event.table)))) {
      event.verdict = drift::Verdict::adapt;
      event.hint = "every value reads as before; abgleich drift accept";
    }
  }
  for (const auto& doubt : doubts) {
    if (!doubt.was.empty()) {
      events.push_back(rename_event(doubt, drift::Verdict::block));
    }
  }
}

void find_doubts(db::Target& target, const ExportedTable& exported, const Staged& staged,
                 const Pairing& pairing, std::vector<drift::Event>& events,
                 std::vector<Doubt>& doubts) {
  auto trials = trials_of(exported, pairing, events);
  if (trials.empty()) {
    return;
  }
  Court(target, exported, trials).hear();
  for (auto& trial : trials) {
    Doubt claim{.table = exported.table->name,
                .column = trial.column ? exported.layout.columns[*trial.column].source : "",
                .was = std::move(trial.was),
                .rows = trial.rows,
                .other = trial.other};
    if (!borne_out(claim, staged)) {
      doubts.push_back(std::move(claim));
    } else if (!claim.was.empty()) {
      events.push_back(rename_event(claim, drift::Verdict::adapt));
    }
  }
}

}  // namespace abgleich::sync
