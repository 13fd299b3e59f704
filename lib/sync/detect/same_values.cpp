#include "sync/detect/same_values.hpp"

#include "db/secondary/base_table.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "mask/masker.hpp"
#include "sync/mapping/key_change.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace abgleich::sync {

namespace {

constexpr auto kShifted = drift::EventKind::shifted_column;
constexpr auto kReplacedColumn = drift::EventKind::replaced_column;
constexpr auto kReplacedTable = drift::EventKind::replaced_table;

// Some rows are edited in the meantime, so not all have to be the same, but at least this share.
constexpr double kSame = 0.9;
// It is enough to compare this many rows.
constexpr std::size_t kMostRows = 10'000;

struct Found {
  std::int64_t rows = 0;   // that the base has, without those that are NULL before and now
  std::int64_t other = 0;  // of these: with another value

  [[nodiscard]] bool mostly_same() const {
    return static_cast<double>(rows - other) >= kSame * static_cast<double>(rows);
  }
};

/// Compares the primary's rows of one table with its base.
class Comparison {
 public:
  Comparison(const ExportedTable& exported, const mask::Keyring& keyring)
      : exported_(exported), masker_(*exported.table, exported.columns, types(exported), keyring) {}

  void read_base(db::Target& target) {
    db::BaseTable base(target, exported_.relation);
    if (base.seal().rows == 0) {
      return;
    }
    base.each([&](const Row& key, std::string_view cells) {
      if (base_.size() < kMostRows) {
        key_bytes_of(exported_.relation, key, bytes_);
        base_.emplace(bytes_, unpack_digests(cells));
      }
    });
  }

  void read_primary(db::Source& source) {
    Row row;
    std::vector<Digest> digests;
    source.read(exported_.table->name, exported_.sources, [&](const RawRow& raw) {
      if (masker_.mask(raw, row).refusal) {
        return;
      }
      digest_row(exported_, row, bytes_, digests);
      if (const auto known = base_.find(bytes_); known != base_.end()) {
        ++met_;
        compare(row, digests, known->second);
      }
    });
  }

  /// The result for one column.
  [[nodiscard]] Found found(const std::string& column) const {
    const auto one = found_.find(column);
    return one == found_.end() ? Found{} : one->second;
  }

  /// The result for whole rows. `other`: how many are gone under their keys. If a column is not
  /// mostly the same and differs in more rows than that, their number counts instead.
  [[nodiscard]] Found rows() const {
    Found all{.rows = static_cast<std::int64_t>(base_.size())};
    all.other = all.rows - met_;
    for (const auto& [column, found] : found_) {
      if (!found.mostly_same()) {
        all.other = std::max(all.other, found.other);
      }
    }
    return all;
  }

 private:
  static std::vector<Type> types(const ExportedTable& exported) {
    std::vector<Type> types;
    for (const auto* source : exported.sources) {
      types.push_back(source->type);
    }
    return types;
  }

  void compare(const Row& row, const std::vector<Digest>& now, const std::vector<Digest>& was) {
    for (std::size_t i = 0; i < now.size(); ++i) {
      const auto& labels = exported_.previous_labels;
      const auto before =
          static_cast<std::size_t>(std::ranges::find(labels, exported_.labels[i]) - labels.begin());
      if (before >= was.size()) {
        continue;
      }
      const bool same = now[i] == was[before];
      // NULL before and now proves nothing
      if (!same || !row.cells[i].is_null()) {
        auto& found = found_[exported_.columns[i]->name];
        ++found.rows;
        found.other += same ? 0 : 1;
      }
    }
  }

