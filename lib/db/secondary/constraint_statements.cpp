#include "db/secondary/constraint_statements.hpp"

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

/// The condition that row `c` of a dependant refers to row `t`, compared as the
/// foreign key compares.
std::string hangs_on(const Dialect& dialect, const Dependant& dependant) {
  std::string text;
  for (std::size_t i = 0; i < dependant.columns.size(); ++i) {
    const auto parent = "t." + dialect.quote(dependant.referenced[i]);
    const auto child = "c." + dialect.quote(dependant.columns[i]);
    const auto collate = i < dependant.collations.size() ? dependant.collations[i] : std::string();
    text += i == 0 ? "" : " AND ";
    text += dependant.equal.empty()
                ? dialect.same_collated(parent, child, collate)
                : fmt::format("{} {} {}{}", parent, dependant.equal[i], child, collate);
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

bool goes_to_null(const ColumnAside& column_aside) {
  return column_aside.nullable && (column_aside.aside == Aside::to_null || column_aside.refers);
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

bool can_set_aside(const Dialect& dialect, const Relation& relation,
                   const ColumnAside& column_aside) {
  return goes_to_null(column_aside) ||
         (column_aside.unique && dialect.unused_value(relation.columns[column_aside.column], {}));
}

std::string set_aside(const Dialect& dialect, const Names& names, const Relation& relation,
                      const std::vector<ColumnAside>& columns, const PlanRows& rows) {
  const auto moved = [&](const ColumnAside& column_aside) {
    const auto& column = relation.columns[column_aside.column];
    const auto name = dialect.quote(column.name);
    return fmt::format(
        "{0} = CASE WHEN p.action {3} 'd'{1} THEN {2} ELSE t.{0} END", name,
        column_aside.unique ? " OR " + is_written(dialect, column_aside.column) : std::string(),
        goes_to_null(column_aside) ? "NULL"
                                   : dialect.unused_value(column, names.data).value_or("NULL"),
        equal(dialect));
  };
  const auto where =
      fmt::format("(p.action {0} 'u' OR p.action {0} 'd') AND {1} AND {2}", equal(dialect),
                  rows.have(dialect, "p.n"), key_equal_data(dialect, "p", "t", relation));
  return dialect.update_from({.table = names.data,
                              .alias = "t",
                              .set = list_of(columns, moved),
                              .from = names.plan + " p",
                              .where = where,
                              .of_people = true});
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
                     dialect.conflict_guard(), names.data, columns, dialect.overriding(), values,
                     names.plan, equal(dialect), rows.have(dialect, "p.n"));
}

std::string restore(const Dialect& dialect, const Names& names, const Relation& relation,
                    const std::vector<std::size_t>& loose, const PlanRows& rows) {
  const auto set = list_of(loose, [&](std::size_t i) {
    return fmt::format("{} = p.c{}", dialect.quote(relation.columns[i].name), i);
  });
  const auto where =
      fmt::format("p.action {} 'i' AND {} AND {}", equal(dialect), rows.have(dialect, "p.n"),
                  key_equal_data(dialect, "p", "t", relation));
  return dialect.update_from({.table = names.data,
                              .alias = "t",
                              .set = set,
                              .from = names.plan + " p",
                              .where = where,
                              .of_people = true});
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
            return taken_for(dialect, relation.columns[i], fmt::format("d.c{}", i),
                             fmt::format("i.c{}", i));
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
  const auto from =
      fmt::format("{0} d JOIN {0} i ON i.n {1} {2}", names.plan, equal(dialect), inserted);
  const auto where = fmt::format("d.n {} {} AND {}", equal(dialect), removed,
                                 key_equal_data(dialect, "d", "t", relation));
  return dialect.update_from({.table = names.data,
                              .alias = "t",
                              .set = set,
                              .from = from,
                              .where = where,
                              .of_people = true});
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
    return fmt::format(", {}, {}", dialect.as_text("t." + quoted), dialect.as_text(after));
  };
  return fmt::format("SELECT p.n{} FROM {} p LEFT JOIN {} t ON {} WHERE {}",
                     list_of(columns, both, ""), names.plan, names.data,
                     key_equal_data(dialect, "p", "t", relation), rows.have(dialect, "p.n"));
}

}  // namespace abgleich::db
