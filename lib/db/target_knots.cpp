// Rows that no order can bring in one by one, since each waits for another: found by what they need
// of each other, and applied together, moved out of each other's way where that is what it takes.
#include "db/constraint_statements.hpp"
#include "db/knots.hpp"
#include "db/target.hpp"
#include "db/target_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
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
    const bool leaves = action != PlanAction::insert;
    const bool arrives = action != PlanAction::remove;
    for (const auto& unique : ties.uniques) {
      const auto before = leaves ? values.before(unique) : std::nullopt;
      const auto after = arrives ? values.after(unique) : std::nullopt;
      if (before != after) {
        put(before, row, occupied_);
        want(row, after, occupied_);
      }
    }
    for (const auto& reference : ties.references) {
      const auto before = leaves ? values.before(reference) : std::nullopt;
      const auto after = arrives ? values.after(reference) : std::nullopt;
      if (before != after) {
        put(before, row, pointing_);
        want(row, after, offered_);
      }
    }
    for (const auto& key : ties.referenced) {
      const auto before = leaves ? values.before(key) : std::nullopt;
      const auto after = arrives ? values.after(key) : std::nullopt;
      if (before != after) {
        put(after, row, offered_);
        want(row, before, pointing_);
      }
    }
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

}  // namespace

bool Target::apply_knots(std::deque<Work>& open) {
  std::vector<const Relation*> relations;
  for (const auto& work : open) {
    if (std::ranges::find(relations, work.relation) == relations.end()) {
      relations.push_back(work.relation);
    }
  }
  std::vector<Ties> ties(relations.size());
  for (std::size_t i = 0; i < relations.size(); ++i) {
    const auto& name = relations[i]->name;
    for (auto& columns : read_uniques(session_, name)) {
      ties[i].uniques.push_back({label_of("unique", name, columns), std::move(columns)});
    }
    for (const auto& key : catalog_.find_table(name)->foreign_keys) {
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
  Needs needs(open.size());
  for (std::size_t i = 0; i < relations.size(); ++i) {
    ties[i].collect();
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
      session_.connection->query(
          select_before_after(dialect(), names(*relations[i]), *relations[i], ties[i].columns,
                              rows),
          {}, [&](std::span<const Cell> cells) {
            std::int64_t number = 0;
            std::from_chars(cells[0].bytes.data(), cells[0].bytes.data() + cells[0].bytes.size(),
                            number);
            Values values;
            const auto text = [](const Cell& cell) {
              return cell.storage == Cell::Storage::null ? std::nullopt : Text(cell.bytes);
            };
            for (std::size_t c = 0; c < ties[i].columns.size(); ++c) {
              values.of[ties[i].columns[c]] = {text(cells[1 + 2 * c]), text(cells[2 + 2 * c])};
            }
            const auto at = places.at(number);
            needs.add(at, open[at].action, ties[i], values);
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
    for (const auto action : {PlanAction::remove, PlanAction::update, PlanAction::insert}) {
      for (const auto& work : knot) {
        if (work.action == action && !perform(work)) {
          return false;
        }
      }
    }
    session_.connection->check_constraints();
    return true;
  });
}

bool Target::untie_knot(const std::vector<Work>& knot, Aside aside) {
  auto& connection = *session_.connection;
  struct Loose {
    std::vector<Parking> parked;
    std::vector<std::size_t> references;  // that an insert may leave for later
  };
  const auto loosen = [&](const Work& work) {
    Loose loose;
    const auto& relation = *work.relation;
    const auto* table = catalog_.find_table(relation.name);
    std::set<std::string> unique;
    for (const auto& columns : read_uniques(session_, relation.name)) {
      unique.insert(columns.begin(), columns.end());
    }
    std::set<std::string> refers;
    for (const auto& key : table->foreign_keys) {
      refers.insert(key.columns.begin(), key.columns.end());
    }
    for (const auto& dependant : dependants(relation)) {
      // what others follow must not move but to where it belongs
      for (const auto& column : dependant.referenced) {
        if (dependant.on_update != Dependant::Effect::none) {
          unique.erase(column);
        }
      }
    }
    for (std::size_t i = 0; i < relation.columns.size(); ++i) {
      const auto& name = relation.columns[i].name;
      const Parking parking{.column = i,
                            .unique = unique.contains(name),
                            .refers = refers.contains(name),
                            .nullable = table->find_column(name)->nullable,
                            .aside = aside};
      if (relation.is_key(i)) {
        continue;
      }
      if (parking.refers && parking.nullable) {
        loose.references.push_back(i);
      }
      const bool moves = parking.unique || (parking.refers && work.action == PlanAction::remove);
      if (moves && can_park(dialect(), relation, parking)) {
        loose.parked.push_back(parking);
      }
    }
    return loose;
  };
  return in_savepoint("knot", [&] {
    connection.defer_constraints();
    std::vector<Loose> loose;
    for (const auto& work : knot) {
      loose.push_back(loosen(work));
      if (work.action != PlanAction::insert && !loose.back().parked.empty()) {
        connection.execute(
            park(dialect(), names(*work.relation), *work.relation, loose.back().parked, work.rows));
      }
    }
    for (std::size_t i = 0; i < knot.size(); ++i) {
      if (knot[i].action == PlanAction::insert) {
        connection.execute(insert_loosely(dialect(), names(*knot[i].relation), *knot[i].relation,
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
        connection.execute(fasten(dialect(), names(*knot[i].relation), *knot[i].relation,
                                  loose[i].references, knot[i].rows));
      }
    }
    for (const auto& work : knot) {
      if (work.action == PlanAction::remove && !perform(work)) {
        return false;
      }
    }
    connection.check_constraints();
    return true;
  });
}

}  // namespace abgleich::db
