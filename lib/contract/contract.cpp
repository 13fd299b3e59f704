#include "contract/contract.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::contract {

const Column* Table::find_column(std::string_view column) const {
  const auto found = std::ranges::find(columns, column, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

bool Table::decides(std::string_view column) const {
  if (column == route || std::ranges::find(follows, column, &Follows::by) != follows.end()) {
    return true;
  }
  if (!where) {
    return false;
  }
  const auto names = columns_of(*where);
  return std::ranges::find(names, column) != names.end();
}

std::string_view Table::choice_by(std::string_view column) const {
  const bool follows_by = std::ranges::find(follows, column, &Follows::by) != follows.end();
  return column == route ? "'route'" : follows_by ? "'follows'" : "'where'";
}

std::string Table::choice() const {
  if (!is_routed()) {
    return "'where'";
  }
  const auto names = where ? columns_of(*where) : std::vector<std::string>();
  const bool by_where = std::ranges::any_of(
      names, [&](const std::string& column) { return choice_by(column) == "'where'"; });
  return fmt::format("{}{}", by_where ? "'where' and " : "",
                     route.empty() ? "'follows'" : "'route'");
}

bool Table::never_leaves_without(const Table& parent, std::string_view column) const {
  return follows.size() == 1 && follows.front().table == parent.name &&
         follows.front().by == column && where.has_value();
}

std::vector<const Column*> Table::exported() const {
  std::vector<const Column*> found;
  for (const Column& column : columns) {
    if (column.exported()) {
      found.push_back(&column);
    }
  }
  return found;
}

const Table* Contract::find_table(std::string_view table) const {
  const auto found = std::ranges::find(tables, table, &Table::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace abgleich::contract
