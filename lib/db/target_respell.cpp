// Rows that take each other's place under a key that the secondary does not tell from the old one:
// what refers to the one refers to the other, so that neither may go first.
#include "db/cell_values.hpp"
#include "db/constraint_statements.hpp"
#include "db/target.hpp"
#include "db/target_work.hpp"

#include <set>
#include <utility>

namespace abgleich::db {

bool Target::respell_one(const Relation& relation, std::int64_t removed, std::int64_t inserted) {
  const PlanRows row{.first = removed, .last = removed};
  for (const auto& dependant : dependants(relation)) {
    if (dependant.on_update != Dependant::Effect::loses) {
      continue;
    }
    bool found = !dependant.readable;
    if (!found) {
      session_.connection->query(
          find_bereaved(dialect(), names(relation), relation, dependant, row), {},
          [&](std::span<const Cell>) { found = true; });
    }
    if (found) {
      return false;
    }
  }
  return in_savepoint("respelling", [&] {
    session_.connection->defer_constraints();
    const auto rows = write(respell(dialect(), names(relation), relation, removed, inserted));
    as_people([&] { session_.connection->check_constraints(); });
    return rows == 1;
  });
}

bool Target::apply_respelled(std::deque<Work>& open) {
  std::set<std::pair<const Relation*, std::int64_t>> taken;
  std::set<const Relation*> relations;
  for (const auto& work : open) {
    relations.insert(work.relation);
  }
  for (const auto* relation : relations) {
    PlanRows rows;
    for (const auto& work : open) {
      if (work.relation == relation) {
        rows.only.push_back(work.rows.first);
      }
    }
    const auto sql = select_respelled(dialect(), names(*relation), *relation, rows);
    if (sql.empty()) {
      continue;
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    session_.connection->query(sql, {}, [&](std::span<const Cell> cells) {
      pairs.emplace_back(number(cells[0]), number(cells[1]));
    });
    for (const auto& [removed, inserted] : pairs) {
      if (!taken.contains({relation, removed}) && !taken.contains({relation, inserted}) &&
          respell_one(*relation, removed, inserted)) {
        taken.insert({relation, removed});
        taken.insert({relation, inserted});
      }
    }
  }
  std::erase_if(open, [&](const Work& work) {
    return taken.contains({work.relation, work.rows.first});
  });
  return !taken.empty();
}

}  // namespace abgleich::db
