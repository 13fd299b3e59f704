#include "sync/shifted.hpp"

#include "mask/masker.hpp"
#include "sync/exported.hpp"
#include "sync/recover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace abgleich::sync {

namespace {

constexpr std::string_view kShifted = "shifted_column";
// Rows are edited meanwhile, but not this many.
constexpr double kSame = 0.9;
// As many rows as this tell as much as all of them.
constexpr std::size_t kMostRows = 10'000;

struct Found {
  std::int64_t rows = 0;   // that the base knows and that say something
  std::int64_t other = 0;  // of these: with another value
};

/// The rows of one table against its base.
class Comparison {
 public:
  Comparison(const ExportedTable& exported, const mask::Keyring& keyring)
      : exported_(exported), masker_(*exported.table, exported.columns, types(exported), keyring) {}

  void read_base(db::Target& target) {
    target.each_base(exported_.relation, [&](const Row& key, std::string_view cells) {
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
        compare(row, digests, known->second);
      }
    });
  }

  [[nodiscard]] Found found(const std::string& column) const {
    const auto one = found_.find(column);
    return one == found_.end() ? Found{} : one->second;
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
      // that nothing is where nothing was says nothing
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
  std::map<std::string, Found> found_;  // by column
  std::string bytes_;
};

bool is_shifted(const drift::Event& event) {
  return event.kind == kShifted;
}

std::string hint_of(const Found& found, const std::string& column) {
  const auto what =
      found.rows == 0
          ? std::string("no row shows whether it is what it was")
          : fmt::format("of {} rows {} ({:.1f} %) have another value than before", found.rows,
                        found.other,
                        100.0 * static_cast<double>(found.other) / static_cast<double>(found.rows));
  return fmt::format(
      "{}: a column is gone, and '{}' may be that one under its name; look at what it holds, then "
      "write \"withhold\" in its line, or, if the line fits what it holds, run: abgleich drift "
      "accept",
      what, column);
}

}  // namespace

void prove_places(std::vector<drift::Event>& events, const Pairing& pairing, db::Source& source,
                  db::Target& target, const mask::Keyring& keyring) {
  if (std::ranges::none_of(events, is_shifted)) {
    return;
  }
  // where something else blocks the table, that is to be decided first
  std::set<std::string> blocked;
  for (const auto& event : events) {
    if (event.verdict == drift::Verdict::block && !is_shifted(event)) {
      blocked.insert(event.table);
    }
  }
  std::erase_if(events, [&](const drift::Event& event) {
    return is_shifted(event) && blocked.contains(event.table);
  });
  auto others = events;
  std::erase_if(others, is_shifted);
  auto tables =
      export_tables(pairing.contract, source.catalog(), others, known_tables(target), keyring);
  std::erase_if(tables, [&](const ExportedTable& exported) {
    return exported.previous_labels.empty() ||
           std::ranges::none_of(events, [&](const drift::Event& event) {
             return is_shifted(event) && event.table == exported.table->name;
           });
  });
  target.load_catalog();
  auto relations = relations_of(tables);
  (void)target.missing_ddl(relations);  // fills in what the secondary's columns are
  for (std::size_t i = 0; i < tables.size(); ++i) {
    tables[i].relation = relations[i];
    Comparison comparison(tables[i], keyring);
    comparison.read_base(target);
    comparison.read_primary(source);
    std::erase_if(events, [&](drift::Event& event) {
      if (!is_shifted(event) || event.table != tables[i].table->name) {
        return false;
      }
      const auto found = comparison.found(event.column);
      event.hint = hint_of(found, event.column);
      return found.rows > 0 && static_cast<double>(found.rows - found.other) >=
                                   kSame * static_cast<double>(found.rows);
    });
  }
}

}  // namespace abgleich::sync
