#include "db/secondary/target.hpp"

#include "db/engine/engine.hpp"
#include "db/secondary/staged_table.hpp"

#include <fmt/format.h>

#include <charconv>

namespace abgleich::db {

namespace {

/// Whether the secondary has refused rows, and it is not a fault of another kind.
bool refuses_rows(const Fault& fault) {
  return fault.cause() == Fault::Cause::constraint || fault.cause() == Fault::Cause::data;
}

}  // namespace

Target::Target(const Endpoint& endpoint, Mode mode)
    : session_(db::open(endpoint, Access::write)), mode_(mode), stand_ins_(session_) {
  if (mode == Mode::real) {
    begin_write(session_);
  } else {
    backend().begin_rehearsal(session_);
  }
  books_ = std::make_unique<Books>(session_);
  backend().prepare_for_sets(session_);
  peoples_path_ = backend().peoples_path(session_);
}

Target::~Target() {
  if (open_) {
    rollback(session_);
  }
}

void Target::load_catalog() {
  catalog_ = read_catalog(session_);
  equalities_ = read_equalities(session_, catalog_);
  dependants_.reset();
}

void Target::execute_ddl(const std::vector<std::string>& statements) {
  // people's checks and index expressions are run for the rows of a table that is rewritten
  session_.connection->edit_definitions([&] {
    for (const auto& sql : statements) {
      write(sql);
    }
  });
  books_->forget_read();
  load_catalog();
}

StagedTable& Target::prepare(const LocatedRelation& relation) {
  return *prepared_.emplace_back(std::make_unique<StagedTable>(*this, relation));
}

void Target::forget_prepared() {
  prepared_.clear();
}

void Target::commit() {
  open_ = false;
  db::commit(session_);
}

Equality Target::equality_of(const std::string& table, const std::string& column) const {
  const auto found = equalities_.find({table, column});
  return found == equalities_.end() ? Equality{} : found->second;
}

const Dependants& Target::all_dependants() {
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

void Target::as_people(const std::function<void()>& work) {
  if (peoples_path_.empty()) {
    work();
    return;
  }
  backend().look_up_by(session_, peoples_path_);
  work();  // where it throws, the rollback that follows restores the path
  backend().look_up_by(session_, {});
}

std::int64_t Target::write(const std::string& sql) {
  std::int64_t rows = 0;
  as_people([&] { rows = session_.connection->execute(sql); });
  return rows;
}

std::int64_t Target::count(const std::string& sql) {
  std::int64_t rows = 0;
  session_.connection->query(sql, {}, [&](std::span<const Cell> cells) {
    const auto& digits = cells[0].bytes;
    std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  });
  return rows;
}

std::optional<Blame> Target::refused(std::string_view savepoint,
                                     const std::function<bool()>& work) {
  auto& connection = *session_.connection;
  connection.execute(fmt::format("SAVEPOINT {}", savepoint));
  std::optional<Blame> blame;
  try {
    if (!work()) {
      blame.emplace();
    }
  } catch (const Fault& fault) {
    if (!refuses_rows(fault)) {
      throw;
    }
    blame = Blame{.state = fault.state(), .broken = fault.broken()};
  }
  if (blame) {
    connection.execute(fmt::format("ROLLBACK TO SAVEPOINT {}", savepoint));
    books_->forget_read();
  }
  connection.execute(fmt::format("RELEASE SAVEPOINT {}", savepoint));
  return blame;
}

}  // namespace abgleich::db
