// Applying a plan: in whole sets first; where a constraint refuses, in halves until just the rows
// that cannot be taken are left; of these, together what needs each other.
#include "db/constraint_statements.hpp"
#include "db/plan_statements.hpp"
#include "db/stage_statements.hpp"
#include "db/target.hpp"
#include "db/target_work.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::size_t kRefusedAtOnce = 500;  // numbers in one statement

/// Whether this is the secondary's word about rows, and not trouble of another kind.
bool refuses_rows(const Fault& fault) {
  return fault.cause() == Fault::Cause::constraint || fault.cause() == Fault::Cause::data;
}

}  // namespace

bool Target::in_savepoint(std::string_view name, const std::function<bool()>& work) {
  auto& connection = *session_.connection;
  connection.execute(fmt::format("SAVEPOINT {}", name));
  bool taken = false;
  try {
    taken = work();
  } catch (const Fault& fault) {
    if (!refuses_rows(fault)) {
      throw;
    }
    last_blame_ = {.state = fault.state(), .broken = fault.broken()};
  }
  if (!taken) {
    connection.execute(fmt::format("ROLLBACK TO SAVEPOINT {}", name));
    books().forget_read();
  }
  connection.execute(fmt::format("RELEASE SAVEPOINT {}", name));
  return taken;
}

std::string Target::action_sql(const Work& work) const {
  const auto& relation = *work.relation;
  const auto name = names(relation);
  switch (work.action) {
    case PlanAction::insert:
      return apply_insert(dialect(), name, relation, work.rows);
    case PlanAction::update:
      return apply_update(dialect(), name, relation,
                          updated_columns_[static_cast<std::size_t>(relation.id)], work.rows);
    default:
      return apply_delete(dialect(), name, relation, work.rows);
  }
}

const std::map<std::string, std::vector<Dependant>>& Target::all_dependants() {
  if (!dependants_) {
    dependants_ = read_dependants(session_, catalog_);
  }
  return *dependants_;
}

const std::vector<Dependant>& Target::dependants(const Relation& relation) {
  static const std::vector<Dependant> none;
  const auto found = all_dependants().find(relation.name);
  return found == all_dependants().end() ? none : found->second;
}

bool Target::stores_as_sent(const Relation& relation) {
  const auto* table = catalog_.find_table(relation.name);
  if (dialect().engine() != Engine::postgresql || table == nullptr || stands_in(relation) ||
      table->kind != TableKind::table || table->triggers || table->row_security ||
      std::ranges::any_of(relation.columns, [](const RelationColumn& column) {
        return column.type != column.held;
      })) {
    return false;
  }
  for (const auto& [parent, hanging] : all_dependants()) {
    if (std::ranges::any_of(hanging, [&](const Dependant& dependant) {
          return dependant.table == relation.name && dependant.schema == session_.schema;
        })) {
      return false;
    }
  }
  return count(count_heirs(table->identity)) == 0;
}

bool Target::takes_along(const Work& work) {
  const auto name = names(*work.relation);
  const bool removes = work.action == PlanAction::remove || work.action == PlanAction::replace;
  for (const auto& dependant : dependants(*work.relation)) {
    std::string sql;
    if (removes && dependant.on_delete == Dependant::Effect::loses) {
      sql = find_bereaved(dialect(), name, *work.relation, dependant, work.rows);
    } else if (work.action == PlanAction::update &&
               dependant.on_update == Dependant::Effect::loses) {
      sql = find_cut_off(dialect(), name, *work.relation, dependant, work.rows);
    }
    if (sql.empty()) {
      continue;
    }
    if (!dependant.readable) {
      throw Failure(Code::secondary_refuses,
                    fmt::format("rows of '{}.{}' hang on '{}' and change with it, but this role "
                                "may not read them",
                                dependant.schema, dependant.table, work.relation->name),
                    fmt::format("GRANT SELECT ON {} to it, so that nobody's row is lost unseen. "
                                "Nothing was changed",
                                dialect().table(dependant.schema, dependant.table)));
    }
    bool found = false;
    session_.connection->query(sql, {}, [&](std::span<const Cell>) { found = true; });
    if (found) {
      return true;
    }
  }
  return false;
}

