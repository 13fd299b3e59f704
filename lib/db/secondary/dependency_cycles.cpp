#include "db/secondary/dependency_cycles.hpp"

#include "db/engine/cell_values.hpp"
#include "db/secondary/constraint_statements.hpp"
#include "db/secondary/strongly_connected.hpp"

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

/// By label and values of a Group: the rows that have these values, by their indexes.
using Holders = std::unordered_map<std::string, std::vector<std::size_t>>;

/// Columns that are looked at together: those of a unique key, of a foreign key, or those that a
/// foreign key refers to.
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
  std::vector<std::string> columns;  // of all groups, each once

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
      // in small letters, since some collations do not tell capitals apart: a tie too many does
      // less harm than one too few
      text += fmt::format(" {}:", value->size());
      std::ranges::transform(*value, std::back_inserter(text), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
    }
    return text;
  }
};

/// Which rows have to be applied before which others.
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
  /// Calls `moves(before, after)` for every group whose values change.
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

  Holders occupied_;  // unique values that rows give up
  Holders offered_;   // keys that rows bring, for others to refer to
  Holders pointing_;  // references that rows give up
  std::vector<std::vector<std::pair<std::string, const Holders*>>> wants_;
};

/// The ties of each relation. A foreign key from one of them to another ties the rows of both.
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

/// The values in a row of `select_before_after`, whose first cell is the number of the row.
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

/// What may be moved aside in rows of a relation until all rows of the cycle are written.
struct Loose {
  std::vector<ColumnAside> columns_aside;
  std::vector<std::size_t> references;  // columns that an insert may leave NULL for now
};

/// The columns of a relation that are unique and may be moved aside.
std::set<std::string> movable_uniques(Session& session, const Relation& relation,
                                      const std::vector<Dependant>& dependants) {
  std::set<std::string> unique;
  for (const auto& columns : read_uniques(session, relation.name)) {
    unique.insert(columns.begin(), columns.end());
  }
  for (const auto& dependant : dependants) {
    // an ON UPDATE action would carry the value that is moved aside into other rows
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
    const ColumnAside column_aside{.column = i,
                                   .unique = unique.contains(name),
                                   .refers = refers.contains(name),
                                   .nullable = table.find_column(name)->nullable,
                                   .aside = aside};
    if (column_aside.refers && column_aside.nullable) {
      loose.references.push_back(i);
    }
    const bool moves = column_aside.unique || (column_aside.refers && action == PlanAction::remove);
    if (moves && can_set_aside(dialect, relation, column_aside)) {
      loose.columns_aside.push_back(column_aside);
    }
  }
  return loose;
}

/// The steps of one cycle: a step for each plan and action, over all of its rows.
using Cycle = std::vector<PlanStep>;

bool apply_together(Target& target, const Cycle& cycle) {
  const auto refused = target.refused("together", [&] {
    target.connection().defer_constraints();
    for (const auto action :
         {PlanAction::remove, PlanAction::replace, PlanAction::update, PlanAction::insert}) {
      for (const auto& step : cycle) {
        if (step.action == action && !perform(target, step)) {
          return false;
        }
      }
    }
    target.as_people([&] { target.connection().check_constraints(); });
    return true;
  });
  return !refused;
}

bool perform_all(Target& target, const Cycle& cycle, PlanAction action) {
  return std::ranges::all_of(cycle, [&](const PlanStep& step) {
    return step.action != action || perform(target, step).has_value();
  });
}

