// Rows that no order can bring in one by one, since each waits for another: found by what they need
// of each other, and applied together, moved out of each other's way where that is what it takes.
#include "db/cell_values.hpp"
#include "db/constraint_statements.hpp"
#include "db/knots.hpp"
#include "db/target.hpp"
#include "db/target_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::size_t kRowsAtOnce = 500;  // numbers in one statement

using Text = std::optional<std::string>;

/// What rows hold or point to, by name and values: who has it, by index of the row.
using Holders = std::unordered_map<std::string, std::vector<std::size_t>>;

/// Columns whose values together mean something: a unique key, or what a foreign key refers to.
struct Group {
  std::string label;
  std::vector<std::string> columns;
};

std::string label_of(std::string_view what, const std::string& table,
                     const std::vector<std::string>& columns) {
  return fmt::format("{} {}({})", what, table, fmt::join(columns, ","));
}

/// What ties a relation's rows to others.
struct Ties {
  std::vector<Group> uniques;
  std::vector<Group> references;  // labelled by what they refer to
  std::vector<Group> referenced;
  std::vector<std::string> columns;  // all of them, once

  void collect() {
    std::set<std::string> all;
    for (const auto* groups : {&uniques, &references, &referenced}) {
      for (const auto& group : *groups) {
        all.insert(group.columns.begin(), group.columns.end());
      }
    }
    columns.assign(all.begin(), all.end());
  }
};

/// One row's values before and after, by column.
struct Values {
  std::unordered_map<std::string, std::pair<Text, Text>> of;

  /// The group's values as one text; nothing where one of them is NULL.
  [[nodiscard]] Text before(const Group& group) const { return joined(group, &Pair::first); }
  [[nodiscard]] Text after(const Group& group) const { return joined(group, &Pair::second); }

 private:
  using Pair = std::pair<Text, Text>;

  Text joined(const Group& group, Text Pair::*side) const {
    auto text = group.label;
    for (const auto& column : group.columns) {
      const auto& value = of.at(column).*side;
      if (!value) {
        return std::nullopt;
      }
      // capitals, which some collations do not tell apart, tie too much rather than too little
      text += fmt::format(" {}:", value->size());
      std::ranges::transform(*value, std::back_inserter(text), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
    }
    return text;
  }
};

/// Who has to come first.
class Needs {
 public:
  explicit Needs(std::size_t rows) : wants_(rows) {}

  void add(std::size_t row, PlanAction action, const Ties& ties, const Values& values) {
    each_change(ties.uniques, action, values, [&](const Text& before, const Text& after) {
      put(before, row, occupied_);
      want(row, after, occupied_);
    });
    each_change(ties.references, action, values, [&](const Text& before, const Text& after) {
      put(before, row, pointing_);
      want(row, after, offered_);
    });
    each_change(ties.referenced, action, values, [&](const Text& before, const Text& after) {
      put(after, row, offered_);
      want(row, before, pointing_);
    });
  }

  [[nodiscard]] std::vector<std::vector<std::size_t>> edges() const {
    std::vector<std::vector<std::size_t>> needs(wants_.size());
    for (std::size_t row = 0; row < wants_.size(); ++row) {
      for (const auto& [what, holders] : wants_[row]) {
        if (const auto found = holders->find(what); found != holders->end()) {
          std::ranges::copy_if(found->second, std::back_inserter(needs[row]),
                               [&](std::size_t other) { return other != row; });
        }
      }
    }
    return needs;
  }

 private:
  /// Calls `moves(before, after)` for every group whose values are other ones afterwards.
  template <class Moves>
  static void each_change(const std::vector<Group>& groups, PlanAction action, const Values& values,
                          const Moves& moves) {
    for (const auto& group : groups) {
      const auto before = action == PlanAction::insert ? std::nullopt : values.before(group);
      const auto after = action == PlanAction::remove ? std::nullopt : values.after(group);
      if (before != after) {
        moves(before, after);
      }
    }
  }

