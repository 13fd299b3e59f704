// What is in the way of a row that the secondary's constraints refuse: which constraint, and which
// row of the secondary.
#include "db/cell_values.hpp"
#include "db/constraint_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace abgleich::db {

namespace {

constexpr std::string_view kWaits = "waits";
constexpr std::size_t kKeysAtOnce = 200;  // in one statement

std::string kind_of(std::string_view state) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kKinds{{
      {"", "dependants"},
      {kWaits, kWaits},
      {"23502", "not_null"},
      {"23503", "foreign_key"},
      {"23001", "foreign_key"},
      {"23505", "unique"},
      {"23514", "check"},
      {"23P01", "exclusion"},
      {"SQLITE_CONSTRAINT_UNIQUE", "unique"},
      {"SQLITE_CONSTRAINT_PRIMARYKEY", "unique"},
      {"SQLITE_CONSTRAINT_ROWID", "unique"},
      {"SQLITE_CONSTRAINT_NOTNULL", "not_null"},
      {"SQLITE_CONSTRAINT_CHECK", "check"},
      {"SQLITE_CONSTRAINT_FOREIGNKEY", "foreign_key"},
      {"SQLITE_CONSTRAINT_TRIGGER", "trigger"},
      {"P0001", "trigger"},
  }};
  const auto found =
      std::ranges::find(kKinds, state, &std::pair<std::string_view, std::string_view>::first);
  return found == kKinds.end() ? "other" : std::string(found->second);
}

std::optional<std::size_t> column_of(const Relation& relation, const std::string& name) {
  const auto found = std::ranges::find(relation.columns, name, &RelationColumn::name);
  return found == relation.columns.end()
             ? std::nullopt
             : std::optional(static_cast<std::size_t>(found - relation.columns.begin()));
}

/// How a table's rows are told apart in a message.
std::vector<std::string> key_columns(const CatalogTable& table) {
  return table.primary_key       ? table.primary_key->columns
         : table.uniques.empty() ? std::vector<std::string>{}
                                 : table.uniques.front().columns;
}

}  // namespace

bool Target::find_in_way(const std::string& table, const std::vector<std::string>& key,
                         const std::string& condition, Obstacle& obstacle) {
  if (key.empty()) {
    return false;
  }
  std::string list;
  std::string order;  // the same row every time
  int place = 0;
  for (const auto& column : key) {
    order += fmt::format("{}{}", order.empty() ? "" : ", ", ++place);
    list += fmt::format("{}CAST(d.{} AS text)", list.empty() ? "" : ", ", dialect().quote(column));
  }
  bool found = false;
  session_.connection->query(fmt::format("SELECT {} FROM {} d WHERE {} ORDER BY {} LIMIT 1", list,
                                         dialect().table(session_.schema, table), condition, order),
                             {}, [&](std::span<const Cell> cells) {
                               found = true;
                               obstacle.table = table;
                               for (std::size_t i = 0; i < key.size(); ++i) {
                                 obstacle.key.emplace_back(
                                     key[i], Value(Kind::text, std::string(cells[i].bytes)));
                               }
                             });
  return found;
}

Target::Obstacle Target::obstacle(const Relation& relation, const Refused& refused) {
  const auto blame = blames_.find({relation.id, refused.n});
  Obstacle found{.kind = kind_of(blame == blames_.end() ? "" : blame->second.state),
                 .constraint = blame == blames_.end() ? std::string() : blame->second.broken,
                 .table = {},
                 .key = {}};
  // what people have made of their tables may not even be comparable: then the constraint must do
  session_.connection->execute("SAVEPOINT obstacle");
  try {
    find_obstacle(relation, refused, found);
  } catch (const Fault& fault) {
    if (fault.cause() == Fault::Cause::unreachable || fault.cause() == Fault::Cause::no_space ||
        fault.cause() == Fault::Cause::serialization) {
      throw;
    }
    session_.connection->execute("ROLLBACK TO SAVEPOINT obstacle");
  }
  session_.connection->execute("RELEASE SAVEPOINT obstacle");
  return found;
}

