// The first load: rows and their base go straight into bare tables; keys and foreign keys are made
// afterwards, when the rows are there to be sorted once.
#include "db/base_statements.hpp"
#include "db/stage_statements.hpp"
#include "db/table_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::db {

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
}

bool Target::end_fill(const std::vector<Relation>& relations) {
  auto& connection = *session_.connection;
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
    // a row that is held back must not have got in under another row's name
    if (count(count_held_and_filled(dialect(), names(relation), relation)) > 0) {
      return false;
    }
    for (const auto& sql : analyze_keys(dialect(), names(relation), relation)) {
      connection.execute(sql);
    }
  }
  connection.execute("RELEASE SAVEPOINT first_load");
  return true;
}

void Target::abandon_fill() {
  session_.connection->execute("ROLLBACK TO SAVEPOINT first_load");
  session_.connection->execute("RELEASE SAVEPOINT first_load");
  keys_.clear();
  foreign_keys_.clear();
}

Target::Fill::Fill(Target& target, const Relation& relation)
    : target_(target), relation_(relation), sealed_(target.seals_as_sent(relation)) {
  std::vector<std::string> columns;
  for (const auto& column : relation.columns) {
    columns.push_back(target.dialect().quote(column.name));
  }
  const auto name = target.names(relation);
  data_ = target.session_.connection->fill(name.data, columns);
  base_ = target.session_.connection->fill(name.base, base_columns(relation));
}

void Target::Fill::add(const Row& row, std::string_view cells) {
  cells_.clear();
  target_.encode_row(relation_, row, cells_, scratch_);
  data_->add(cells_);
  base_cells_.clear();
  for (const auto i : relation_.key) {
    base_cells_.push_back(cells_[i]);
  }
  base_cells_.push_back({Cell::Storage::blob, cells});
  base_->add(base_cells_);
  ++seal_.rows;
  if (sealed_) {
    seal_.sum += checksum(std::span(base_cells_).first(relation_.key.size()), cells, sum_bytes_);
  }
}

bool Target::Fill::try_all(const std::function<void()>& load) {
  try {
    load();
    data_->flush();
    base_->flush();
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    return false;
  }
  if (sealed_) {
    target_.books_->seal_base(relation_.id, seal_);
  } else {
    target_.seal_base(relation_);
  }
  return true;
}

}  // namespace abgleich::db
