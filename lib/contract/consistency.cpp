#include "contract/consistency.hpp"

#include "contract/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace abgleich::contract {

namespace {

/// The exported column that a key or a group names.
const Column& exported_column(const Table& table, const Named& named, std::string_view what) {
  const Column* column = table.find_column(named.name);
  if (column == nullptr) {
    std::vector<std::string_view> known;
    for (const Column& one : table.columns) {
      known.emplace_back(one.name);
    }
    refuse(named.place,
           fmt::format("{} names {}, which is not among the columns of table {}", what,
                       in_quotes(named.name), in_quotes(table.name)),
           suggestion(
               named.name, known,
               fmt::format("write a line for it below [tables.{}.columns]", toml_key(table.name))));
  }
  if (!column->exported()) {
    refuse(named.place, fmt::format("{} names {}, which is withheld", what, in_quotes(named.name)),
           fmt::format("give the column another class, for example {} = {{ class = \"pseudonym\", "
                       "identity = {} }}",
                       toml_key(named.name), toml_string(table.name)));
  }
  return *column;
}

void expect_distinct_old_name(std::map<std::string_view, std::string_view>& seen,
                              std::string_view was, std::string_view name, const Place& place) {
  if (was.empty()) {
    return;
  }
  const auto [first, fresh] = seen.emplace(was, name);
  if (!fresh) {
    refuse(place,
           fmt::format("{} and {} both have was = {}", in_quotes(first->second), in_quotes(name),
                       in_quotes(was)),
           "only one of them can be the renamed one: delete the other 'was'");
  }
}

}  // namespace

void expect_key(const Table& table, const std::vector<Named>& key) {
  const std::string what = fmt::format("the key of table {}", in_quotes(table.name));
  std::set<std::string_view> seen;
  for (const Named& named : key) {
    const Column& column = exported_column(table, named, what);
    if (!seen.insert(named.name).second) {
      refuse(named.place, fmt::format("{} names {} twice", what, in_quotes(named.name)),
             "delete one of the two");
    }
    if (column.cls == Class::generalise) {
      refuse(named.place,
             fmt::format("{} names {}, which is generalised and so not unique", what,
                         in_quotes(named.name)),
             fmt::format("write {} = {{ class = \"pseudonym\", identity = {} }}",
                         toml_key(named.name), toml_string(table.name)));
    }
    if (column.owner != Owner::both) {
      refuse(named.place,
             fmt::format("{} names {}, which has owner = \"{}\"", what, in_quotes(named.name),
                         name_of(column.owner)),
             "delete 'owner' of that column: a key never changes, so nobody owns it alone");
    }
  }
}

void expect_groups(const Table& table, const std::vector<std::vector<Named>>& groups) {
  std::set<std::string_view> seen;
  for (const std::vector<Named>& group : groups) {
    const Column* first = nullptr;
    for (const Named& named : group) {
      const Column& column = exported_column(table, named, "'together'");
      if (std::ranges::find(table.key, named.name) != table.key.end()) {
        refuse(named.place,
               fmt::format("'together' names {}, a column of the key", in_quotes(named.name)),
               "delete it: a key never changes");
      }
      if (!seen.insert(named.name).second) {
        refuse(named.place, fmt::format("'together' names {} twice", in_quotes(named.name)),
               "a column belongs to one group: join the groups, or delete it from one");
      }
      if (first != nullptr && first->owner != column.owner) {
        refuse(named.place,
               fmt::format("columns {} and {} merge together, but have different owners",
                           in_quotes(first->name), in_quotes(column.name)),
               "write the same owner for every column of the group");
      }
      first = first == nullptr ? &column : first;
    }
  }
}

void expect_distinct_columns(const Table& table) {
  std::map<std::string, std::string_view> targets;
  std::map<std::string_view, std::string_view> old_names;
  for (const Column& column : table.columns) {
    if (!column.exported()) {
      continue;
    }
    const auto [first, fresh] = targets.emplace(lower_case(column.as), column.name);
    if (!fresh) {
      refuse(column.place,
             fmt::format("columns {} and {} of table {} would have one name in the secondary, {}",
                         in_quotes(first->second), in_quotes(column.name), in_quotes(table.name),
                         in_quotes(column.as)),
             "write as = \"…\" with another name (capitals do not make a difference)");
    }
    expect_distinct_old_name(old_names, column.was, column.name, column.place);
  }
}

void expect_distinct_tables(const Contract& contract) {
  std::map<std::string, std::string_view> targets;
  std::map<std::string_view, std::string_view> old_names;
  for (const Table& table : contract.tables) {
    const auto [first, fresh] = targets.emplace(lower_case(table.target), table.name);
    if (!fresh) {
      refuse(table.place,
             fmt::format("tables {} and {} would have one name in the secondary, {}",
                         in_quotes(first->second), in_quotes(table.name), in_quotes(table.target)),
             "write target = \"…\" with another name (capitals do not make a difference)");
    }
    expect_distinct_old_name(old_names, table.was, table.name, table.place);
  }
}

}  // namespace abgleich::contract
