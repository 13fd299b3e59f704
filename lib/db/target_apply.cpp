// Applying a plan: in whole sets first; where a constraint refuses, in halves until just the rows
// that cannot be taken are left.
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace abgleich::db {

/// One statement over a range of one plan.
struct Target::Work {
  const Relation* relation;
  PlanAction action;
  std::int64_t first;
  std::int64_t last;
};

std::string Target::action_sql(const Work& work) const {
  const auto& relation = *work.relation;
  const auto name = names(relation);
  switch (work.action) {
    case PlanAction::insert:
      return apply_insert(dialect(), name, relation, work.first, work.last);
    case PlanAction::update:
      return apply_update(dialect(), name, relation,
                          updated_columns_[static_cast<std::size_t>(relation.id)], work.first,
                          work.last);
    default:
      return apply_delete(dialect(), name, relation, work.first, work.last);
  }
}

std::vector<Target::Work> Target::all_work(const std::vector<Relation>& relations) const {
  // Children go before parents, parents come before children; what is freed by a delete may be
  // needed by an insert (a unique value), so deletes are first where foreign keys allow.
  std::vector<Work> work;
  for (auto relation = relations.rbegin(); relation != relations.rend(); ++relation) {
    if (const auto rows = planned_[static_cast<std::size_t>(relation->id)]; rows > 0) {
      work.push_back({&*relation, PlanAction::remove, 1, rows});
    }
  }
  for (const auto& relation : relations) {
    const auto rows = planned_[static_cast<std::size_t>(relation.id)];
    if (rows == 0) {
      continue;
    }
    if (!updated_columns_[static_cast<std::size_t>(relation.id)].empty()) {
      work.push_back({&relation, PlanAction::update, 1, rows});
    }
    work.push_back({&relation, PlanAction::insert, 1, rows});
  }
  return work;
}

bool Target::data_is_empty(const Relation& relation) {
  return count(fmt::format("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT 1) AS one",
                           names(relation).data)) == 0;
}

std::optional<std::int64_t> Target::fill(const Relation& relation) {
  const auto name = names(relation);
  auto& connection = *session_.connection;
  connection.execute("SAVEPOINT fill");
  try {
    const auto rows = connection.execute(fill_data(dialect(), name, relation));
    connection.execute(fill_base(name, relation));
    connection.execute("RELEASE SAVEPOINT fill");
    seal_base(relation);
    return rows;
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
  }
  connection.execute("ROLLBACK TO SAVEPOINT fill");
  connection.execute("RELEASE SAVEPOINT fill");
  return std::nullopt;
}

void Target::apply(const std::vector<Relation>& relations) {
  if (mode_ == Mode::real) {
    if (!apply_whole(relations)) {
      apply_piecemeal(relations);
    }
    return;
  }
  auto real = relations;
  std::erase_if(real, [this](const Relation& relation) { return stands_in(relation); });
  session_.connection->execute("SAVEPOINT rehearsal");
  if (!apply_whole(real)) {
    apply_piecemeal(real);
  }
}

void Target::take_back() {
  session_.connection->execute("ROLLBACK TO SAVEPOINT rehearsal");
  session_.connection->execute("RELEASE SAVEPOINT rehearsal");
  for (const auto& sql : refusals_) {
    session_.connection->execute(sql);
  }
}

bool Target::apply_whole(const std::vector<Relation>& relations) {
  auto& connection = *session_.connection;
  connection.execute("SAVEPOINT apply_whole");
  try {
    connection.defer_constraints();
    for (const auto& work : all_work(relations)) {
      connection.execute(action_sql(work));
    }
    connection.check_constraints();
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    connection.execute("ROLLBACK TO SAVEPOINT apply_whole");
    connection.execute("RELEASE SAVEPOINT apply_whole");
    return false;
  }
  connection.execute("RELEASE SAVEPOINT apply_whole");
  return true;
}

Target::Attempt Target::attempt(const Work& work) {
  auto& connection = *session_.connection;
  connection.execute("SAVEPOINT attempt");
  try {
    const auto rows = connection.execute(action_sql(work));
    connection.check_constraints();
    connection.execute("RELEASE SAVEPOINT attempt");
    return {.taken = true, .rows = rows};
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    connection.execute("ROLLBACK TO SAVEPOINT attempt");
    connection.execute("RELEASE SAVEPOINT attempt");
    return {};
  }
}

void Target::apply_piecemeal(const std::vector<Relation>& relations) {
  std::deque<Work> open;
  for (const auto& work : all_work(relations)) {
    open.push_back(work);
  }
  // What one row waits for may come with another: go round until a round takes nothing more.
  for (bool progress = true; progress && !open.empty();) {
    progress = false;
    std::deque<Work> left;
    while (!open.empty()) {
      const auto work = open.front();
      open.pop_front();
      if (const auto tried = attempt(work); tried.taken) {
        progress = progress || tried.rows > 0;
      } else if (work.first == work.last) {
        left.push_back(work);
      } else {
        const auto middle = work.first + (work.last - work.first) / 2;
        open.push_front({work.relation, work.action, middle + 1, work.last});
        open.push_front({work.relation, work.action, work.first, middle});
      }
    }
    open = std::move(left);
  }
  for (const auto& work : open) {
    refusals_.push_back(refuse_rows(names(*work.relation), work.first, work.last));
    session_.connection->execute(refusals_.back());
  }
}

}  // namespace abgleich::db
