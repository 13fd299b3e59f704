#include "db/constraint_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace abgleich::db {

namespace {

template <class Items, class Item>
std::string list_of(const Items& items, const Item& item, std::string_view separator = ", ") {
  std::string text;
  for (const auto& one : items) {
    text += text.empty() ? "" : separator;
    text += item(one);
  }
  return text;
}

std::string quoted(const Dialect& dialect, std::string_view alias,
                   const std::vector<std::string>& columns) {
  return list_of(columns, [&](const std::string& column) {
    return fmt::format("{}.{}", alias, dialect.quote(column));
  });
}

std::string key_of_data(const Dialect& dialect, std::string_view alias, const Relation& relation) {
  return list_of(relation.key, [&](std::size_t i) {
    return fmt::format("{}.{}", alias, dialect.quote(relation.columns[i].name));
  });
}

std::string key_of_plan(std::string_view alias, const Relation& relation) {
  return list_of(relation.key, [&](std::size_t i) { return fmt::format("{}.c{}", alias, i); });
}

std::string same_key(const Dialect& dialect, const Relation& relation) {
  return list_of(
      relation.key,
      [&](std::size_t i) {
        return fmt::format("p.c{} = t.{}", i, dialect.quote(relation.columns[i].name));
      },
      " AND ");
}

std::string written(std::size_t column) {
  return fmt::format("substr(p.mask, {}, 1) <> '0'", column + 1);
}

std::optional<std::size_t> column_called(const Relation& relation, const std::string& name) {
  const auto found = std::ranges::find(relation.columns, name, &RelationColumn::name);
  return found == relation.columns.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(found - relation.columns.begin()));
}

std::string table_of(const Dialect& dialect, const Dependant& dependant) {
  return dialect.table(dependant.schema, dependant.table);
}

/// A value that nobody else has, for as long as rows are moved around; nothing where none can be
/// made up for the type.
std::optional<std::string> free_value(const Dialect& dialect, const Names& names,
                                      const RelationColumn& column) {
  const auto name = dialect.quote(column.name);
  const bool postgresql = dialect.engine() == Engine::postgresql;
  switch (column.held.family) {
    case Family::integer:
    case Family::decimal:
      return fmt::format("(SELECT min(o.{}) FROM {} o) - p.n", name, names.data);
    case Family::text:
    case Family::dynamic:
      return std::string("'~' || p.n");
    case Family::uuid:
      return std::string(postgresql ? "CAST(md5(CAST(p.n AS text)) AS uuid)" : "'~' || p.n");
    case Family::date:
      return postgresql
                 ? std::optional(fmt::format("(SELECT min(o.{}) FROM {} o) - CAST(p.n AS integer)",
                                             name, names.data))
                 : "'~' || p.n";
    default:
      return postgresql ? std::nullopt : std::optional<std::string>("'~' || p.n");
  }
}

bool goes_to_null(const Parking& parking) {
  return parking.nullable && (parking.aside == Aside::to_null || parking.refers);
}

}  // namespace

std::string find_bereaved(const Dialect& dialect, const Names& names, const Relation& relation,
                          const Dependant& dependant, const PlanRows& rows) {
  const auto going = fmt::format("SELECT {} FROM {} p WHERE p.action = 'd' AND {}",
                                 key_of_plan("p", relation), names.plan, rows.have("p.n"));
  const auto child = table_of(dialect, dependant);
  return fmt::format(
      "SELECT 1 FROM {} c WHERE ({}) IN (SELECT {} FROM {} t WHERE ({}) IN ({})){} LIMIT 1", child,
      quoted(dialect, "c", dependant.columns), quoted(dialect, "t", dependant.referenced),
      names.data, key_of_data(dialect, "t", relation), going,
      child == names.data
          ? fmt::format(" AND ({}) NOT IN ({})", key_of_data(dialect, "c", relation), going)
          : std::string());
}

