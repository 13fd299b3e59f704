// A plan as it is made: its rows go into plan_N, and what they will do to data and base is summed
// up on the way; and as it is read back.
#include "db/base_statements.hpp"
#include "db/cell_values.hpp"
#include "db/plan_statements.hpp"
#include "db/target.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::int64_t kLargePlan = 10'000;  // rows: from here on a look at them pays

}  // namespace

Target::Plan::Plan(Target& target, const Relation& relation, BeforeImages images)
    : target_(target),
      relation_(relation),
      images_(images),
      base_key_(target.books_->sealer().base_key(relation.id)) {
  target.base_changes_[static_cast<std::size_t>(relation.id)].images = images;
}

void Target::Plan::add(const PlanRow& row, const Row& values) {
  if (!loader_) {
    loader_ =
        target_.session_.connection->load(target_.staging(relation_).plan, plan_columns(relation_));
  }
  const auto number = std::to_string(++rows_);
  const char action = static_cast<char>(row.action);
  if (auto& actions = target_.actions_[static_cast<std::size_t>(relation_.id)];
      actions.find(action) == std::string::npos) {
    actions += action;
  }
  cells_.clear();
  cells_.push_back({Cell::Storage::integer, number});
  cells_.push_back(text_cell({&action, 1}));
  cells_.push_back(text_cell(row.mask));
  scratch_.resize(relation_.columns.size());
  auto& updated = target_.updated_columns_[static_cast<std::size_t>(relation_.id)];
  for (std::size_t i = 0; i < relation_.columns.size(); ++i) {
    const bool written = i < row.mask.size() && row.mask[i] != '0';
    const bool needed = written || relation_.is_key(i);
    cells_.push_back(
        needed && !values.cells[i].is_null()
            ? target_.dialect().encode(relation_.columns[i].type, values.cells[i], scratch_[i])
            : Cell{});
    if (written && row.action == PlanAction::update &&
        std::ranges::find(updated, i) == updated.end()) {
      updated.push_back(i);
    }
  }
  seal(row);
  cells_.push_back(row.cells ? Cell{Cell::Storage::blob, *row.cells} : Cell{});
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

std::string Target::Plan::seal_entry(const PlanRow& row, const BaseMove& base) {
  // as `journal_plan` makes it
  using Action = PlanAction;
  const bool replaced = row.action == Action::replace;
  const bool goes = row.action == Action::remove || replaced || row.action == Action::forget;
  const bool kept = images_ == BeforeImages::keep || !goes;
  const auto view = [](const std::optional<std::string>& text) {
    return text ? std::optional<std::string_view>(*text) : std::nullopt;
  };
  JournalFields fields{.epoch = target_.books_->next_epoch(),
                       .tracked = relation_.id,
                       .key_text = row.key_text,
                       .fate = row.fate,
                       .moved = view(base.moved),
                       .base_after = base.moved ? view(base.after) : view(row.cells)};
  if (kept && (row.action == Action::update || row.action == Action::remove || replaced)) {
    fields.before = view(row.before);
  }
  if (row.action == Action::insert || row.action == Action::update || replaced) {
    fields.after = view(row.after);
  }
  if (kept) {
    fields.base_before = view(base.before);
  }
  const auto& sealer = target_.books_->sealer();
  auto mac = sealer.mac(fields);
  target_.base_changes_[static_cast<std::size_t>(relation_.id)].journal += sealer.share(mac);
  return mac;
}

BaseMove Target::Plan::to_journal(const PlanRow& row) {
  if (row.action == PlanAction::update || row.action == PlanAction::agree) {
    auto move = base_move(row.base, row.cells);
    if (!move.moved) {
      move.after.reset();
    }
    return move;
  }
  // what comes or goes as a whole may have to come back as a whole
  return {.before = row.base ? std::optional(std::string(*row.base)) : std::nullopt};
}

/// What the base changes by, if all of the plan is taken. `cells_` holds the row's cells already.
void Target::Plan::seal(const PlanRow& row) {
  const auto at = static_cast<std::size_t>(relation_.id);
  target_.writes_[at] += row.action == PlanAction::insert || row.action == PlanAction::update ||
                                 row.action == PlanAction::remove ||
                                 row.action == PlanAction::replace
                             ? 1
                             : 0;
  auto& change = target_.base_changes_[at];
  change.inserts = change.inserts || (row.cells && !row.base);
  change.updates = change.updates || (row.cells && row.base);
  change.deletes = change.deletes || (!row.cells && row.base);
  key_.clear();
  for (const auto i : relation_.key) {
    key_.push_back(cells_[3 + i]);
  }
  if (row.base) {
    --change.seal.rows;
    change.seal.sum -= checksum(base_key_, key_, *row.base, sum_bytes_);
  }
  if (row.cells) {
    ++change.seal.rows;
    change.seal.sum += checksum(base_key_, key_, *row.cells, sum_bytes_);
  }
}

void Target::Plan::finish() {
  if (loader_) {
    loader_->flush();
  }
  if (rows_ >= kLargePlan && target_.dialect().engine() == Engine::postgresql) {
    target_.session_.connection->execute(analyze_plan(target_.names(relation_), relation_));
  }
  target_.planned_[static_cast<std::size_t>(relation_.id)] = rows_;
  std::ranges::sort(target_.updated_columns_[static_cast<std::size_t>(relation_.id)]);
}

void Target::planned_rows(const Relation& relation,
                          const std::function<void(const PlanRow&)>& on_row) {
  if (!is_staged(relation)) {
    return;
  }
  PlanRow row;
  const auto cursor = session_.connection->open(select_plan(dialect(), names(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    row.action = static_cast<PlanAction>(cells[0].bytes.front());
    row.key_text = cells[1].bytes;
    row.before = optional_text(cells[2]);
    row.after = optional_text(cells[3]);
    on_row(row);
  }
}

void Target::refused_rows(const Relation& relation,
                          const std::function<void(const Refused&)>& on_row) {
  if (!is_staged(relation)) {
    return;
  }
  Refused refused;
  std::string scratch;
  const auto cursor =
      session_.connection->open(select_refused(dialect(), names(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    refused.n = number(cells[0]);
    refused.action = static_cast<PlanAction>(cells[1].bytes.front());
    refused.mask = cells[2].bytes;
    refused.cells.reset();
    if (cells[3].storage != Cell::Storage::null) {
      refused.cells = packed(dialect(), cells[3], scratch);
    }
    refused.key_text = cells[4].bytes;
    decode_row(relation, cells.subspan(5), refused.row);
    on_row(refused);
  }
}

void Target::written_rows(
    const Relation& relation,
    const std::function<void(std::string_view, std::string_view, const Row&)>& on_row) {
  if (!is_staged(relation)) {
    return;
  }
  Row row;
  std::string scratch;
  const auto cursor =
      session_.connection->open(select_written(dialect(), names(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_row(relation, cells.subspan(2), row);
    on_row(cells[0].bytes, packed(dialect(), cells[1], scratch), row);
  }
}

}  // namespace abgleich::db