std::optional<std::int64_t> Target::perform(const Work& work) {
  if (takes_along(work)) {
    return std::nullopt;
  }
  if (work.action == PlanAction::replace) {
    // whoever refers to the key finds one again at the end
    session_.connection->defer_constraints();
    const auto name = names(*work.relation);
    (void)write(apply_delete(dialect(), name, *work.relation, work.rows, PlanAction::replace));
    return write(apply_insert(dialect(), name, *work.relation, work.rows, PlanAction::replace));
  }
  return write(action_sql(work));
}

bool Target::plans(const Relation& relation, PlanAction action) const {
  return actions_[static_cast<std::size_t>(relation.id)].find(static_cast<char>(action)) !=
         std::string::npos;
}

bool Target::is_about(const Work& work) {
  return count(fmt::format("SELECT count(*) FROM {} WHERE action = '{}' AND {}",
                           names(*work.relation).plan, static_cast<char>(work.action),
                           work.rows.have(dialect(), "n"))) > 0;
}

std::vector<Target::Work> Target::all_work(const std::vector<Relation>& relations) {
  // Children go before parents, parents come before children; what is freed by a delete may be
  // needed by an insert (a unique value), so deletes are first where foreign keys allow. Where rows
  // would go along with a delete, those that the plan moves elsewhere are moved before.
  std::vector<Work> work;
  std::vector<Work> last;
  for (auto relation = relations.rbegin(); relation != relations.rend(); ++relation) {
    const auto rows = planned_[static_cast<std::size_t>(relation->id)];
    if (plans(*relation, PlanAction::remove)) {
      const bool alone = dependants(*relation).empty();
      (alone ? work : last).push_back({&*relation, PlanAction::remove, {1, rows}});
    }
  }
  for (const auto& relation : relations) {
    const auto rows = planned_[static_cast<std::size_t>(relation.id)];
    for (const auto action : {PlanAction::replace, PlanAction::update, PlanAction::insert}) {
      if (plans(relation, action)) {
        work.push_back({&relation, action, {1, rows}});
      }
    }
  }
  work.insert(work.end(), last.begin(), last.end());
  return work;
}

bool Target::data_is_empty(const Relation& relation) {
  return count(count_to_one(names(relation).data)) == 0;
}

std::optional<std::int64_t> Target::fill(const Relation& relation) {
  const auto name = staging(relation);
  auto& connection = *session_.connection;
  std::int64_t rows = 0;
  const bool filled = in_savepoint("fill", [&] {
    rows = write(fill_data(dialect(), name, relation, name.stage));
    connection.execute(fill_base(dialect(), name, relation, name.stage));
    as_people([&] { connection.check_constraints(); });
    return true;
  });
  if (!filled) {
    return std::nullopt;
  }
  seal_base(relation);
  return rows;
}

void Target::apply(const std::vector<Relation>& relations) {
  auto real = relations;
  std::erase_if(real, [this](const Relation& relation) {
    return stands_in(relation) || !is_staged(relation);
  });
  auto& connection = *session_.connection;
  if (mode_ == Mode::dry) {
    connection.execute("SAVEPOINT rehearsal");
  }
  const auto before = rows_beside_triggers(real);
  bool whole = false;
  try {
    whole = apply_whole(real);
    if (!whole) {
      apply_piecemeal(real);
    }
  } catch (const Fault& fault) {
    // statements of ours find what they name: what is missing is named by people's own code
    const bool theirs =
        fault.cause() == Fault::Cause::missing ||
        (fault.cause() == Fault::Cause::other && fault.error().code == Code::secondary_refuses);
    if (!theirs && fault.error().code != Code::bug) {
      throw;
    }
    throw Failure(Code::secondary_refuses, fault.error().message,
                  "a trigger, rule or foreign key of the secondary does not work: mend it, then "
                  "run: abgleich sync. Nothing was changed");
  }
  expect_applied(real, before, whole);
}

std::vector<std::int64_t> Target::rows_beside_triggers(const std::vector<Relation>& relations) {
  std::vector<std::int64_t> rows;
  const bool triggers = std::ranges::any_of(relations, [this](const Relation& relation) {
    const auto* table = catalog_.find_table(relation.name);
    return table != nullptr && table->triggers;
  });
  for (std::size_t i = 0; triggers && i < prepared_.size(); ++i) {
    rows.push_back(
        stands_in(prepared_[i]) ? 0 : count("SELECT count(*) FROM " + names(prepared_[i]).data));
  }
  return rows;
}