  const ExportedTable& exported_;
  mask::Masker masker_;
  std::unordered_map<std::string, std::vector<Digest>> base_;
  std::int64_t met_ = 0;                // rows of the base that the primary has
  std::map<std::string, Found> found_;  // by column
  std::string bytes_;
};

bool is_key(const contract::Table& table, const std::string& column) {
  return std::ranges::find(table.key, column) != table.key.end();
}

/// Whether the event is judged by whole rows: a replaced table or a replaced column of the key.
bool by_rows(const drift::Event& event, const contract::Table& table) {
  return event.kind == kReplacedTable ||
         (event.kind == kReplacedColumn && is_key(table, event.column));
}

std::string share(const Found& found) {
  return fmt::format("of {} rows {} ({:.1f} %)", found.rows, found.other,
                     100.0 * static_cast<double>(found.other) / static_cast<double>(found.rows));
}

void judge(drift::Event& event, const contract::Table& table, const Comparison& comparison) {
  const auto judged = by_rows(event, table) ? comparison.rows() : comparison.found(event.column);
  if (by_rows(event, table)) {
    if (judged.mostly_same()) {
      event.verdict = drift::Verdict::adapt;
      event.hint = fmt::format(
          "{} of {} rows are there under their keys as they were: abgleich sync carries them over; "
          "then run: abgleich drift accept",
          judged.rows - judged.other, judged.rows);
    } else {
      event.hint =
          fmt::format("{} are no longer there with the same values under the same keys; {}",
                      share(judged), event.hint);
    }
    return;
  }
  // a replaced column is the same only if every value is: so nothing new leaves
  const bool shifted = event.kind == kShifted;
  if (judged.rows > 0 && (shifted ? judged.mostly_same() : judged.other == 0)) {
    event.verdict = drift::Verdict::adapt;
    event.hint =
        "it stands in another place, and every value is as before; run: abgleich drift accept";
    return;
  }
  const auto what = judged.rows == 0 ? std::string("no row shows whether it is the same")
                                     : share(judged) + " have another value than before";
  event.hint = shifted ? fmt::format(
                             "{}: a column is gone, and '{}' may now be the name of that one; look "
                             "at what it holds, then write \"withhold\" in its line, or, if the "
                             "line fits what it holds, run: abgleich drift accept",
                             what, event.column)
                       : fmt::format("{}; {}", what, event.hint);
}

/// Whether a run has carried the table or column over already: the bookkeeping has the identity of
/// the live one.
bool carried_over(const drift::Event& event, const contract::Table& table,
                  const std::vector<db::TrackedRow>& tracked, const Catalog& live) {
  const auto* now = live.find_table(event.table);
  const auto row = std::ranges::find(tracked, event.table, &db::TrackedRow::source);
  if (now == nullptr || row == tracked.end()) {
    return false;
  }
  const auto layout = read_column_history(*row);
  if (event.kind == kReplacedTable) {
    return table_of(layout) == identity_of(live.identity, *now);
  }
  const auto* column = now->find_column(event.column);
  const auto known = std::ranges::find_if(layout, [&](const Remembered& one) {
    return one.source == event.column && one.state == ColumnState::exported;
  });
  return by_rows(event, table) && column != nullptr && known != layout.end() &&
         !known->identity.empty() && known->identity == identity_of(live.identity, *now, *column);
}

/// Whether the live table can be the old one: it is a table and has every column that is read.
bool has_all_of(const CatalogTable& live, const contract::Table& table) {
  return (live.kind == TableKind::table || live.kind == TableKind::partitioned) &&
         std::ranges::all_of(table.columns, [&](const contract::Column& column) {
           return !table.reads(column) || live.find_column(column.name) != nullptr;
         });
}

/// Tables with an event that blocks and that values cannot decide: a person has to do so first.
std::set<std::string> blocked_otherwise(const std::vector<drift::Event>& events) {
  std::set<std::string> blocked;
  for (const auto& event : events) {
    if (event.verdict == drift::Verdict::block && !values_can_tell(event)) {
      blocked.insert(event.table);
    }
  }
  return blocked;
}

/// Whether this event is to be decided by comparing values.
bool decided_by_values(const drift::Event& event, const contract::Contract& contract,
                       const Catalog& live, const std::set<std::string>& blocked) {
  const auto* now = live.find_table(event.table);
  const auto* table = contract.find_table(event.table);
  if (!values_can_tell(event) || blocked.contains(event.table) || now == nullptr ||
      table == nullptr) {
    return false;
  }
  if (event.kind == kReplacedTable && !has_all_of(*now, *table)) {
    return false;
  }
  // where columns have numbers, a replaced column is known to be another one; values are compared
  // only for a column of the key, because without the key no row can be carried over
  return event.kind != kReplacedColumn || !traits(live.identity.engine).numbers_objects ||
         (is_key(*table, event.column) && now->find_column(event.column) != nullptr);
}

}  // namespace

bool values_can_tell(const drift::Event& event) {
  return event.verdict == drift::Verdict::block &&
         (event.kind == kShifted || event.kind == kReplacedColumn || event.kind == kReplacedTable);
}

void judge_by_values(std::vector<drift::Event>& events, const Pairing& pairing, db::Source& source,
                     db::Target& target, const mask::Keyring& keyring) {
  const auto& live = source.catalog();
  const auto tracked = known_tables(target);
  note_other_keys(events, pairing, tracked);
  const auto blocked = blocked_otherwise(events);
  std::erase_if(events, [&](const drift::Event& event) {
    return event.kind == kShifted && blocked.contains(event.table);
  });
  const auto by_values = [&](const drift::Event& event) {
    return decided_by_values(event, pairing.contract, live, blocked);
  };
  std::set<std::string> tables;
  auto believed = events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (by_values(events[i])) {
      believed[i].verdict = drift::Verdict::adapt;
      tables.insert(events[i].table);
    }
  }
  if (tables.empty()) {
    return;
  }
  auto exported = export_tables(pairing.contract, live, believed, tracked, keyring);
  std::erase_if(exported, [&](const ExportedTable& one) {
    return !tables.contains(one.table->name) || one.previous_labels.empty();
  });
  target.load_catalog();
  const auto relations = db::SecondarySchema(target).locate(relations_of(exported)).relations;
  for (std::size_t i = 0; i < exported.size(); ++i) {
    exported[i].relation = relations[i];
    const auto& table = *exported[i].table;
    Comparison comparison(exported[i], keyring);
    comparison.read_base(target);
    comparison.read_primary(source);
    for (auto& event : events) {
      if (event.table != table.name || !by_values(event)) {
        continue;
      }
      if (carried_over(event, table, tracked, live)) {
        event.verdict = drift::Verdict::adapt;
        event.hint = "a run has carried it over; abgleich drift accept";
      } else {
        judge(event, table, comparison);
      }
    }
  }
  std::erase_if(events, [](const drift::Event& event) {
    return event.kind == kShifted && event.verdict == drift::Verdict::adapt;
  });
}

std::optional<Error> not_carried_over(const std::vector<drift::Event>& events,
                                      const Pairing& pairing, const Catalog& live) {
  std::optional<std::vector<db::TrackedRow>> tracked;
  for (const auto& event : events) {
    const auto* table = pairing.contract.find_table(event.table);
    if (table == nullptr || event.verdict != drift::Verdict::adapt || !by_rows(event, *table) ||
        !traits(live.identity.engine).numbers_objects) {
      continue;
    }
    if (!tracked) {
      db::Target target(pairing.config.secondary, db::Mode::dry);
      tracked = known_tables(target);
    }
    if (!carried_over(event, *table, *tracked, live)) {
      return Error{.code = Code::drift_decision,
                   .message = fmt::format("not accepted yet: a run has to carry '{}' over first",
                                          event.table),
                   .hint = "run: abgleich sync; then: abgleich drift accept. Nothing was changed"};
    }
  }
  return std::nullopt;
}

}  // namespace abgleich::sync
