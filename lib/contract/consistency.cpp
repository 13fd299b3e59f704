#include "contract/consistency.hpp"

#include "contract/toml_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace abgleich::contract {

namespace {

/// The column that a key, a group or a condition names.
const Column& named_column(const Table& table, const Named& named, std::string_view what) {
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
  return *column;
}

/// As `named_column`, and the column has to be exported.
const Column& exported_column(const Table& table, const Named& named, std::string_view what) {
  const Column& column = named_column(table, named, what);
  if (!column.exported()) {
    refuse(named.place, fmt::format("{} names {}, which is withheld", what, in_quotes(named.name)),
           fmt::format("give the column another class, for example {} = {{ class = \"pseudonym\", "
                       "identity = {} }}",
                       toml_key(named.name), toml_string(table.name)));
  }
  return column;
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

void expect_deciding(const Table& table) {
  const std::string what = fmt::format("'where' of table {}", in_quotes(table.name));
  for (const auto& name : columns_of(*table.where)) {
    (void)named_column(table, {.name = name, .place = table.where_place}, what);
  }
}

void expect_routable(const Table& table, const Place& place) {
  if (!table.route.empty()) {
    (void)named_column(table, {.name = table.route, .place = place},
                       fmt::format("'route' of table {}", in_quotes(table.name)));
  }
  for (const auto& followed : table.follows) {
    (void)named_column(table, {.name = followed.by, .place = followed.place},
                       fmt::format("'follows' of table {}", in_quotes(table.name)));
  }
}

namespace {

/// Follows the ways upwards; `way`: the tables on it.
void expect_an_end(const Contract& contract, const Table& table, std::vector<std::string>& way) {
  way.push_back(table.name);
  for (const auto& followed : table.follows) {
    if (std::ranges::find(way, followed.table) != way.end()) {
      refuse(followed.place,
             fmt::format("table {} follows itself, by {}", in_quotes(followed.table),
                         fmt::join(way, ", ")),
             "write route = \"COLUMN\" in place of 'follows' in one of them");
    }
    expect_an_end(contract, *contract.find_table(followed.table), way);
  }
  way.pop_back();
}

}  // namespace

void expect_followed(const Contract& contract) {
  for (const auto& table : contract.tables) {
    for (const auto& followed : table.follows) {
      const auto* parent = contract.find_table(followed.table);
      if (parent == nullptr || !parent->is_routed()) {
        refuse(followed.place,
               fmt::format("table {} follows {}, which {}", in_quotes(table.name),
                           in_quotes(followed.table),
                           parent == nullptr ? "is not in the contract" : "goes to every peer"),
               parent == nullptr
                   ? fmt::format("write [tables.{}], with a 'route'", toml_key(followed.table))
                   : fmt::format("write route = \"COLUMN\" into [tables.{}], or delete 'follows'",
                                 toml_key(followed.table)));
      }
      if (parent->key.size() != 1) {
        refuse(followed.place,
               fmt::format("table {} follows {}, whose key has {} columns", in_quotes(table.name),
                           in_quotes(followed.table), parent->key.size()),
               "only a table with a key of one column can be followed: write route = \"COLUMN\"");
      }
    }
  }
  for (const auto& table : contract.tables) {
    std::vector<std::string> way;
    expect_an_end(contract, table, way);
  }
}

void expect_width(const Table& table, const Place& place) {
  // both sides of a row in one result: PostgreSQL allows 1,664 entries, SQLite 2,000 columns
  constexpr std::ptrdiff_t kMost = 800;
  const auto exported = std::ranges::count_if(table.columns, &Column::exported);
  if (exported > kMost) {
    refuse(place,
           fmt::format("table {} exports {} columns, more than the {} that can be merged",
                       in_quotes(table.name), exported, kMost),
           "withhold columns that the secondary has no use for");
  }
}

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

void expect_subject(const Table& table, const Place& place) {
  if (!table.subject.empty()) {
    const Named named{.name = table.subject, .place = place};
    const auto what = fmt::format("the subject of table {}", in_quotes(table.name));
    const Column& subject = exported_column(table, named, what);
    if (subject.cls != Class::pseudonym) {
      refuse(place,
             fmt::format("the subject of table {} is {}, which is no pseudonym",
                         in_quotes(table.name), in_quotes(table.subject)),
             "name the column whose pseudonym says whose row it is");
    }
    return;
  }
  for (const Column& column : table.columns) {
    if (column.cls == Class::generalise && column.generalisation.to == Generalisation::To::shift) {
      refuse(column.place,
             fmt::format("column {} is shifted by subject, and table {} has no subject",
                         in_quotes(column.name), in_quotes(table.name)),
             fmt::format("write subject = \"…\" below [tables.{}]: the pseudonym that says whose "
                         "row it is",
                         toml_key(table.name)));
    }
  }
}

void expect_quasi_identifiers(const Table& table, const std::vector<Named>& quasi_identifiers,
                              const std::vector<Named>& sensitive) {
  std::set<std::string_view> seen;
  for (const auto& [list, what] : {std::pair(&quasi_identifiers, "'quasi_identifiers'"),
                                   std::pair(&sensitive, "'sensitive'")}) {
    for (const Named& named : *list) {
      static_cast<void>(exported_column(table, named, what));
      if (std::ranges::find(table.key, named.name) != table.key.end()) {
        refuse(named.place,
               fmt::format("{} names {}, a column of the key", what, in_quotes(named.name)),
               "delete it: a key is every row's own");
      }
      if (!seen.insert(named.name).second) {
        refuse(named.place, fmt::format("{} names {} a second time", what, in_quotes(named.name)),
               "a column is one quasi-identifier, or one sensitive column");
      }
    }
  }
}

void expect_fixed(const Table& table, const std::vector<Named>& fixed) {
  std::set<std::string_view> seen;
  for (const Named& named : fixed) {
    static_cast<void>(exported_column(table, named, "'fixed'"));
    if (std::ranges::find(table.key, named.name) != table.key.end()) {
      refuse(named.place,
             fmt::format("'fixed' names {}, a column of the key", in_quotes(named.name)),
             "delete it: another key is another row anyway");
    }
    if (!seen.insert(named.name).second) {
      refuse(named.place, fmt::format("'fixed' names {} twice", in_quotes(named.name)),
             "delete one of the two");
    }
  }
}

void expect_usable(const Table& table) {
  for (const Column& column : table.columns) {
    const bool key = std::ranges::find(table.key, column.name) != table.key.end();
    if (column.on_unusable == OnUnusable::null && (key || column.name == table.subject)) {
      refuse(column.place,
             fmt::format("column {} is the {} of table {}, and no row can go without it",
                         in_quotes(column.name), key ? "key" : "subject", in_quotes(table.name)),
             "delete on_unusable: such a row is held back");
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
