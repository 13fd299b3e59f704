#include "db/secondary/staged_table.hpp"

#include "db/secondary/base_table.hpp"
#include "db/secondary/plan_statements.hpp"
#include "db/secondary/row_cells.hpp"
#include "db/secondary/target.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::db {

StagedTable::StagedTable(Target& target, const LocatedRelation& relation)
    : target_(target), relation_(relation), names_(target.stand_ins().names(relation)) {}

void StagedTable::make() {
  if (made_) {
    return;
  }
  made_ = true;
  auto& connection = target_.connection();
  connection.execute(create_stage(target_.dialect(), names_, relation_));
  connection.execute(create_plan(target_.dialect(), names_, relation_));
  connection.execute(create_gone(target_.dialect(), names_, relation_));
}

// What is held back -----------------------------------------------------------------------------

std::vector<Belonging> StagedTable::belongings() const {
  std::vector<Belonging> all;
  for (const auto& key : relation_.foreign_keys) {
    const auto found = std::ranges::find_if(target_.prepared(), [&](const auto& other) {
      return other->relation().name == key.table && other->relation().id != relation_.id &&
             other->has_rare();
    });
    if (found == target_.prepared().end()) {
      continue;
    }
    const auto& parent = (*found)->relation();
    Belonging belonging{.parent = &parent, .parent_stage = (*found)->names().stage, .columns = {}};
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto column =
          std::ranges::find(parent.columns, key.referenced[i], &RelationColumn::name);
      if (column != parent.columns.end()) {
        const auto at = static_cast<std::size_t>(column - parent.columns.begin());
        // of a row that is held back only its key is staged
        if (parent.is_key(at) &&
            column->stored.family == relation_.columns[key.columns[i]].stored.family) {
          belonging.columns.emplace_back(key.columns[i], at);
        }
      }
    }
    if (belonging.columns.size() == key.columns.size()) {
      all.push_back(std::move(belonging));
    }
  }
  return all;
}

std::int64_t StagedTable::hold_with_rare() {
  std::int64_t rows = 0;
  if (!made_) {
    return rows;
  }
  for (const auto& belonging : belongings()) {
    rows += target_.connection().execute(db::hold_with_rare(target_.dialect(), names_, belonging));
  }
  rare_ = rare_ || rows > 0;
  return rows;
}

void StagedTable::hold_duplicates(const std::function<void(const Row&)>& on_key) {
  if (!made_) {
    return;
  }
  bool any = false;
  Row key;
  {
    const auto cursor = target_.connection().open(select_duplicates(names_, relation_));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      decode_key(target_.dialect(), relation_, cells, key);
      on_key(key);
      any = true;
    }
  }
  if (any) {
    target_.connection().execute(db::hold_duplicates(names_, relation_));
  }
}

std::int64_t StagedTable::hold_taken(const OnTaken& on_taken) {
  std::int64_t rows = 0;
  if (!made_) {
    return rows;
  }
  Row key;
  for (const auto& [books, base] : relation_.shared_bases) {
    const auto before = rows;
    {
      const auto cursor = target_.connection().open(select_taken(names_, relation_, base));
      for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
        decode_key(target_.dialect(), relation_, cells, key);
        on_taken(key, books);
        ++rows;
      }
    }
    if (rows > before) {
      target_.connection().execute(db::hold_taken(target_.dialect(), names_, relation_, base));
    }
  }
  return rows;
}

void StagedTable::rare_rows(const std::function<void(const RareRow&)>& on_row) {
  if (!made_) {
    return;
  }
  const auto& dialect = target_.dialect();
  const auto keys = relation_.key.size();
  RareRow row;
  const auto cursor = target_.connection().open(select_rare(dialect, names_, relation_));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(dialect, relation_, cells, row.key);
    row.in_base = cells[keys].storage != Cell::Storage::null;
    row.in_secondary = cells[keys + 1].storage != Cell::Storage::null;
    on_row(row);
  }
}

// Pairs -----------------------------------------------------------------------------------------

void StagedTable::read_pairs(const std::string& sql, const OnPair& on_pair) {
  const auto& dialect = target_.dialect();
  const auto columns = relation_.columns.size();
  Pair pair;
  std::string scratch;
  const auto optional_bytes = [&](const Cell& cell, std::optional<std::string>& out) {
    if (cell.storage == Cell::Storage::null) {
      out.reset();
    } else {
      out = packed(dialect, cell, scratch);
    }
  };
  const auto cursor = target_.connection().open(sql);
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_row(dialect, relation_, cells.first(columns), pair.primary);
    optional_bytes(cells[columns], pair.primary_digests);
    optional_bytes(cells[columns + 1], pair.base_digests);
    pair.in_secondary = cells[columns + 2].storage != Cell::Storage::null;
    decode_row(dialect, relation_, cells.subspan(columns + 3, columns), pair.secondary);
    on_pair(pair);
  }
}

void StagedTable::changed_pairs(const OnPair& on_pair) {
  if (made_) {
    read_pairs(select_changed_pairs(target_.dialect(), names_, relation_), on_pair);
  }
}

void StagedTable::staged_pairs(const OnPair& on_pair) {
  if (made_) {
    read_pairs(select_staged_pairs(target_.dialect(), names_, relation_), on_pair);
  }
}

