#include "db/secondary/first_load.hpp"

#include "db/secondary/base_statements.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/data_table.hpp"
#include "db/secondary/row_cells.hpp"
#include "db/secondary/stage_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace abgleich::db {

namespace {

/// Appends bytes that sort as the keys do, and that differ where the keys differ.
void append_order(const RelationColumn& column, const Cell& cell, std::string& out) {
  std::int64_t number = 0;
  const auto* const end = cell.bytes.data() + cell.bytes.size();
  if (column.stored.family == Family::integer) {
    const auto [rest, error] = std::from_chars(cell.bytes.data(), end, number);
    if (error == std::errc{} && rest == end) {
      const auto bits = static_cast<std::uint64_t>(number) ^ std::uint64_t{1} << 63U;
      for (unsigned shift = 64; shift > 0; shift -= 8) {
        out += static_cast<char>(bits >> (shift - 8) & 0xffU);
      }
      return;
    }
  }
  for (const char c : cell.bytes) {
    out += c;
    if (c == '\0') {
      out += '\xff';
    }
  }
  out.append(2, '\0');
}

}  // namespace

bool FirstLoad::possible(Target& target, const std::vector<LocatedRelation>& relations) {
  if (!target.backend().loads_bare() || target.mode() != Mode::real) {
    return false;
  }
  return std::ranges::all_of(relations, [&](const LocatedRelation& relation) {
    const auto* table = target.catalog().find_table(relation.name);
    BaseTable base(target, relation);
    return table != nullptr && table->kind == TableKind::table && !table->triggers &&
           relation.shared_bases.empty() && base.seal().rows == 0 && base.rows() == 0 &&
           DataTable(target, relation).is_empty();
  });
}

FirstLoad::FirstLoad(Target& target, const std::vector<LocatedRelation>& relations)
    : target_(target) {
  target.connection().execute("SAVEPOINT first_load");
  std::vector<std::string> tables;
  for (const auto& relation : relations) {
    const auto name = target.stand_ins().names(relation);
    tables.push_back(name.data);
    tables.push_back(name.base);
  }
  bared_ = target.backend().bare(target.session(), tables);
  for (const auto& relation : relations) {
    const bool by_bytes = std::ranges::none_of(relation.key, [&](std::size_t i) {
      return relation.columns[i].equality.by == Equality::By::type;
    });
    if (by_bytes && DataTable(target, relation).stores_as_sent()) {
      here_.insert(relation.id);
    }
  }
}

FirstLoad::~FirstLoad() {
  abandoned_ = true;
  try {
    target_.connection().end_meanwhile();
  } catch (...) {  // NOLINT(bugprone-empty-catch)
    // the rows that were sent go with the transaction
  }
}

bool FirstLoad::make_keys() {
  for (const auto* statements : {&bared_.keys, &bared_.foreign_keys}) {
    for (const auto& sql : *statements) {
      try {
        target_.connection().execute(sql);
      } catch (const Fault& fault) {
        if (fault.cause() != Fault::Cause::constraint) {
          throw;
        }
        return false;
      }
    }
  }
  return true;
}

bool FirstLoad::end() {
  auto& connection = target_.connection();
  if (!try_to([&] { connection.end_meanwhile(); })) {
    return false;
  }
  for (const auto& [relation, seal] : filled_) {
    if (seal) {
      target_.books().seal_base(relation->id, *seal);
    } else {
      BaseTable(target_, *relation).reseal();
    }
  }
  if (!make_keys()) {
    return false;
  }
  const auto& dialect = target_.dialect();
  for (auto* const table : tables_) {
    const auto& relation = table->relation();
    table->make();
    connection.execute(finish_stage(dialect, table->names(), relation));
    // no row that is held back may be in the data under the key of another row
    if (target_.count(count_held_back_and_filled(dialect, table->names(), relation)) > 0) {
      return false;
    }
    for (const auto& sql : analyze_keys(dialect, table->names(), relation)) {
      if (!sql.empty()) {
        connection.execute(sql);
      }
    }
  }
  target_.backend().end_bare(target_.session(), bared_);
  connection.execute("RELEASE SAVEPOINT first_load");
  return true;
}