void Target::find_obstacle(const Relation& relation, const Refused& refused, Obstacle& found) {
  const auto* table = catalog_.find_table(relation.name);
  if (table == nullptr) {
    return;
  }
  if (found.kind == kWaits) {
    const auto& key = relation.foreign_keys[waits_by_.at({relation.id, refused.n})];
    found.table = key.table;
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      found.key.emplace_back(key.referenced[i], refused.row.cells[key.columns[i]]);
    }
    return;
  }
  const bool removes = refused.action == PlanAction::refused_remove;
  const auto written = [&](std::size_t i) {
    return i < refused.mask.size() && refused.mask[i] != '0';
  };
  const auto plan = names(relation).plan;
  const auto planned = [&](std::size_t i) {
    return fmt::format("(SELECT c{} FROM {} WHERE n = {})", i, plan, refused.n);
  };
  if (found.kind == "unique") {
    std::string other;
    for (const auto i : relation.key) {
      other += fmt::format(
          fmt::runtime(dialect().engine() == Engine::postgresql
                           ? "{}CAST(d.{} AS text) COLLATE \"C\" = CAST({} AS text) COLLATE \"C\""
                           : "{}(d.{} || '') = ({} || '')"),
          other.empty() ? "" : " AND ", dialect().quote(relation.columns[i].name), planned(i));
    }
    for (const auto& columns : read_uniques(session_, relation.name)) {
      std::string same;
      for (const auto& name : columns) {
        const auto at = column_of(relation, name);
        same = at && written(*at) ? fmt::format("{}{}d.{} = {}", same, same.empty() ? "" : " AND ",
                                                dialect().quote(name), planned(*at))
                                  : "1 = 0";
        if (!at || !written(*at)) {
          break;
        }
      }
      if (find_in_way(relation.name, key_columns(*table), same + " AND NOT (" + other + ")",
                      found)) {
        return;
      }
    }
    return;
  }
  if (found.kind == "foreign_key" && !removes) {
    for (const auto& key : table->foreign_keys) {
      std::string same;
      std::vector<std::pair<std::string, Value>> wanted;
      for (std::size_t i = 0; i < key.columns.size(); ++i) {
        const auto at = column_of(relation, key.columns[i]);
        if (!at || !written(*at) || refused.row.cells[*at].is_null()) {
          break;
        }
        same += fmt::format("{}d.{} = {}", same.empty() ? "" : " AND ",
                            dialect().quote(key.referenced[i]), planned(*at));
        wanted.emplace_back(key.referenced[i], refused.row.cells[*at]);
      }
      Obstacle there;
      if (wanted.size() == key.columns.size() && catalog_.find_table(key.table) != nullptr &&
          (found.constraint.empty() || found.constraint == key.name || key.name.empty()) &&
          !find_in_way(key.table, key.referenced, same, there)) {
        found.table = key.table;
        found.key = std::move(wanted);
        return;
      }
    }
  }
  if (found.kind == "foreign_key" || found.kind == "dependants") {
    for (const auto& child : catalog_.tables) {
      for (const auto& key : child.foreign_keys) {
        std::string same;
        for (std::size_t i = 0; key.table == relation.name && i < key.columns.size(); ++i) {
          const auto at = column_of(relation, key.referenced[i]);
          same += at && relation.is_key(*at)
                      ? fmt::format("{}d.{} = {}", same.empty() ? "" : " AND ",
                                    dialect().quote(key.columns[i]), planned(*at))
                      : std::string(same.empty() ? "1 = 0" : " AND 1 = 0");
        }
        if (!same.empty() && find_in_way(child.name, key_columns(child), same, found)) {
          return;
        }
      }
    }
  }
}

std::int64_t Target::hold_references(const Relation& relation, std::size_t key,
                                     const Relation& parent, const std::vector<Row>& rows) {
  const auto plan = names(relation).plan;
  const auto& foreign = relation.foreign_keys[key];
  std::int64_t held = 0;
  for (std::size_t from = 0; from < rows.size(); from += kKeysAtOnce) {
    std::string any;
    std::vector<Cell> parameters;
    std::deque<std::string> scratch;
    for (std::size_t k = from; k < std::min(rows.size(), from + kKeysAtOnce); ++k) {
      std::string all;
      for (std::size_t i = 0; i < foreign.columns.size(); ++i) {
        const auto at = column_of(parent, foreign.referenced[i]);
        const auto& column = relation.columns[foreign.columns[i]];
        const bool alike = column.held.native == parent.columns[at.value()].held.native;
        parameters.push_back(
            dialect().encode(column.type, rows[k].cells[at.value()], scratch.emplace_back()));
        const auto place = parameters.size();
        const auto value = dialect().engine() == Engine::sqlite
                               ? fmt::format("c{} = ${}", foreign.columns[i], place)
                           : alike
                               ? fmt::format("c{} = CAST(${} AS {})", foreign.columns[i], place,
                                             column.held.native)
                               : fmt::format("CAST(c{} AS text) = ${}", foreign.columns[i], place);
        all += fmt::format("{}{} AND substr(mask, {}, 1) <> '0'", all.empty() ? "" : " AND ", value,
                           foreign.columns[i] + 1);
      }
      any += fmt::format("{}({})", any.empty() ? "" : " OR ", all);
    }
    PlanRows found;
    session_.connection->query(
        fmt::format("SELECT n FROM {} WHERE action IN ('i', 'u', 'r') AND ({})", plan, any),
        parameters, [&](std::span<const Cell> cells) { found.only.push_back(number(cells[0])); });
    if (found.only.empty()) {
      continue;
    }
    held += std::ssize(found.only);
    for (const auto n : found.only) {
      blames_[{relation.id, n}] = {.state = std::string(kWaits), .broken = {}};
      waits_by_[{relation.id, n}] = key;
    }
    refusals_.push_back(refuse_rows(dialect(), names(relation), found));
    session_.connection->execute(refusals_.back());
  }
  return held;
}

}  // namespace abgleich::db
