// What is in the way of a row that the secondary's constraints refuse: which constraint, and which
// row of the secondary.
#include "db/engine/cell_values.hpp"
#include "db/engine/clauses.hpp"
#include "db/engine/engine.hpp"
#include "db/secondary/constraint_statements.hpp"
#include "db/secondary/planned_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::string_view kWaits = "waits";
constexpr std::size_t kKeysAtOnce = 200;  // in one statement

std::string kind_of(const Backend& backend, std::string_view state) {
  if (state.empty()) {
    return "dependants";
  }
  if (state == kWaits) {
    return std::string(kWaits);
  }
  const auto broken = backend.broken_by(state);
  return broken.empty() ? "other" : std::string(broken);
}

std::optional<std::size_t> column_of(const Relation& relation, const std::string& name) {
  const auto found = std::ranges::find(relation.columns, name, &RelationColumn::name);
  return found == relation.columns.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(found - relation.columns.begin()));
}

/// The columns by which a message names a row of the table.
std::vector<std::string> key_columns(const CatalogTable& table) {
  return table.primary_key       ? table.primary_key->columns
         : table.uniques.empty() ? std::vector<std::string>{}
                                 : table.uniques.front().columns;
}

/// Looks for the row of the secondary that is in the way of one of the plan's.
class Search {
 public:
  Search(Session& session, const Catalog& catalog, const Relation& relation, std::string plan,
         const RefusedRow& refused)
      : session_(session),
        dialect_(*session.dialect),
        catalog_(catalog),
        relation_(relation),
        plan_(std::move(plan)),
        refused_(refused) {}

  /// Fills in table and key of what it finds, for a row refused for `found.kind`.
  void run(Obstacle& found) const {
    const auto* table = catalog_.find_table(relation_.name);
    if (table == nullptr) {
      return;
    }
    if (found.kind == "unique") {
      find_twin(*table, found);
      return;
    }
    const bool refers = found.kind == "foreign_key";
    const bool may_lack_parent = refers && refused_.action != PlanAction::refused_remove;
    if ((refers || found.kind == "dependants") && !(may_lack_parent && find_lack(*table, found))) {
      find_dependant(found);
    }
  }

 private:
  /// A row that has the same values in columns that are unique together.
  void find_twin(const CatalogTable& table, Obstacle& found) const {
    std::vector<std::string> same_row;
    for (const auto i : relation_.key) {
      const auto& column = relation_.columns[i];
      same_row.push_back(
          same_value(dialect_, column, planned(i), "d." + dialect_.quote(column.name)));
    }
    const auto other = fmt::format(" AND NOT ({})", fmt::join(same_row, " AND "));
    for (const auto& columns : read_uniques(session_, relation_.name)) {
      std::vector<std::string> same;
      for (const auto& name : columns) {
        const auto at = column_of(relation_, name);
        if (at && is_written(*at)) {
          same.push_back(fmt::format("d.{} = {}", dialect_.quote(name), planned(*at)));
        }
      }
      if (same.size() == columns.size() &&
          find_first(relation_.name, key_columns(table),
                     fmt::format("{}", fmt::join(same, " AND ")) + other, found)) {
        return;
      }
    }
  }

  /// A row that is missing: a parent that the row refers to.
  bool find_lack(const CatalogTable& table, Obstacle& found) const {
    return std::ranges::any_of(table.foreign_keys, [&](const CatalogForeignKey& key) {
      return (found.constraint.empty() || key.name.empty() || found.constraint == key.name) &&
             catalog_.find_table(key.table) != nullptr && lacks(key, found);
    });
  }

