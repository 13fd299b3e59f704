// The first load: rows are collected as they come from the primary, then laid down in the order of
// their keys, with their base, in bare tables, while the next table is read; keys and foreign keys
// are made afterwards. The order of the primary tells who came when, or the alphabet, and is
// nobody's affair in the secondary: it is given no row before all of a table are sorted. Where what
// it stores may be something else than what it is sent, or rows are left out with others, it sorts
// itself, in a temporary table.
#include "db/base_statements.hpp"
#include "db/sorted_rows.hpp"
#include "db/stage_statements.hpp"
#include "db/table_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace abgleich::db {

namespace {

/// Bytes that are in the order of the keys, and belong to one key only.
void append_order(const RelationColumn& column, const Cell& cell, std::string& out) {
  std::int64_t number = 0;
  const auto* const end = cell.bytes.data() + cell.bytes.size();
  if (column.held.family == Family::integer) {
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

bool Target::may_fill(const std::vector<Relation>& relations) {
  if (dialect().engine() != Engine::postgresql || mode_ != Mode::real) {
    return false;
  }
  return std::ranges::all_of(relations, [this](const Relation& relation) {
    const auto* table = catalog_.find_table(relation.name);
    return table != nullptr && table->kind == TableKind::table && !table->triggers &&
           base_seal(relation).rows == 0 && base_rows(relation) == 0 && data_is_empty(relation);
  });
}

void Target::begin_fill(const std::vector<Relation>& relations) {
  auto& connection = *session_.connection;
  connection.execute("SAVEPOINT first_load");
  // nothing is sent while a table is read, however long that takes
  connection.query("SELECT current_setting('idle_in_transaction_session_timeout')", {},
                   [&](std::span<const Cell> row) { patience_ = row[0].bytes; });
  connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0");
  std::vector<std::string> tables;
  for (const auto& relation : relations) {
    const auto name = names(relation);
    tables.push_back(name.data);
    tables.push_back(name.base);
  }
  // foreign keys go before the keys that they point to, and come after them
  for (const bool foreign : {true, false}) {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& table : tables) {
      const Cell cell = text_cell(table);
      connection.query(select_constraints(foreign), {&cell, 1}, [&](std::span<const Cell> row) {
        const auto name = dialect().quote(row[0].bytes);
        found.emplace_back(
            fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", table, name),
            fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", table, name, row[1].bytes));
      });
    }
    auto& later = foreign ? foreign_keys_ : keys_;
    for (const auto& [drop, add] : found) {
      connection.execute(drop);
      later.push_back(add);
    }
  }
  for (const auto& relation : relations) {
    const bool by_bytes = std::ranges::none_of(relation.key, [&](std::size_t i) {
      return relation.columns[i].equality.by == Equality::By::type;
    });
    if (by_bytes && stores_as_sent(relation)) {
      laid_down_sorted_.insert(relation.id);
    }
  }
}

bool Target::end_fill(const std::vector<Relation>& relations) {
  auto& connection = *session_.connection;
  if (!try_fill([&] { connection.end_meanwhile(); })) {
    return false;
  }
  for (const auto& [relation, seal] : filled_) {
    if (seal) {
      books_->seal_base(relation.id, *seal);
    } else {
      seal_base(relation);
    }
  }
  for (auto* statements : {&keys_, &foreign_keys_}) {
    for (const auto& sql : *statements) {
      try {
        connection.execute(sql);
      } catch (const Fault& fault) {
        if (fault.cause() != Fault::Cause::constraint) {
          throw;
        }
        return false;
      }
    }
  }
  for (const auto& relation : relations) {
    for (const auto& sql : finish_stage(dialect(), staging(relation), relation)) {
      connection.execute(sql);
    }
    // a row that is held back must not have got in under another row's name
    if (count(count_held_and_filled(dialect(), names(relation), relation)) > 0) {
      return false;
    }
    for (const auto& sql : analyze_keys(dialect(), names(relation), relation)) {
      connection.execute(sql);
    }
  }
  connection.execute(
      fmt::format("SET LOCAL idle_in_transaction_session_timeout = '{}'", patience_));
  connection.execute("RELEASE SAVEPOINT first_load");
  return true;
}

void Target::abandon_fill() {
  fill_abandoned_ = true;
  // what it failed with is known, or nobody's affair any more; a lost connection is noticed below
  try {
    session_.connection->end_meanwhile();
  } catch (const Failure&) {
  } catch (const RowsNotKept&) {
  }
  fill_abandoned_ = false;
  session_.connection->execute("ROLLBACK TO SAVEPOINT first_load");
  books().forget_read();
  session_.connection->execute("RELEASE SAVEPOINT first_load");
  keys_.clear();
  foreign_keys_.clear();
  filled_.clear();
  prepared_.clear();
  staged_.clear();
  rare_.clear();
}

bool Target::try_fill(const std::function<void()>& work) {
  try {
    work();
  } catch (const RowsNotKept& why) {
    rows_not_kept_ = why.what();  // no room on this machine: the secondary has some
    return false;
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    return false;
  }
  return true;
}

Target::Fill::Fill(Target& target, const Relation& relation, std::filesystem::path directory)
    : target_(target),
      relation_(relation),
      directory_(std::move(directory)),
      sealed_(target.seals_as_sent(relation)),
      base_key_(target.books_->sealer().base_key(relation.id)) {}

void Target::Fill::begin() {
  if (target_.laid_down_sorted_.contains(relation_.id) && target_.belongings(relation_).empty()) {
    rows_ = std::make_shared<SortedRows>(directory_);
    return;
  }
  auto& connection = *target_.session_.connection;
  const auto name = target_.names(relation_);
  connection.execute(create_rows_to_fill(name, relation_));
  loader_ = connection.fill(name.fill, rows_to_fill_columns(relation_));
}

void Target::Fill::add(const Row& row, std::string_view cells) {
  cells_.clear();
  target_.encode_row(relation_, row, cells_, scratch_);
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
    seal_.sum += checksum(base_key_, key_, cells, sum_bytes_);
  }
}

void Target::Fill::leave_out_rare() {
  for (const auto& belonging : target_.belongings(relation_)) {
    for (const auto& sql :
         leave_out_with_rare(target_.dialect(), target_.names(relation_), relation_, belonging)) {
      left_out_ += target_.session_.connection->execute(sql);
    }
  }
  left_out_ /= 2;  // each was inserted there and deleted here
  if (left_out_ > 0 && std::ranges::find(target_.rare_, relation_.id) == target_.rare_.end()) {
    target_.rare_.push_back(relation_.id);
  }
}

void Target::Fill::lay_down() {
  auto& target = target_;
  target.session_.connection->meanwhile([&target, rows = rows_, relation = relation_] {
    target.as_people([&] {
      auto& connection = *target.session_.connection;
      const auto name = target.names(relation);
      std::vector<std::string> columns;
      for (const auto& column : relation.columns) {
        columns.push_back(target.dialect().quote(column.name));
      }
      const auto data = connection.fill(name.data, columns);
      const auto base = connection.fill(name.base, base_columns(relation));
      std::vector<Cell> base_cells;
      rows->take([&](std::span<const Cell> cells) {
        if (target.fill_abandoned_) {
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

bool Target::Fill::try_all(const std::function<void()>& load) {
  return target_.try_fill([&] {
    begin();
    load();
    if (rows_) {
      lay_down();
    } else {
      auto& connection = *target_.session_.connection;
      const auto& dialect = target_.dialect();
      const auto name = target_.names(relation_);
      loader_->flush();
      leave_out_rare();
      target_.write(fill_data(dialect, name, relation_, name.fill));
      connection.execute(fill_base(dialect, name, relation_, name.fill));
      connection.execute("DROP TABLE " + name.fill);  // the next one needs the room
    }
    target_.filled_.emplace_back(relation_,
                                 sealed_ && left_out_ == 0 ? std::optional(seal_) : std::nullopt);
  });
}

}  // namespace abgleich::db