void FirstLoad::abandon() {
  abandoned_ = true;
  auto& connection = target_.connection();
  // why the work failed is known, or no longer matters; a lost connection is noticed below
  try {
    connection.end_meanwhile();
  } catch (const Failure&) {
  } catch (const RowsNotKept&) {
  }
  connection.execute("ROLLBACK TO SAVEPOINT first_load");
  target_.books().forget_read();
  connection.execute("RELEASE SAVEPOINT first_load");
  tables_.clear();
  filled_.clear();
  target_.forget_prepared();
}

bool FirstLoad::try_to(const std::function<void()>& work) {
  try {
    work();
  } catch (const RowsNotKept& why) {
    rows_not_kept_ = why.what();  // the secondary may have room where this machine has none
    return false;
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    return false;
  }
  return true;
}

FirstLoadTable::FirstLoadTable(FirstLoad& load, StagedTable& table, std::filesystem::path directory)
    : load_(load),
      target_(load.target_),
      table_(table),
      relation_(table.relation()),
      directory_(std::move(directory)),
      sealed_(seals_as_sent(target_.dialect(), relation_)),
      base_key_(target_.books().sealer().base_key(relation_.id)) {
  load.tables_.push_back(&table);
}

void FirstLoadTable::begin() {
  if (load_.here_.contains(relation_.id) && table_.belongings().empty()) {
    rows_ = std::make_shared<SortedRows>(directory_);
    return;
  }
  auto& connection = target_.connection();
  connection.execute(create_rows_to_fill(target_.dialect(), table_.names(), relation_));
  loader_ = connection.fill(table_.names().fill, rows_to_fill_columns(relation_));
}

void FirstLoadTable::add(const Row& row, std::string_view cells) {
  cells_.clear();
  encode_row(target_.dialect(), relation_, row, cells_, scratch_);
  cells_.push_back({Cell::Storage::blob, cells});
  if (rows_) {
    order_.clear();
    for (const auto i : relation_.key) {
      append_order(relation_.columns[i], cells_[i], order_);
    }
    rows_->add(order_, cells_);
  } else {
    loader_->add(cells_);
  }
  ++seal_.rows;
  if (sealed_) {
    key_.clear();
    for (const auto i : relation_.key) {
      key_.push_back(cells_[i]);
    }
    seal_.sum += base_checksum(base_key_, key_, cells, sum_bytes_);
  }
}

void FirstLoadTable::leave_out_rare() {
  for (const auto& belonging : table_.belongings()) {
    for (const auto& sql :
         leave_out_with_rare(target_.dialect(), table_.names(), relation_, belonging)) {
      left_out_ += target_.connection().execute(sql);
    }
  }
  left_out_ /= 2;  // each row was inserted into the stage and deleted here
  if (left_out_ > 0) {
    table_.note_rare();
  }
}

void FirstLoadTable::lay_down() {
  // the load and its tables outlive the work: both wait for it before they end
  target_.connection().meanwhile([rows = rows_, &load = load_, &table = table_] {
    auto& target = table.target();
    target.as_people([&] {
      const auto& relation = table.relation();
      std::vector<std::string> columns;
      for (const auto& column : relation.columns) {
        columns.push_back(target.dialect().quote(column.name));
      }
      const auto data = target.connection().fill(table.names().data, columns);
      const auto base = target.connection().fill(table.names().base, base_columns(relation));
      std::vector<Cell> base_cells;
      rows->take([&](std::span<const Cell> cells) {
        if (load.abandoned_) {
          throw RowsNotKept("nobody wants them any more");
        }
        data->add(cells.first(columns.size()));
        base_cells.clear();
        for (const auto i : relation.key) {
          base_cells.push_back(cells[i]);
        }
        base_cells.push_back(cells[columns.size()]);
        base->add(base_cells);
      });
      data->flush();
      base->flush();
    });
  });
}

void FirstLoadTable::sort_there() {
  const auto& dialect = target_.dialect();
  const auto& name = table_.names();
  loader_->flush();
  leave_out_rare();
  target_.write(fill_data(dialect, name, relation_, name.fill));
  target_.connection().execute(fill_base(dialect, name, relation_, name.fill));
  target_.connection().execute("DROP TABLE " + name.fill);  // the next table needs the room
}

bool FirstLoadTable::try_all(const std::function<void()>& load) {
  return load_.try_to([&] {
    begin();
    load();
    if (rows_) {
      lay_down();
    } else {
      sort_there();
    }
    load_.filled_.push_back(
        {.relation = &relation_,
         .seal = sealed_ && left_out_ == 0 ? std::optional(seal_) : std::nullopt});
  });
}

}  // namespace abgleich::db