void StagedTable::missing_pairs(const OnPair& on_pair) {
  make();
  read_pairs(select_missing_pairs(target_.dialect(), names_, relation_), on_pair);
}

void StagedTable::gone_pairs(const OnPair& on_pair) {
  if (made_) {
    read_pairs(select_gone_pairs(target_.dialect(), names_, relation_), on_pair);
  }
}

void StagedTable::held_back_pairs(HeldBack which, const OnPair& on_pair) {
  if (made_) {
    read_pairs(select_held_back_pairs(target_.dialect(), names_, relation_, which), on_pair);
  }
}

void StagedTable::secondary_only(const OnPair& on_pair) {
  make();
  read_pairs(select_secondary_only(target_.dialect(), names_, relation_), on_pair);
}

// What is left open -----------------------------------------------------------------------------

void StagedTable::open_rows(OpenRows which, const OnOpen& on_open) {
  make();
  const auto& dialect = target_.dialect();
  const auto keys = relation_.key.size();
  Row key;
  std::string mark;
  std::string staged;
  std::string base;
  const auto cursor = target_.connection().open(which == OpenRows::held_back
                                                    ? select_held_back(dialect, names_, relation_)
                                                    : select_open(dialect, names_, relation_));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(dialect, relation_, cells, key);
    on_open(key, packed_or_empty(dialect, cells[keys], mark),
            packed_or_empty(dialect, cells[keys + 1], staged),
            packed_or_empty(dialect, cells[keys + 2], base));
  }
}

void StagedTable::absent_rows(AbsentRows which,
                              const std::function<void(const Row&, std::string_view)>& on_row) {
  make();
  const auto& dialect = target_.dialect();
  Row key;
  std::string mark;
  const auto cursor = target_.connection().open(
      which == AbsentRows::named ? select_absent(dialect, names_, relation_)
                                 : select_missing_keys(dialect, names_, relation_));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(dialect, relation_, cells, key);
    on_row(key, packed_or_empty(dialect, cells[relation_.key.size()], mark));
  }
}

void StagedTable::new_marks(const std::function<void(std::string_view)>& on_mark) {
  if (!made_) {
    return;
  }
  std::string mark;
  const auto cursor = target_.connection().open(select_new_marks(names_, relation_));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_mark(packed_or_empty(target_.dialect(), cells[0], mark));
  }
}

bool StagedTable::doubtful() {
  return made_ && target_.count(count_doubtful(names_, relation_)) > 0;
}

std::optional<std::int64_t> StagedTable::fill_empty_table() {
  make();
  std::int64_t rows = 0;
  const auto refused = target_.refused("fill", [&] {
    rows = target_.write(fill_data(target_.dialect(), names_, relation_, names_.stage));
    target_.connection().execute(fill_base(target_.dialect(), names_, relation_, names_.stage));
    target_.as_people([&] { target_.connection().check_constraints(); });
    return true;
  });
  if (refused) {
    return std::nullopt;
  }
  BaseTable(target_, relation_).reseal();
  return rows;
}

// Writers ---------------------------------------------------------------------------------------

StageWriter::StageWriter(StagedTable& table, Loader::Refused refused)
    : table_(table), refused_(std::move(refused)) {}

Loader& StageWriter::loader() {
  if (!loader_) {
    table_.make();
    loader_ = table_.target().connection().load(
        table_.names().stage, stage_columns(table_.relation()), std::move(refused_));
  }
  return *loader_;
}

void StageWriter::add(const Row& row, std::string_view cells, std::string_view mark) {
  cells_.clear();
  encode_row(table_.target().dialect(), table_.relation(), row, cells_, scratch_);
  cells_.push_back({Cell::Storage::blob, cells});
  cells_.push_back(blob_or_null(mark));
  loader().add(cells_);
}

void StageWriter::hold(const Row& key_cells, std::string_view mark) {
  const auto& relation = table_.relation();
  if (mark == kRareMark) {
    table_.note_rare();
  }
  cells_.assign(relation.columns.size() + 1, Cell{});
  cells_.push_back(blob_or_null(mark));
  scratch_.resize(relation.columns.size());
  for (const auto i : relation.key) {
    cells_[i] =
        table_.target().dialect().encode(relation.columns[i].type, key_cells.cells[i], scratch_[i]);
  }
  loader().add(cells_);
}

void StageWriter::flush() {
  if (loader_) {
    loader_->flush();
  }
}

void StageWriter::finish() {
  if (!loader_) {
    return;  // nothing is staged
  }
  loader_->flush();
  auto& target = table_.target();
  target.connection().execute(finish_stage(target.dialect(), table_.names(), table_.relation()));
}

void GoneWriter::add(const Row& key_cells, std::string_view mark) {
  auto& target = table_.target();
  if (!loader_) {
    table_.make();
    loader_ = target.connection().load(table_.names().gone, gone_columns(table_.relation()));
  }
  cells_ = db::key_cells(target.dialect(), table_.relation(), key_cells, scratch_);
  cells_.push_back(blob_or_null(mark));
  loader_->add(cells_);
}

void GoneWriter::finish() {
  if (!loader_) {
    return;
  }
  loader_->flush();
  auto& target = table_.target();
  target.connection().execute(finish_gone(target.dialect(), table_.names(), table_.relation()));
}

}  // namespace abgleich::db