  static void put(const Text& what, std::size_t row, Holders& holders) {
    if (what) {
      holders[*what].push_back(row);
    }
  }
  void want(std::size_t row, const Text& what, const Holders& holders) {
    if (what) {
      wants_[row].emplace_back(*what, &holders);
    }
  }

  Holders occupied_;  // unique values that are given up
  Holders offered_;   // keys that come to be there to refer to
  Holders pointing_;  // references that are given up
  std::vector<std::vector<std::pair<std::string, const Holders*>>> wants_;
};

/// The ties of each relation, those to each other included.
std::vector<Ties> ties_of(Session& session, const Catalog& catalog,
                          const std::vector<const Relation*>& relations) {
  std::vector<Ties> ties(relations.size());
  for (std::size_t i = 0; i < relations.size(); ++i) {
    const auto& name = relations[i]->name;
    for (auto& columns : read_uniques(session, name)) {
      ties[i].uniques.push_back({label_of("unique", name, columns), std::move(columns)});
    }
    for (const auto& key : catalog.find_table(name)->foreign_keys) {
      const auto label = label_of("key", key.table, key.referenced);
      ties[i].references.push_back({label, key.columns});
      for (std::size_t j = 0; j < relations.size(); ++j) {
        auto& known = ties[j].referenced;
        if (relations[j]->name == key.table &&
            std::ranges::find(known, label, &Group::label) == known.end()) {
          known.push_back({label, key.referenced});
        }
      }
    }
  }
  for (auto& one : ties) {
    one.collect();
  }
  return ties;
}

/// A row of `select_before_after`, behind its number.
Values values_of(const std::vector<std::string>& columns, std::span<const Cell> cells) {
  const auto text = [](const Cell& cell) {
    return cell.storage == Cell::Storage::null ? std::nullopt : Text(cell.bytes);
  };
  Values values;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    values.of[columns[i]] = {text(cells[1 + 2 * i]), text(cells[2 + 2 * i])};
  }
  return values;
}

/// What of a relation's rows may be moved aside until all of a knot are where they belong.
struct Loose {
  std::vector<Parking> parked;
  std::vector<std::size_t> references;  // that an insert may leave for later
};

/// The columns of a relation that are unique, and may stand aside.
std::set<std::string> movable_uniques(Session& session, const Relation& relation,
                                      const std::vector<Dependant>& dependants) {
  std::set<std::string> unique;
  for (const auto& columns : read_uniques(session, relation.name)) {
    unique.insert(columns.begin(), columns.end());
  }
  for (const auto& dependant : dependants) {
    // what others follow must not move but to where it belongs
    if (dependant.on_update != Dependant::Effect::none) {
      for (const auto& column : dependant.referenced) {
        unique.erase(column);
      }
    }
  }
  return unique;
}

Loose loosen(const Dialect& dialect, const CatalogTable& table, const Relation& relation,
             const std::set<std::string>& unique, PlanAction action, Aside aside) {
  std::set<std::string> refers;
  for (const auto& key : table.foreign_keys) {
    refers.insert(key.columns.begin(), key.columns.end());
  }
  Loose loose;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.is_key(i)) {
      continue;
    }
    const auto& name = relation.columns[i].name;
    const Parking parking{.column = i,
                          .unique = unique.contains(name),
                          .refers = refers.contains(name),
                          .nullable = table.find_column(name)->nullable,
                          .aside = aside};
    if (parking.refers && parking.nullable) {
      loose.references.push_back(i);
    }
    const bool moves = parking.unique || (parking.refers && action == PlanAction::remove);
    if (moves && can_park(dialect, relation, parking)) {
      loose.parked.push_back(parking);
    }
  }
  return loose;
}

}  // namespace

