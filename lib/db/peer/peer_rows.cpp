#include "db/peer/peer_rows.hpp"

#include "core/error.hpp"
#include "db/engine/cell_values.hpp"
#include "db/engine/clauses.hpp"
#include "db/peer/storable_value.hpp"
#include "db/sqlite/sqlite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

namespace abgleich::db {

namespace {

/// The columns of the peer's tables. The prefix of ours is compared without regard to case, as the
/// catalogue's reader does.
constexpr std::string_view kPeerColumns =
    "SELECT m.name, x.name, x.type, x.pk FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) x "
    "WHERE m.type = 'table' AND lower(substr(m.name, 1, 9)) <> 'abgleich_' "
    "AND lower(substr(m.name, 1, 7)) <> 'sqlite_' ORDER BY m.name, x.cid";

std::string create_peer_table(const PeerTable& table) {
  const auto& dialect = sqlite::dialect();
  const auto key = table.key();
  // a type that could mean more than a name and numbers, such as a constraint, is quoted there
  const auto type = [](const PeerColumn& column) {
    const auto native = sqlite::type_of(column.type, sqlite::Strictness::ordinary).native;
    return native.empty() ? native : " " + native;
  };
  return fmt::format(
      "CREATE TABLE {} ({}, PRIMARY KEY ({}))", dialect.quote(table.name),
      list(table.columns.size(),
           [&](std::size_t i) {
             const auto& column = table.columns[i];
             return fmt::format("{}{}{}", dialect.quote(column.name), type(column),
                                column.in_key ? " NOT NULL" : "");
           }),
      list(key.size(), [&](std::size_t i) { return dialect.quote(table.columns[key[i]].name); }));
}

std::string remove_row(const PeerTable& table) {
  const auto& dialect = sqlite::dialect();
  const auto key = table.key();
  return fmt::format("DELETE FROM {} WHERE {}", dialect.quote(table.name),
                     list(
                         key.size(),
                         [&](std::size_t i) {
                           return fmt::format("{} = ${}", dialect.quote(table.columns[key[i]].name),
                                              i + 1);
                         },
                         " AND "));
}

/// Which of two types is meant is not decided by case: the database gives back some that it knows,
/// such as integer, in capitals.
bool same_type(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, [](char a, char b) {
    const auto upper = [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    };
    return upper(a) == upper(b);
  });
}

bool same_table(const PeerTable& one, const PeerTable& other) {
  return one.name == other.name &&
         std::ranges::equal(
             one.columns, other.columns, [](const PeerColumn& a, const PeerColumn& b) {
               return a.name == b.name && a.in_key == b.in_key && same_type(a.type, b.type);
             });
}

void expect_values(const std::vector<sqlite::Affinity>& columns, const std::vector<Value>& cells) {
  if (cells.size() != columns.size()) {
    throw Unstorable("a row has another number of cells than its table has columns");
  }
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (!is_kept(columns[i], cells[i])) {
      throw Unstorable("a value does not fit into its column");
    }
  }
}

/// Runs `work`, a statement that is made of the peer's description of a table. If the database
/// cannot read it, that is refused.
template <class Work>
void as_described(const Work& work) {
  try {
    work();
  } catch (const Fault& fault) {
    if (fault.cause() == Fault::Cause::data || fault.state() == "SQLITE_ERROR") {
      throw Unstorable("a table cannot be made as it is described");
    }
    throw;
  }
}

}  // namespace

void PeerRows::begin_whole(const std::vector<PeerTable>& tables) {
  expect_storable(tables);
  open_.clear();
  for (const auto& table : stored()) {
    file_.run("DROP TABLE " + sqlite::dialect().quote(table.name));
  }
  for (const auto& table : tables) {
    as_described([&] { file_.run(create_peer_table(table)); });
  }
  open(tables, "INSERT OR ABORT");
}