void Target::expect_applied(const std::vector<Relation>& relations,
                            const std::vector<std::int64_t>& before, bool whole) {
  const auto refuse = [](const Relation& relation, std::int64_t rows, std::string_view what) {
    throw Failure(Code::secondary_refuses,
                  fmt::format("the secondary {} '{}' ({} of the rows): a trigger or a cascade is "
                              "at work",
                              what, relation.name, rows),
                  "mend the secondary, then run: abgleich check. Nothing was changed");
  };
  for (const auto& relation : relations) {
    const auto at = static_cast<std::size_t>(relation.id);
    if (whole && written_[at] == writes_[at] && stores_as_sent(relation)) {
      continue;
    }
    if (const auto astray = count(count_astray(dialect(), names(relation), relation)); astray > 0) {
      refuse(relation, astray, "undoes what is written to");
    }
  }
  const auto now = rows_beside_triggers(relations);
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto growth = is_staged(prepared_[i]) ? count(count_growth(names(prepared_[i]))) : 0;
    const auto vanished = before[i] + growth - now[i];
    if (vanished > 0) {
      refuse(prepared_[i], vanished, "deletes more than was asked from");
    }
  }
}

void Target::take_back() {
  session_.connection->execute("ROLLBACK TO SAVEPOINT rehearsal");
  books().forget_read();
  session_.connection->execute("RELEASE SAVEPOINT rehearsal");
  for (const auto& sql : refusals_) {
    session_.connection->execute(sql);
  }
}

bool Target::apply_whole(const std::vector<Relation>& relations) {
  return in_savepoint("apply_whole", [&] {
    session_.connection->defer_constraints();
    for (const auto& work : all_work(relations)) {
      const auto rows = perform(work);
      if (!rows) {
        return false;
      }
      written_[static_cast<std::size_t>(work.relation->id)] += *rows;
    }
    as_people([&] { session_.connection->check_constraints(); });
    return true;
  });
}

Target::Attempt Target::attempt(const Work& work) {
  Attempt attempt;
  last_blame_ = {};
  attempt.taken = in_savepoint("attempt", [&] {
    const auto rows = perform(work);
    attempt.rows = rows.value_or(0);
    as_people([&] { session_.connection->check_constraints(); });
    return rows.has_value();
  });
  return attempt;
}

/// What one row waits for may come with another: goes round until a round takes nothing more, and
/// leaves in `open` the rows, one by one, that were not taken. True: some were.
bool Target::apply_in_halves(std::deque<Work>& open) {
  bool any = false;
  for (bool progress = true; progress && !open.empty();) {
    progress = false;
    std::deque<Work> left;
    while (!open.empty()) {
      const auto work = open.front();
      const auto& rows = work.rows;
      open.pop_front();
      if (const auto tried = attempt(work); tried.taken) {
        progress = progress || tried.rows > 0;
      } else if (rows.first == rows.last) {
        // a trigger may refuse a statement even where it is about no row
        if (is_about(work)) {
          blames_[{work.relation->id, rows.first}] = last_blame_;
          left.push_back(work);
        }
      } else {
        const auto middle = rows.first + (rows.last - rows.first) / 2;
        open.push_front({work.relation, work.action, {middle + 1, rows.last}});
        open.push_front({work.relation, work.action, {rows.first, middle}});
      }
    }
    open = std::move(left);
    any = any || progress;
  }
  return any;
}

void Target::apply_piecemeal(const std::vector<Relation>& relations) {
  std::deque<Work> open;
  for (const auto& work : all_work(relations)) {
    open.push_back(work);
  }
  apply_in_halves(open);
  while (!open.empty() && (apply_respelled(open) || apply_knots(open))) {
    apply_in_halves(open);
  }
  for (auto work = open.begin(); work != open.end();) {
    PlanRows rows;
    const auto* relation = work->relation;
    for (; work != open.end() && work->relation == relation && rows.only.size() < kRefusedAtOnce;
         ++work) {
      rows.only.push_back(work->rows.first);
    }
    refusals_.push_back(refuse_rows(dialect(), names(*relation), rows));
    session_.connection->execute(refusals_.back());
  }
}

}  // namespace abgleich::db
