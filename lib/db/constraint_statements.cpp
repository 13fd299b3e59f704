#include "db/constraint_statements.hpp"

#include "db/file_collation.hpp"

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

/// That row `c` of a dependant hangs on row `t`, as the foreign key itself compares.
std::string hangs_on(const Dialect& dialect, const Dependant& dependant) {
  std::string text;
  for (std::size_t i = 0; i < dependant.columns.size(); ++i) {
    if (dependant.collations.size() > i && dependant.collations[i] == kTrims) {
      text +=
          fmt::format("{}rtrim(t.{}, ' ') = rtrim(c.{}, ' ')", i == 0 ? "" : " AND ",
                      dialect.quote(dependant.referenced[i]), dialect.quote(dependant.columns[i]));
      continue;
    }
    text += fmt::format("{}t.{} {} c.{}{}", i == 0 ? "" : " AND ",
                        dialect.quote(dependant.referenced[i]),
                        dependant.equal.empty() ? equal(dialect) : dependant.equal[i],
                        dialect.quote(dependant.columns[i]),
                        dependant.equal.empty() ? "" : dependant.collations[i]);
  }
  return text;
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
  const std::string tilde =
      postgresql ? "'~' OPERATOR(pg_catalog.||) CAST(p.n AS pg_catalog.text)" : "'~' || p.n";
  switch (column.held.family) {
    case Family::integer:
    case Family::decimal:
      return postgresql
                 ? fmt::format("(SELECT pg_catalog.min(o.{}) FROM {} o) OPERATOR(pg_catalog.-) p.n",
                               name, names.data)
                 : fmt::format("(SELECT min(o.{}) FROM {} o) - p.n", name, names.data);
    case Family::text:
    case Family::dynamic:
      return tilde;
    case Family::uuid:
      return postgresql ? "CAST(pg_catalog.md5(CAST(p.n AS pg_catalog.text)) AS pg_catalog.uuid)"
                        : tilde;
    case Family::date:
      return postgresql ? fmt::format(
                              "(SELECT pg_catalog.min(o.{}) FROM {} o) OPERATOR(pg_catalog.-) "
                              "CAST(p.n AS integer)",
                              name, names.data)
                        : tilde;
    default:
      return postgresql ? std::nullopt : std::optional(tilde);
  }
}

bool goes_to_null(const Parking& parking) {
  return parking.nullable && (parking.aside == Aside::to_null || parking.refers);
}

}  // namespace

std::string find_bereaved(const Dialect& dialect, const Names& names, const Relation& relation,
                          const Dependant& dependant, const PlanRows& rows) {
  const auto child = table_of(dialect, dependant);
  return fmt::format(
      "SELECT 1 FROM {} p JOIN {} t ON {} JOIN {} c ON {} WHERE p.action = 'd' AND {}{} LIMIT 1",
      names.plan, names.data, key_equal_data(dialect, "p", "t", relation), child,
      hangs_on(dialect, dependant), rows.have(dialect, "p.n"),
      child == names.data
          ? fmt::format(" AND NOT EXISTS (SELECT 1 FROM {} g WHERE g.action = 'd' AND {} AND {})",
                        names.plan, rows.have(dialect, "g.n"),
                        key_equal_data(dialect, "g", "c", relation))
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
      "SELECT 1 FROM {} p JOIN {} t ON {} JOIN {} c ON {} WHERE p.action = 'u' AND {} AND ({}) "
      "LIMIT 1",
      names.plan, names.data, key_equal_data(dialect, "p", "t", relation),
      table_of(dialect, dependant), hangs_on(dialect, dependant), rows.have(dialect, "p.n"),
      list_of(
          changing, [&](std::size_t column) { return is_written(dialect, column); }, " OR "));
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
        "{0} = CASE WHEN p.action {3} 'd'{1} THEN {2} ELSE t.{0} END", name,
        parking.unique ? " OR " + is_written(dialect, parking.column) : std::string(),
        goes_to_null(parking) ? "NULL" : free_value(dialect, names, column).value_or("NULL"),
        equal(dialect));
  };
  return fmt::format(
      "UPDATE{0} {1} AS t SET {2} FROM {3} p WHERE (p.action {4} 'u' OR p.action {4} 'd') "
      "AND {5} AND {6}",
      or_abort(dialect), names.data, list_of(columns, moved), names.plan, equal(dialect),
      rows.have(dialect, "p.n"), key_equal_data(dialect, "p", "t", relation));
}