bool PeerRows::has(const std::vector<PeerTable>& tables) {
  expect_storable(tables);
  open_.clear();
  const auto there = stored();
  const bool same =
      there.size() == tables.size() && std::ranges::all_of(tables, [&](const PeerTable& table) {
        return std::ranges::any_of(
            there, [&](const PeerTable& other) { return same_table(table, other); });
      });
  if (same) {
    open(tables, "INSERT OR REPLACE");
  }
  return same;
}

bool PeerRows::put(std::size_t table, const std::vector<Value>& cells) {
  auto& into = table_at(table);
  expect_values(into.columns, cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (into.in_key[i] && cells[i].is_null()) {
      throw Unstorable("a row has a key with null");
    }
  }
  if (!into.put) {
    into.put = prepared(
        fmt::format("{} INTO {} VALUES ({})", insertion_, into.name,
                    list(cells.size(), [](std::size_t i) { return fmt::format("${}", i + 1); })));
  }
  try {
    run(*into.put, cells);
    return true;
  } catch (const Fault& fault) {
    if (fault.cause() == Fault::Cause::constraint) {
      return false;  // the only constraint that is left is the key
    }
    throw;
  }
}

void PeerRows::remove(std::size_t table, const std::vector<Value>& key) {
  auto& from = table_at(table);
  expect_values(from.key, key);
  if (!from.remove) {
    from.remove = prepared(from.removal);
  }
  run(*from.remove, key);
}

std::int64_t PeerRows::rows(std::size_t table) {
  sqlite::Statement statement(file_, "SELECT count(*) FROM " + table_at(table).name);
  return statement.step() ? number(statement.row()[0]) : 0;
}

std::vector<PeerTable> PeerRows::stored() {
  std::vector<PeerTable> tables;
  sqlite::Statement statement(file_, kPeerColumns);
  while (statement.step()) {
    const auto row = statement.row();
    if (tables.empty() || tables.back().name != row[0].bytes) {
      tables.push_back({.name = text(row[0]), .columns = {}});
    }
    tables.back().columns.push_back(
        {.name = text(row[1]), .type = text(row[2]), .in_key = number(row[3]) != 0});
  }
  return tables;
}

void PeerRows::open(const std::vector<PeerTable>& tables, std::string insertion) {
  insertion_ = std::move(insertion);
  for (const auto& table : tables) {
    auto& opened = open_.emplace_back();
    opened.name = sqlite::dialect().quote(table.name);
    opened.removal = remove_row(table);
    for (const auto& column : table.columns) {
      opened.columns.push_back(sqlite::affinity_of(column.type));
      opened.in_key.push_back(column.in_key);
      if (column.in_key) {
        opened.key.push_back(opened.columns.back());
      }
    }
  }
}

PeerRows::OpenTable& PeerRows::table_at(std::size_t table) {
  if (table >= open_.size()) {
    throw Failure(Code::bug, "a row was to be kept in a table that was not named before");
  }
  return open_[table];
}

std::unique_ptr<sqlite::Statement> PeerRows::prepared(const std::string& sql) {
  std::unique_ptr<sqlite::Statement> statement;
  as_described([&] { statement = std::make_unique<sqlite::Statement>(file_, sql); });
  return statement;
}

void PeerRows::run(sqlite::Statement& statement, const std::vector<Value>& values) {
  // also after an exception: the statement must not keep pointers to the caller's values
  const auto reset_it = [](sqlite::Statement* used) { used->reset(); };
  const std::unique_ptr<sqlite::Statement, decltype(reset_it)> reset(&statement, reset_it);
  cells_.clear();
  for (const auto& value : values) {
    cells_.push_back(stored_cell(value));
  }
  try {
    statement.bind(cells_);
    statement.step();
  } catch (const Fault& fault) {
    if (fault.cause() == Fault::Cause::data) {
      throw Unstorable("a row does not fit into its table");
    }
    throw;
  }
}

}  // namespace abgleich::db