bool Target::apply_knots(std::deque<Work>& open) {
  std::vector<const Relation*> relations;
  for (const auto& work : open) {
    if (std::ranges::find(relations, work.relation) == relations.end()) {
      relations.push_back(work.relation);
    }
  }
  const auto ties = ties_of(session_, catalog_, relations);
  Needs needs(open.size());
  for (std::size_t i = 0; i < relations.size(); ++i) {
    std::map<std::int64_t, std::size_t> places;  // number in the plan -> index in `open`
    for (std::size_t at = 0; at < open.size(); ++at) {
      if (open[at].relation == relations[i]) {
        places[open[at].rows.first] = at;
      }
    }
    for (auto place = places.begin(); place != places.end();) {
      PlanRows rows;
      for (; place != places.end() && rows.only.size() < kRowsAtOnce; ++place) {
        rows.only.push_back(place->first);
      }
      session_.connection->query(select_before_after(dialect(), names(*relations[i]), *relations[i],
                                                     ties[i].columns, rows),
                                 {}, [&](std::span<const Cell> cells) {
                                   const auto at = places.at(number(cells[0]));
                                   needs.add(at, open[at].action, ties[i],
                                             values_of(ties[i].columns, cells));
                                 });
    }
  }
  std::set<std::size_t> taken;
  for (const auto& knot : knots(needs.edges())) {
    std::vector<Work> works;
    for (const auto at : knot) {
      const auto& row = open[at];
      auto work = std::ranges::find_if(works, [&](const Work& other) {
        return other.relation == row.relation && other.action == row.action;
      });
      if (work == works.end()) {
        work = works.insert(works.end(), {row.relation, row.action, {}});
      }
      work->rows.only.push_back(row.rows.first);
    }
    if (apply_knot(works) || untie_knot(works, Aside::to_null) ||
        untie_knot(works, Aside::to_value)) {
      taken.insert(knot.begin(), knot.end());
    }
  }
  std::deque<Work> left;
  for (std::size_t at = 0; at < open.size(); ++at) {
    if (!taken.contains(at)) {
      left.push_back(open[at]);
    }
  }
  open = std::move(left);
  return !taken.empty();
}

bool Target::apply_knot(const std::vector<Work>& knot) {
  return in_savepoint("knot", [&] {
    session_.connection->defer_constraints();
    for (const auto action :
         {PlanAction::remove, PlanAction::replace, PlanAction::update, PlanAction::insert}) {
      for (const auto& work : knot) {
        if (work.action == action && !perform(work)) {
          return false;
        }
      }
    }
    as_people([&] { session_.connection->check_constraints(); });
    return true;
  });
}

bool Target::untie_knot(const std::vector<Work>& knot, Aside aside) {
  if (std::ranges::find(knot, PlanAction::replace, &Work::action) != knot.end()) {
    return false;  // nobody's row goes aside for another subject's
  }
  auto& connection = *session_.connection;
  return in_savepoint("knot", [&] {
    connection.defer_constraints();
    std::vector<Loose> loose;
    for (const auto& work : knot) {
      const auto& relation = *work.relation;
      loose.push_back(loosen(dialect(), *catalog_.find_table(relation.name), relation,
                             movable_uniques(session_, relation, dependants(relation)), work.action,
                             aside));
      if (work.action != PlanAction::insert && !loose.back().parked.empty()) {
        write(park(dialect(), names(relation), relation, loose.back().parked, work.rows));
      }
    }
    for (std::size_t i = 0; i < knot.size(); ++i) {
      if (knot[i].action == PlanAction::insert) {
        write(insert_loosely(dialect(), names(*knot[i].relation), *knot[i].relation,
                             loose[i].references, knot[i].rows));
      }
    }
    for (const auto& work : knot) {
      if (work.action == PlanAction::update && !perform(work)) {
        return false;
      }
    }
    for (std::size_t i = 0; i < knot.size(); ++i) {
      if (knot[i].action == PlanAction::insert && !loose[i].references.empty()) {
        write(fasten(dialect(), names(*knot[i].relation), *knot[i].relation, loose[i].references,
                     knot[i].rows));
      }
    }
    for (const auto& work : knot) {
      if (work.action == PlanAction::remove && !perform(work)) {
        return false;
      }
    }
    as_people([&] { connection.check_constraints(); });
    return true;
  });
}

}  // namespace abgleich::db
