#include "db/secondary/plan_writer.hpp"

#include "db/engine/cell_values.hpp"
#include "db/secondary/base_table.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::int64_t kLargePlan = 10'000;  // rows: from here on ANALYZE is worth it

bool writes_data(PlanAction action) {
  return action == PlanAction::insert || action == PlanAction::update ||
         action == PlanAction::remove || action == PlanAction::replace;
}

}  // namespace

PlanWriter::PlanWriter(StagedTable& table, BeforeImages images)
    : table_(table),
      summary_{.images = images},
      base_key_(table.target().books().sealer().base_key(table.relation().id)) {}

void PlanWriter::add(const PlanRow& row, const Row& values) {
  const auto& relation = table_.relation();
  auto& target = table_.target();
  if (!loader_) {
    table_.make();
    loader_ = target.connection().load(table_.names().plan, plan_columns(relation));
  }
  const auto number = std::to_string(++summary_.rows);
  const char action = static_cast<char>(row.action);
  if (summary_.actions.find(action) == std::string::npos) {
    summary_.actions += action;
  }
  cells_.clear();
  cells_.push_back({Cell::Storage::integer, number});
  cells_.push_back(text_cell({&action, 1}));
  cells_.push_back(text_cell(row.mask));
  scratch_.resize(relation.columns.size());
  auto& updated = summary_.updated_columns;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const bool written = i < row.mask.size() && row.mask[i] != '0';
    const bool needed = written || relation.is_key(i);
    cells_.push_back(
        needed && !values.cells[i].is_null()
            ? target.dialect().encode(relation.columns[i].type, values.cells[i], scratch_[i])
            : Cell{});
    if (written && row.action == PlanAction::update &&
        std::ranges::find(updated, i) == updated.end()) {
      updated.push_back(i);
    }
  }
  sum_up(row);
  cells_.push_back(row.digests ? Cell{Cell::Storage::blob, *row.digests} : Cell{});
  cells_.push_back(text_cell(row.fate));
  cells_.push_back(text_cell(row.key_text));
  cells_.push_back(cell_of(row.before));
  cells_.push_back(cell_of(row.after));
  const auto base = to_journal(row);
  cells_.push_back(cell_of(base.moved));
  cells_.push_back(blob_of(base.before));
  cells_.push_back(blob_of(base.after));
  const auto mac = seal_entry(row, base);
  cells_.push_back({Cell::Storage::blob, mac});
  loader_->add(cells_);
}

std::string PlanWriter::seal_entry(const PlanRow& row, const BaseMove& base) {
  // the same fields as `journal_plan` writes
  using Action = PlanAction;
  const bool replaced = row.action == Action::replace;
  const bool goes = row.action == Action::remove || replaced || row.action == Action::forget;
  const bool kept = summary_.images == BeforeImages::keep || !goes;
  const auto view = [](const std::optional<std::string>& text) {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
  };
  const auto& books = table_.target().books();
  JournalFields fields{.epoch = books.next_epoch(),
                       .tracked = table_.relation().id,
                       .key_text = row.key_text,
                       .fate = row.fate,
                       .moved = view(base.moved),
                       .base_after = base.moved ? view(base.after) : view(row.digests)};
  if (kept && (row.action == Action::update || row.action == Action::remove || replaced)) {
    fields.before = view(row.before);
  }
  if (row.action == Action::insert || row.action == Action::update || replaced) {
    fields.after = view(row.after);
  }
  if (kept) {
    fields.base_before = view(base.before);
  }
  const auto& sealer = books.sealer();
  auto mac = sealer.mac(fields);
  summary_.journal += sealer.share(mac);
  return mac;
}

BaseMove PlanWriter::to_journal(const PlanRow& row) {
  if (row.action == PlanAction::update || row.action == PlanAction::agree) {
    auto move = base_move(row.base, row.digests);
    if (!move.moved) {
      move.after.reset();
    }
    return move;
  }
  // of a row that comes or goes all cells are kept: a revert may need all of them
  return {.before = row.base ? std::optional(std::string(*row.base)) : std::nullopt};
}

/// Adds up what the row changes in data and base if the whole plan is taken. REQUIRES: `cells_`
/// holds the row's cells.
void PlanWriter::sum_up(const PlanRow& row) {
  summary_.writes += writes_data(row.action) ? 1 : 0;
  summary_.inserts_base = summary_.inserts_base || (row.digests && !row.base);
  summary_.updates_base = summary_.updates_base || (row.digests && row.base);
  summary_.deletes_base = summary_.deletes_base || (!row.digests && row.base);
  key_.clear();
  for (const auto i : table_.relation().key) {
    key_.push_back(cells_[3 + i]);
  }
  if (row.base) {
    --summary_.base.rows;
    summary_.base.sum -= base_checksum(base_key_, key_, *row.base, sum_bytes_);
  }
  if (row.digests) {
    ++summary_.base.rows;
    summary_.base.sum += base_checksum(base_key_, key_, *row.digests, sum_bytes_);
  }
}

PlannedTable PlanWriter::finish() {
  if (loader_) {
    loader_->flush();
  }
  if (summary_.rows >= kLargePlan) {
    auto& target = table_.target();
    const auto sql = analyze_plan(target.dialect(), table_.names(), table_.relation());
    if (!sql.empty()) {
      target.connection().execute(sql);
    }
  }
  std::ranges::sort(summary_.updated_columns);
  return {table_, std::move(summary_)};
}

}  // namespace abgleich::db
