#include "db/secondary/planned_table.hpp"

#include "db/engine/cell_values.hpp"
#include "db/engine/engine.hpp"
#include "db/secondary/base_statements.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/row_cells.hpp"

#include <utility>

namespace abgleich::db {

namespace {

/// Rows: from here on it is faster to take the base's key off and make it again.
constexpr std::int64_t kWorthAKey = 20'000;

}  // namespace

bool PlannedTable::has(PlanAction action) const {
  return summary_.actions.find(static_cast<char>(action)) != std::string::npos;
}

void PlannedTable::planned_rows(const std::function<void(const PlanRow&)>& on_row) const {
  if (!table_->is_made()) {
    return;
  }
  PlanRow row;
  const auto cursor =
      target().connection().open(select_plan(target().dialect(), names(), relation()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    row.action = static_cast<PlanAction>(cells[0].bytes.front());
    row.key_text = cells[1].bytes;
    row.before = optional_text(cells[2]);
    row.after = optional_text(cells[3]);
    on_row(row);
  }
}

void PlannedTable::refused_rows(const std::function<void(const RefusedRow&)>& on_row) const {
  if (!table_->is_made()) {
    return;
  }
  const auto& dialect = target().dialect();
  RefusedRow refused;
  std::string scratch;
  const auto cursor = target().connection().open(select_refused(dialect, names(), relation()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    refused.n = number(cells[0]);
    refused.action = static_cast<PlanAction>(cells[1].bytes.front());
    refused.mask = cells[2].bytes;
    refused.digests.reset();
    if (cells[3].storage != Cell::Storage::null) {
      refused.digests = packed(dialect, cells[3], scratch);
    }
    refused.key_text = cells[4].bytes;
    decode_row(dialect, relation(), cells.subspan(5), refused.row);
    on_row(refused);
  }
}

void PlannedTable::written_rows(
    const std::function<void(std::string_view, std::string_view, const Row&)>& on_row) const {
  if (!table_->is_made()) {
    return;
  }
  const auto& dialect = target().dialect();
  Row row;
  std::string scratch;
  const auto cursor = target().connection().open(select_written(dialect, names(), relation()));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_row(dialect, relation(), cells.subspan(2), row);
    on_row(cells[0].bytes, packed(dialect, cells[1], scratch), row);
  }
}

void PlannedTable::refuse(const PlanRows& rows) {
  refusals_.push_back(refuse_rows(target().dialect(), names(), rows));
  target().connection().execute(refusals_.back());
}

void PlannedTable::refuse_again() const {
  for (const auto& sql : refusals_) {
    target().connection().execute(sql);
  }
}

void PlannedTable::note_blame(std::int64_t n, Blame blame) {
  blames_[n] = std::move(blame);
}

void PlannedTable::move_base() const {
  auto& connection = target().connection();
  if (summary_.deletes_base) {
    connection.execute(forget_base(names(), relation()));
  }
  if (summary_.updates_base) {
    connection.execute(update_base(target().dialect(), names(), relation()));
  }
  if (summary_.inserts_base) {
    connection.execute(insert_base(names(), relation()));
  }
}

bool PlannedTable::move_base_without_key() const {
  return target().stand_ins().none(relation()) &&
         target().backend().without_key(target().session(), names().base, [&] { move_base(); });
}

void PlannedTable::record() const {
  if (!table_->is_made()) {
    return;  // no row of it was planned
  }
  const auto id = relation().id;
  auto& books = target().books();
  if (summary_.images == BeforeImages::not_of_deleted) {
    books.erase_images(id, select_leaving(names()));
  }
  target().connection().execute(journal_plan(names(), relation(),
                                             target().session().own_table("journal"),
                                             books.next_epoch(), summary_.images));
  if (refusals_.empty()) {
    books.journal_grew(summary_.journal);
  } else {
    books.journal_grew(id);
  }
  // where no row was refused, the plan knows what every base row was and is
  const bool known = refusals_.empty() && seals_as_sent(target().dialect(), relation());
  BaseTable base(target(), relation());
  const auto touched = select_sealed_of_plan(names(), relation());
  auto change = known ? summary_.base : Seal{};
  if (!known) {
    const auto before = base.measure(touched).seal;
    change.rows -= before.rows;
    change.sum -= before.sum;
  }
  const auto rows = summary_.rows;
  const bool most = rows >= kWorthAKey && 2 * rows > books.base_seal(id).rows;
  if (!most || !move_base_without_key()) {
    move_base();
  }
  if (!known) {
    const auto after = base.measure(touched).seal;
    change.rows += after.rows;
    change.sum += after.sum;
  }
  auto seal = books.base_seal(id);
  seal.rows += change.rows;
  seal.sum += change.sum;
  books.seal_base(id, seal);
}

}  // namespace abgleich::db