  bool lacks(const CatalogForeignKey& key, Obstacle& found) const {
    std::vector<std::string> same;
    std::vector<std::pair<std::string, Value>> wanted;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto at = column_of(relation_, key.columns[i]);
      if (!at || !is_written(*at) || refused_.row.cells[*at].is_null()) {
        return false;
      }
      same.push_back(fmt::format("d.{} = {}", dialect_.quote(key.referenced[i]), planned(*at)));
      wanted.emplace_back(key.referenced[i], refused_.row.cells[*at]);
    }
    Obstacle there;
    if (find_first(key.table, key.referenced, fmt::format("{}", fmt::join(same, " AND ")), there)) {
      return false;
    }
    found.table = key.table;
    found.key = std::move(wanted);
    return true;
  }

  /// A row of another table that refers to this one.
  void find_dependant(Obstacle& found) const {
    for (const auto& child : catalog_.tables) {
      for (const auto& key : child.foreign_keys) {
        if (key.table == relation_.name && find_child(child, key, found)) {
          return;
        }
      }
    }
  }

  bool find_child(const CatalogTable& child, const CatalogForeignKey& key, Obstacle& found) const {
    std::vector<std::string> same;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto at = column_of(relation_, key.referenced[i]);
      if (!at || !relation_.is_key(*at)) {
        return false;
      }
      same.push_back(fmt::format("d.{} = {}", dialect_.quote(key.columns[i]), planned(*at)));
    }
    return !same.empty() && find_first(child.name, key_columns(child),
                                       fmt::format("{}", fmt::join(same, " AND ")), found);
  }

  /// The first row of a table, by `key`, of which the condition holds; the same one every time.
  bool find_first(const std::string& table, const std::vector<std::string>& key,
                  const std::string& condition, Obstacle& first) const {
    if (key.empty()) {
      return false;
    }
    std::vector<std::string> list;
    std::vector<std::size_t> order;
    for (const auto& column : key) {
      list.push_back(dialect_.as_text("d." + dialect_.quote(column)));
      order.push_back(list.size());
    }
    bool found = false;
    session_.connection->query(
        fmt::format("SELECT {} FROM {} d WHERE {} ORDER BY {} LIMIT 1", fmt::join(list, ", "),
                    dialect_.table(session_.schema, table), condition, fmt::join(order, ", ")),
        {}, [&](std::span<const Cell> cells) {
          found = true;
          first.table = table;
          for (std::size_t i = 0; i < key.size(); ++i) {
            first.key.emplace_back(key[i], Value(Kind::text, std::string(cells[i].bytes)));
          }
        });
    return found;
  }

  /// What the plan wants to write in a column.
  [[nodiscard]] std::string planned(std::size_t column) const {
    return fmt::format("(SELECT c{} FROM {} WHERE n = {})", column, plan_, refused_.n);
  }

  [[nodiscard]] bool is_written(std::size_t column) const {
    return column < refused_.mask.size() && refused_.mask[column] != '0';
  }

  Session& session_;
  const Dialect& dialect_;
  const Catalog& catalog_;
  const Relation& relation_;
  std::string plan_;
  const RefusedRow& refused_;
};

}  // namespace

Obstacle PlannedTable::obstacle(const RefusedRow& refused) const {
  const auto blame = blames_.find(refused.n);
  Obstacle found{
      .kind = kind_of(target().backend(), blame == blames_.end() ? "" : blame->second.state),
      .constraint = blame == blames_.end() ? std::string() : blame->second.broken,
      .table = {},
      .key = {}};
  if (found.kind == kWaits) {
    const auto& key = relation().foreign_keys[waits_by_.at(refused.n)];
    found.table = key.table;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      found.key.emplace_back(key.referenced[i], refused.row.cells[key.columns[i]]);
    }
    return found;
  }
  // people may have changed their tables so that values cannot be compared: then only the
  // constraint is named
  auto& connection = target().connection();
  connection.execute("SAVEPOINT obstacle");
  try {
    Search(target().session(), target().catalog(), relation(), names().plan, refused).run(found);
  } catch (const Fault& fault) {
    if (fault.cause() == Fault::Cause::unreachable || fault.cause() == Fault::Cause::no_space ||
        fault.cause() == Fault::Cause::serialization) {
      throw;
    }
    connection.execute("ROLLBACK TO SAVEPOINT obstacle");
  }
  connection.execute("RELEASE SAVEPOINT obstacle");
  return found;
}

std::int64_t PlannedTable::hold_references(std::size_t key, const Relation& parent,
                                           const std::vector<Row>& rows) {
  const auto& dialect = target().dialect();
  const auto& foreign = relation().foreign_keys[key];
  std::int64_t held = 0;
  for (std::size_t from = 0; from < rows.size(); from += kKeysAtOnce) {
    std::string any;
    std::vector<Cell> parameters;
    std::deque<std::string> scratch;
    for (std::size_t k = from; k < std::min(rows.size(), from + kKeysAtOnce); ++k) {
      std::string all;
      for (std::size_t i = 0; i < foreign.columns.size(); ++i) {
        const auto at = column_of(parent, foreign.referenced[i]);
        const auto& column = relation().columns[foreign.columns[i]];
        const bool alike = column.stored.native == parent.columns[at.value()].stored.native;
        parameters.push_back(
            dialect.encode(column.type, rows[k].cells[at.value()], scratch.emplace_back()));
        const auto place = parameters.size();
        const auto ours = cell(foreign.columns[i]);
        const auto theirs = fmt::format("${}", place);
        const auto value =
            alike ? fmt::format("{} = {}", ours, dialect.cast(theirs, column.stored.native))
                  : fmt::format("{} = {}", dialect.cast(ours, "text"), theirs);
        all += fmt::format("{}{} AND substr(mask, {}, 1) <> '0'", all.empty() ? "" : " AND ", value,
                           foreign.columns[i] + 1);
      }
      any += fmt::format("{}({})", any.empty() ? "" : " OR ", all);
    }
    PlanRows found;
    target().connection().query(
        fmt::format("SELECT n FROM {} WHERE action IN ('i', 'u', 'r') AND ({})", names().plan, any),
        parameters, [&](std::span<const Cell> cells) { found.only.push_back(number(cells[0])); });
    if (found.only.empty()) {
      continue;
    }
    held += std::ssize(found.only);
    for (const auto n : found.only) {
      blames_[n] = {.state = std::string(kWaits), .broken = {}};
      waits_by_[n] = key;
    }
    refuse(found);
  }
  return held;
}

}  // namespace abgleich::db
