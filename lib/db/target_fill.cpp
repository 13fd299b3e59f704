// The first load: rows are collected as they come from the primary, then laid down in the order of
// their keys, with their base, in bare tables; keys and foreign keys are made afterwards. The order
// of the primary tells who came when, or the alphabet, and is nobody's affair in the secondary.
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
    : target_(target),
      relation_(relation),
      sealed_(target.seals_as_sent(relation)),
      base_key_(target.books_->sealer().base_key(relation.id)) {
  auto& connection = *target.session_.connection;
  const auto name = target.names(relation);
  connection.execute(create_rows_to_fill(name, relation));
  loader_ = connection.fill(name.fill, rows_to_fill_columns(relation));
}

void Target::Fill::add(const Row& row, std::string_view cells) {
  cells_.clear();
  target_.encode_row(relation_, row, cells_, scratch_);
  cells_.push_back({Cell::Storage::blob, cells});
  loader_->add(cells_);
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

bool Target::Fill::try_all(const std::function<void()>& load) {
  auto& connection = *target_.session_.connection;
  const auto& dialect = target_.dialect();
  const auto name = target_.names(relation_);
  try {
    load();
    loader_->flush();
    leave_out_rare();
    target_.write(fill_data(dialect, name, relation_, name.fill));
    connection.execute(fill_base(dialect, name, relation_, name.fill));
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    return false;
  }
  connection.execute("DROP TABLE " + name.fill);  // the next one needs the room
  if (sealed_ && left_out_ == 0) {
    target_.books_->seal_base(relation_.id, seal_);
  } else {
    target_.seal_base(relation_);
  }
  return true;
}

}  // namespace abgleich::db
