#include "contract/leaving.hpp"

#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

namespace abgleich::contract {

namespace {

using To = Generalisation::To;
using Way = LeavingChange::Way;

ColumnLeaves leaves_of(const Column& column, const Seal& seal) {
  ColumnLeaves leaves{.cls = column.cls,
                      .identity = column.identity,
                      .normaliser = column.normaliser,
                      .generalisation = column.generalisation,
                      .on_unusable = column.on_unusable};
  // Texts and UUIDs tell equally much, and a run may settle which of the two it is.
  if (column.format == Format::integer || column.format == Format::token) {
    leaves.format = column.format;
  }
  if (column.resolves) {
    leaves.resolves = fmt::format("{}.{}", column.resolves->table, column.resolves->column);
  }
  leaves.generalisation.map.clear();
  for (const auto& [value, out] : column.generalisation.map) {
    leaves.generalisation.map.emplace(seal(value), out);
  }
  for (const auto& code : column.codes) {
    leaves.codes.push_back(seal(code));
  }
  std::ranges::sort(leaves.codes);
  return leaves;
}

std::string to_text(const Generalisation& generalisation) {
  std::string text(kGeneralisations.at(static_cast<std::size_t>(generalisation.to)));
  switch (generalisation.to) {
    case To::age_band:
      text += fmt::format(":{} at {}", generalisation.n, generalisation.reference);
      break;
    case To::prefix:
    case To::round:
    case To::shift:
      text += fmt::format(":{}", generalisation.n);
      break;
    default:
      break;
  }
  if (generalisation.shift_epoch > 1) {
    text += fmt::format(" of epoch {}", generalisation.shift_epoch);
  }
  if (!generalisation.zone.empty()) {
    text += " in " + generalisation.zone;
  }
  return text;
}

std::string text_of(const ColumnLeaves& leaves) {
  std::string text(name_of(leaves.cls));
  if (leaves.cls == Class::pseudonym) {
    text += fmt::format(" of {}", in_quotes(leaves.identity));
    text += leaves.normaliser == Normaliser::none
                ? ""
                : fmt::format(", normalised ({})", name_of(leaves.normaliser));
    text +=
        leaves.format == Format::automatic ? "" : fmt::format(", as {}", name_of(leaves.format));
  } else if (!leaves.resolves.empty()) {
    text += fmt::format(", turned into {}", in_quotes(leaves.resolves));
  } else if (leaves.cls == Class::generalise) {
    text += " to " + to_text(leaves.generalisation);
  }
  if (!leaves.codes.empty()) {
    text +=
        fmt::format(", of {} {}", leaves.codes.size(), leaves.codes.size() == 1 ? "code" : "codes");
  }
  text += leaves.on_unusable == OnUnusable::null ? ", NULL for what cannot be used" : "";
  return text;
}

/// What the map makes of a value of the primary; null stands for all values that it does not name.
/// Empty: the row is held back.
std::optional<std::string> mapped(const Generalisation& map, const std::string* value) {
  const auto found = value == nullptr ? map.map.end() : map.map.find(*value);
  return found == map.map.end() ? map.otherwise : std::optional(found->second);
}

/// Whether the new map distinguishes values that the old one did not, or lets values leave that the
/// old one held back.
bool map_tells_more(const Generalisation& before, const Generalisation& now) {
  std::vector<const std::string*> values{nullptr};
  for (const auto* map : {&before.map, &now.map}) {
    for (const auto& [value, out] : *map) {
      values.push_back(&value);
    }
  }
  std::map<std::string, std::string> was_to_is;
  return std::ranges::any_of(values, [&](const std::string* value) {
    const auto was = mapped(before, value);
    const auto is = mapped(now, value);
    if (!is) {
      return false;  // held back now
    }
    return !was || was_to_is.emplace(*was, *is).first->second != *is;
  });
}

/// The rank of year, month and week, from coarse to fine; empty for others.
std::optional<int> date_fineness(To to) {
  switch (to) {
    case To::year:
      return 1;
    case To::month:
      return 2;
    case To::week:
      return 3;
    default:
      return std::nullopt;
  }
}

bool generalisation_tells_more(const Generalisation& before, const Generalisation& now) {
  if (now.to == To::constant) {
    return false;  // every value becomes the same one
  }
  if (now.to == before.to && now.zone == before.zone && now.shift_epoch != before.shift_epoch) {
    return true;  // two shifts of one date limit it more than one
  }
  if (now.zone != before.zone) {
    return true;  // a moment that is on another day in the other zone is near midnight
  }
  if (const auto was = date_fineness(before.to), is = date_fineness(now.to); was && is) {
    return *is > *was;
  }
  if (now.to != before.to) {
    return true;  // the two together tell more than each alone
  }
  switch (now.to) {
    case To::prefix:
      return now.n > before.n;
    case To::shift:
      return now.n < before.n;
    case To::age_band:
      return now.reference != before.reference || now.n % std::max(1, before.n) != 0;
    case To::round:
      return now.n % std::max(1, before.n) != 0;
    case To::map:
      return map_tells_more(before, now);
    default:
      return false;
  }
}

/// Whether more values than before may leave.
bool codes_let_more(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  return !before.empty() && (now.empty() || !std::ranges::includes(before, now));
}

bool tells_more(const ColumnLeaves& before, const ColumnLeaves& now) {
  if (codes_let_more(before.codes, now.codes) ||
      (now.on_unusable == OnUnusable::null && before.on_unusable != now.on_unusable)) {
    return true;  // rows leave that were held back
  }
  if (now.cls == Class::generalise && now.generalisation.to == To::constant) {
    return before.cls == Class::withhold;
  }
  if (before.cls == Class::plain && now.resolves.empty()) {
    return false;  // nothing of the value can tell more than plain
  }
  if (before.cls != now.cls || (now.resolves != before.resolves && !now.resolves.empty())) {
    return true;
  }
  if (now.cls == Class::token) {
    return false;
  }
  if (now.cls == Class::pseudonym) {
    return now.identity != before.identity ||
           (now.normaliser != before.normaliser && before.normaliser != Normaliser::none) ||
           (now.format != before.format &&
            (now.format == Format::integer || now.format == Format::token));
  }
  return generalisation_tells_more(before.generalisation, now.generalisation);
}

std::string share_text(const TableLeaves& leaves) {
  return leaves.min_k == 0
             ? std::string("rows that anybody shares")
             : fmt::format(
                   "rows that {} or more share in {}{}", leaves.min_k,
                   fmt::join(leaves.quasi_identifiers, ", "),
                   leaves.subject.empty() ? "" : fmt::format(", counted by {}", leaves.subject));
}

std::string rows_text(const TableLeaves& leaves, std::string_view condition) {
  return leaves.where.empty() ? std::string("every row") : fmt::format("the rows of {}", condition);
}

/// What a line with a `was` may have let leave before: under its own name, under its `was`, or
/// both, in this order; null: nothing. `judged`: a run has judged the line with this `was`, so that
/// it has left under its own name since.
template <class T>
std::vector<const T*> candidates(const FormerName& known, bool judged, const T* own, const T* was) {
  const bool decided = judged && !known.moved;  // by a run, or by a person since the last one
  if (known.formerly == Formerly::was && (was != nullptr || !decided)) {
    return {was};
  }
  if (known.formerly == Formerly::own_name || decided) {
    return {own};
  }
  // where both names existed at once, `was` need not be the former name
  const bool may_be_either =
      known.formerly == Formerly::either || (own == nullptr && known.both_were_there);
  if (may_be_either || (own != nullptr && was != nullptr)) {
    return {own, was};
  }
  return {own != nullptr ? own : was};
}

template <class Map>
const typename Map::mapped_type* find(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

class Comparison {
 public:
  Comparison(const Contract& contract, const FormerNames* former)
      : contract_(contract), former_(former) {}

  void tables(const Leaving& before, const Leaving& now) {
    static const TableLeaves kNone;
    std::set<const TableLeaves*> known;
    for (const auto& [name, leaves] : now) {
      std::vector<LeavingChange> most;
      bool first = true;
      for (const auto* was : formerly(name, leaves.was, before)) {
        known.insert(was);
        auto told = table(name, was == nullptr ? kNone : *was, leaves);
        if (first || widenings(told) > widenings(most)) {
          most = std::move(told);
        }
        first = false;
      }
      add(std::move(most));
    }
    for (const auto& [name, leaves] : before) {
      if (!known.contains(&leaves)) {
        add(table(name, leaves, kNone));
      }
    }
  }

  std::vector<LeavingChange> changes;

 private:
  static constexpr std::string_view kNothing = "nothing";

  static std::int64_t widenings(const std::vector<LeavingChange>& told) {
    return std::ranges::count(told, Way::more, &LeavingChange::way);
  }

  [[nodiscard]] std::vector<const TableLeaves*> formerly(const std::string& name,
                                                         const std::string& was,
                                                         const Leaving& before) const {
    const auto* own = find(before, name);
    if (was.empty()) {
      return {own};
    }
    return candidates(former_->of(*contract_.find_table(name)), own != nullptr && own->was == was,
                      own, find(before, was));
  }

  [[nodiscard]] std::vector<const ColumnLeaves*> formerly(const std::string& table,
                                                          const std::string& name,
                                                          const std::string& was,
                                                          const TableLeaves& before) const {
    const auto* own = find(before.columns, name);
    if (was.empty()) {
      return {own};
    }
    const auto* renamed = find(before.renamed, name);
    const auto& line = *contract_.find_table(table);
    return candidates(former_->of(line, *line.find_column(name)),
                      own != nullptr && renamed != nullptr && *renamed == was, own,
                      find(before.columns, was));
  }

  /// Columns that left and no longer leave. Where such a column held rows back by its codes, those
  /// rows leave now.
  void leave_no_longer(const std::string& name, const TableLeaves& before,
                       const std::set<const ColumnLeaves*>& known, bool rows_leave,
                       std::vector<LeavingChange>& found) const {
    for (const auto& [column, leaves] : before.columns) {
      if (!known.contains(&leaves)) {
        const bool more = rows_leave && !leaves.codes.empty();
        found.push_back(
            change(more ? Way::more : Way::less, name, column, text_of(leaves),
                   more ? "nothing, and rows with other codes" : std::string(kNothing)));
      }
    }
  }

  /// Which rows leave, by `where`.
  void compare_where(const std::string& name, const TableLeaves& before, const TableLeaves& now,
                     std::vector<LeavingChange>& found) const {
    if (before.columns.empty() || now.columns.empty()) {
      return;
    }
    const bool same = before.where == now.where;
    if (same && (now.where.empty() || !former_->decides_anew(*contract_.find_table(name)))) {
      return;
    }
    const auto choice = contract_.find_table(name)->choice();
    const auto was = same                ? fmt::format("its {}, by another column", choice)
                     : now.where.empty() ? std::string("a 'where'")
                                         : fmt::format("another {}", choice);
    found.push_back(change(before.where.empty() ? Way::less : Way::more, name, {},
                           rows_text(before, was), rows_text(now, fmt::format("its {}", choice))));
  }

  [[nodiscard]] std::vector<LeavingChange> table(const std::string& name, const TableLeaves& before,
                                                 const TableLeaves& now) const {
    std::vector<LeavingChange> found;
    std::set<const ColumnLeaves*> known;
    for (const auto& [column, leaves] : now.columns) {
      const auto* renamed = find(now.renamed, column);
      const auto were = formerly(name, column, renamed == nullptr ? "" : *renamed, before);
      known.insert(were.begin(), were.end());
      const auto more = std::ranges::find_if(were, [&now_leaves = leaves](const ColumnLeaves* was) {
        return was == nullptr || tells_more(*was, now_leaves);
      });
      const auto* was = more == were.end() ? were.front() : *more;
      if (was == nullptr) {
        found.push_back(change(Way::more, name, column, std::string(kNothing), text_of(leaves)));
      } else if (*was != leaves) {
        found.push_back(change(more == were.end() ? Way::less : Way::more, name, column,
                               text_of(*was), text_of(leaves)));
      }
    }
    leave_no_longer(name, before, known, !now.columns.empty(), found);
    compare_where(name, before, now, found);
    const bool others =
        !before.subject.empty() && !now.subject.empty() && before.subject != now.subject;
    if (const bool counted = before.min_k > 0 || now.min_k > 0;
        counted && (before.min_k != now.min_k || others ||
                    before.quasi_identifiers != now.quasi_identifiers)) {
      const bool more = now.min_k < before.min_k || others ||
                        !std::ranges::includes(now.quasi_identifiers, before.quasi_identifiers);
      found.push_back(change(more && !before.columns.empty() ? Way::more : Way::less, name, {},
                             share_text(before), share_text(now)));
    }
    return found;
  }

  static LeavingChange change(Way way, const std::string& table, const std::string& column,
                              std::string before, std::string now) {
    return {.way = way,
            .table = table,
            .column = column,
            .before = std::move(before),
            .now = std::move(now)};
  }

  void add(std::vector<LeavingChange> more) {
    std::ranges::move(more, std::back_inserter(changes));
  }

  const Contract& contract_;
  const FormerNames* former_;
};

}  // namespace

Leaving leaving_of(const Contract& contract, const Seal& seal) {
  Leaving leaving;
  for (const auto& table : contract.tables) {
    auto& leaves = leaving[table.name];
    for (const auto* column : table.exported()) {
      leaves.columns.emplace(column->name, leaves_of(*column, seal));
      if (!column->was.empty() && column->was != column->name) {
        leaves.renamed.emplace(column->name, column->was);
      }
    }
    leaves.was = table.was == table.name ? "" : table.was;
    if (table.where) {
      leaves.where = seal(text_of(*table.where));
    }
    if (table.min_k > 0 && !table.quasi_identifiers.empty()) {
      leaves.min_k = table.min_k;
      leaves.quasi_identifiers = table.quasi_identifiers;
      std::ranges::sort(leaves.quasi_identifiers);
      leaves.subject = table.subject;
    }
  }
  return leaving;
}

std::vector<LeavingChange> compare(const Leaving& before, const Leaving& now,
                                   const Contract& contract, const FormerNames* former) {
  Comparison comparison(contract, former);
  comparison.tables(before, now);
  return std::move(comparison.changes);
}

}  // namespace abgleich::contract