/// Moves values aside that are in the way, writes all rows, and fills in what the inserts
/// have left NULL.
bool apply_set_aside(Target& target, const Cycle& cycle, Aside aside) {
  if (std::ranges::find(cycle, PlanAction::replace, &PlanStep::action) != cycle.end()) {
    return false;  // not for rows that replace the row of another subject
  }
  const auto& dialect = target.dialect();
  const auto refused = target.refused("together", [&] {
    target.connection().defer_constraints();
    std::vector<Loose> loose;
    for (const auto& step : cycle) {
      const auto& relation = step.plan->relation();
      loose.push_back(
          loosen(dialect, *target.catalog().find_table(relation.name), relation,
                 movable_uniques(target.session(), relation, target.dependants(relation)),
                 step.action, aside));
      if (step.action != PlanAction::insert && !loose.back().columns_aside.empty()) {
        target.write(set_aside(dialect, step.plan->names(), relation, loose.back().columns_aside,
                               step.rows));
      }
    }
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      if (cycle[i].action == PlanAction::insert) {
        target.write(insert_loosely(dialect, cycle[i].plan->names(), cycle[i].plan->relation(),
                                    loose[i].references, cycle[i].rows));
      }
    }
    if (!perform_all(target, cycle, PlanAction::update)) {
      return false;
    }
    for (std::size_t i = 0; i < cycle.size(); ++i) {
      if (cycle[i].action == PlanAction::insert && !loose[i].references.empty()) {
        target.write(restore(dialect, cycle[i].plan->names(), cycle[i].plan->relation(),
                             loose[i].references, cycle[i].rows));
      }
    }
    if (!perform_all(target, cycle, PlanAction::remove)) {
      return false;
    }
    target.as_people([&] { target.connection().check_constraints(); });
    return true;
  });
  return !refused;
}

/// For each step, the indexes of the steps that it needs to be applied first.
std::vector<std::vector<std::size_t>> needs_of(Target& target, const std::deque<PlanStep>& open) {
  std::vector<const PlannedTable*> plans;
  std::vector<const Relation*> relations;
  for (const auto& step : open) {
    if (std::ranges::find(plans, step.plan) == plans.end()) {
      plans.push_back(step.plan);
      relations.push_back(&step.plan->relation());
    }
  }
  const auto ties = ties_of(target.session(), target.catalog(), relations);
  Needs needs(open.size());
  for (std::size_t i = 0; i < plans.size(); ++i) {
    std::map<std::int64_t, std::size_t> places;  // number in the plan -> index in `open`
    for (std::size_t at = 0; at < open.size(); ++at) {
      if (open[at].plan == plans[i]) {
        places[open[at].rows.first] = at;
      }
    }
    for (auto place = places.begin(); place != places.end();) {
      PlanRows rows;
      for (; place != places.end() && rows.only.size() < kRowsAtOnce; ++place) {
        rows.only.push_back(place->first);
      }
      target.connection().query(select_before_after(target.dialect(), plans[i]->names(),
                                                    *relations[i], ties[i].columns, rows),
                                {}, [&](std::span<const Cell> cells) {
                                  const auto at = places.at(number(cells[0]));
                                  needs.add(at, open[at].action, ties[i],
                                            values_of(ties[i].columns, cells));
                                });
    }
  }
  return needs.edges();
}

Cycle cycle_of(const std::deque<PlanStep>& open, const std::vector<std::size_t>& places) {
  Cycle cycle;
  for (const auto at : places) {
    const auto& row = open[at];
    auto step = std::ranges::find_if(cycle, [&](const PlanStep& other) {
      return other.plan == row.plan && other.action == row.action;
    });
    if (step == cycle.end()) {
      step = cycle.insert(cycle.end(), {row.plan, row.action, {}});
    }
    step->rows.only.push_back(row.rows.first);
  }
  return cycle;
}

}  // namespace

bool apply_dependency_cycles(Target& target, std::deque<PlanStep>& open) {
  std::set<std::size_t> taken;
  for (const auto& places : strongly_connected(needs_of(target, open))) {
    const auto cycle = cycle_of(open, places);
    if (apply_together(target, cycle) || apply_set_aside(target, cycle, Aside::to_null) ||
        apply_set_aside(target, cycle, Aside::to_value)) {
      taken.insert(places.begin(), places.end());
    }
  }
  std::deque<PlanStep> left;
  for (std::size_t at = 0; at < open.size(); ++at) {
    if (!taken.contains(at)) {
      left.push_back(open[at]);
    }
  }
  open = std::move(left);
  return !taken.empty();
}

}  // namespace abgleich::db