std::string insert_loosely(const Dialect& dialect, const Names& names, const Relation& relation,
                           const std::vector<std::size_t>& loose, const PlanRows& rows) {
  std::string columns;
  std::string values;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    columns += (i == 0 ? "" : ", ") + dialect.quote(relation.columns[i].name);
    values += i == 0 ? "" : ", ";
    values += std::ranges::find(loose, i) == loose.end() ? value_for("p.", relation, i) : "NULL";
  }
  return fmt::format("INSERT{} INTO {} ({}) {}SELECT {} FROM {} p WHERE p.action {} 'i' AND {}",
                     or_abort(dialect), names.data, columns, overriding(dialect), values,
                     names.plan, equal(dialect), rows.have(dialect, "p.n"));
}

std::string fasten(const Dialect& dialect, const Names& names, const Relation& relation,
                   const std::vector<std::size_t>& loose, const PlanRows& rows) {
  return fmt::format("UPDATE{} {} AS t SET {} FROM {} p WHERE p.action {} 'i' AND {} AND {}",
                     or_abort(dialect), names.data,
                     list_of(loose,
                             [&](std::size_t i) {
                               return fmt::format("{} = p.c{}",
                                                  dialect.quote(relation.columns[i].name), i);
                             }),
                     names.plan, equal(dialect), rows.have(dialect, "p.n"),
                     key_equal_data(dialect, "p", "t", relation));
}

std::string select_respelled(const Dialect& dialect, const Names& names, const Relation& relation,
                             const PlanRows& rows) {
  const bool folds = std::ranges::any_of(relation.key, [&](std::size_t i) {
    return relation.columns[i].equality.by != Equality::By::bytes;
  });
  if (!folds) {
    return {};
  }
  return fmt::format(
      "SELECT d.n, i.n FROM {0} d JOIN {0} i ON {1} WHERE d.action = 'd' AND i.action = 'i' "
      "AND {2} AND {3}",
      names.plan,
      list_of(
          relation.key,
          [&](std::size_t i) {
            return taken_for(relation.columns[i], fmt::format("d.c{}", i), fmt::format("i.c{}", i));
          },
          " AND "),
      rows.have(dialect, "d.n"), rows.have(dialect, "i.n"));
}

std::string respell(const Dialect& dialect, const Names& names, const Relation& relation,
                    std::int64_t removed, std::int64_t inserted) {
  std::string set;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    set += fmt::format("{}{} = {}", set.empty() ? "" : ", ",
                       dialect.quote(relation.columns[i].name), value_for("i.", relation, i));
  }
  return fmt::format(
      "UPDATE{} {} AS t SET {} FROM {} d JOIN {} i ON i.n {} {} WHERE d.n {} {} AND {}",
      or_abort(dialect), names.data, set, names.plan, names.plan, equal(dialect), inserted,
      equal(dialect), removed, key_equal_data(dialect, "d", "t", relation));
}

std::string select_before_after(const Dialect& dialect, const Names& names,
                                const Relation& relation, const std::vector<std::string>& columns,
                                const PlanRows& rows) {
  const auto both = [&](const std::string& name) {
    const auto quoted = dialect.quote(name);
    const auto at = column_called(relation, name);
    auto after = "t." + quoted;
    if (at) {
      after = fmt::format("CASE WHEN p.action = 'i' OR {} THEN {} ELSE t.{} END",
                          is_written(dialect, *at), value_for("p.", relation, *at), quoted);
    }
    return fmt::format(", CAST(t.{} AS text), CAST({} AS text)", quoted, after);
  };
  return fmt::format("SELECT p.n{} FROM {} p LEFT JOIN {} t ON {} WHERE {}",
                     list_of(columns, both, ""), names.plan, names.data,
                     key_equal_data(dialect, "p", "t", relation), rows.have(dialect, "p.n"));
}

}  // namespace abgleich::db