std::string find_cut_off(const Dialect& dialect, const Names& names, const Relation& relation,
                         const Dependant& dependant, const PlanRows& rows) {
  std::vector<std::size_t> changing;
  for (const auto& name : dependant.referenced) {
    if (const auto column = column_called(relation, name)) {
      changing.push_back(*column);
    }
  }
  if (changing.empty()) {
    return {};
  }
  return fmt::format(
      "SELECT 1 FROM {} c WHERE ({}) IN (SELECT {} FROM {} t JOIN {} p ON {} WHERE p.action = 'u' "
      "AND {} AND ({})) LIMIT 1",
      table_of(dialect, dependant), quoted(dialect, "c", dependant.columns),
      quoted(dialect, "t", dependant.referenced), names.data, names.plan,
      same_key(dialect, relation), rows.have("p.n"), list_of(changing, written, " OR "));
}

bool can_park(const Dialect& dialect, const Relation& relation, const Parking& parking) {
  return goes_to_null(parking) ||
         (parking.unique && free_value(dialect, {}, relation.columns[parking.column]));
}

std::string park(const Dialect& dialect, const Names& names, const Relation& relation,
                 const std::vector<Parking>& columns, const PlanRows& rows) {
  const auto moved = [&](const Parking& parking) {
    const auto& column = relation.columns[parking.column];
    const auto name = dialect.quote(column.name);
    return fmt::format(
        "{0} = CASE WHEN p.action = 'd'{1} THEN {2} ELSE t.{0} END", name,
        parking.unique ? " OR " + written(parking.column) : std::string(),
        goes_to_null(parking) ? "NULL" : free_value(dialect, names, column).value_or("NULL"));
  };
  return fmt::format("UPDATE{} {} AS t SET {} FROM {} p WHERE p.action IN ('u', 'd') AND {} AND {}",
                     or_abort(dialect), names.data, list_of(columns, moved), names.plan,
                     rows.have("p.n"), same_key(dialect, relation));
}

std::string insert_loosely(const Dialect& dialect, const Names& names, const Relation& relation,
                           const std::vector<std::size_t>& loose, const PlanRows& rows) {
  std::string columns;
  std::string values;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns += (i == 0 ? "" : ", ") + dialect.quote(relation.columns[i].name);
    values += i == 0 ? "" : ", ";
    values += std::ranges::find(loose, i) == loose.end() ? fmt::format("p.c{}", i) : "NULL";
  }
  return fmt::format("INSERT{} INTO {} ({}) {}SELECT {} FROM {} p WHERE p.action = 'i' AND {}",
                     or_abort(dialect), names.data, columns, overriding(dialect), values,
                     names.plan, rows.have("p.n"));
}

std::string fasten(const Dialect& dialect, const Names& names, const Relation& relation,
                   const std::vector<std::size_t>& loose, const PlanRows& rows) {
  return fmt::format("UPDATE{} {} AS t SET {} FROM {} p WHERE p.action = 'i' AND {} AND {}",
                     or_abort(dialect), names.data,
                     list_of(loose,
                             [&](std::size_t i) {
                               return fmt::format("{} = p.c{}",
                                                  dialect.quote(relation.columns[i].name), i);
                             }),
                     names.plan, rows.have("p.n"), same_key(dialect, relation));
}

std::string select_before_after(const Dialect& dialect, const Names& names,
                                const Relation& relation, const std::vector<std::string>& columns,
                                const PlanRows& rows) {
  const auto both = [&](const std::string& name) {
    const auto quoted = dialect.quote(name);
    const auto at = column_called(relation, name);
    auto after = "t." + quoted;
    if (at) {
      after = fmt::format("CASE WHEN p.action = 'i' OR {} THEN p.c{} ELSE t.{} END", written(*at),
                          *at, quoted);
    }
    return fmt::format(", CAST(t.{} AS text), CAST({} AS text)", quoted, after);
  };
  return fmt::format("SELECT p.n{} FROM {} p LEFT JOIN {} t ON {} WHERE {}",
                     list_of(columns, both, ""), names.plan, names.data,
                     same_key(dialect, relation), rows.have("p.n"));
}

}  // namespace abgleich::db
