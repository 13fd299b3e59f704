// Of the bookkeeping: whether it is there, with the tables and columns that this program makes.
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/cell_values.hpp"
#include "db/engine/clauses.hpp"
#include "db/engine/engine.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <span>
#include <utility>

namespace abgleich::db {

namespace {

/// Refuses other columns or another format; the hint says what to do about it.
[[noreturn]] void refuse_layout(std::string message) {
  throw Failure(Code::secondary_refuses, std::move(message),
                "another version of abgleich has made it: go on with that one, or give this one a "
                "secondary of its own (which version this is: abgleich --version). If a person has "
                "altered these tables, undo that or restore the secondary from its backup. Nothing "
                "was changed");
}

}  // namespace

BooksLayout books_layout(std::string_view ddl, std::string_view prefix) {
  constexpr std::string_view kTable = "CREATE TABLE ";
  BooksLayout layout;
  std::set<std::string>* columns = nullptr;
  while (!ddl.empty()) {
    const auto end = std::min(ddl.find('\n'), ddl.size());
    auto line = ddl.substr(0, end);
    ddl.remove_prefix(std::min(end + 1, ddl.size()));
    if (line.starts_with(kTable)) {
      line.remove_prefix(kTable.size() + prefix.size());
      columns = &layout[std::string(line.substr(0, line.find(' ')))];
    } else if (line.starts_with(')')) {
      columns = nullptr;
    } else if (columns != nullptr && line.size() > 2 && line[2] >= 'a' && line[2] <= 'z') {
      // names of columns are in small letters, constraints in capitals
      line.remove_prefix(2);
      columns->emplace(line.substr(0, line.find(' ')));
    }
  }
  return layout;
}

std::string Books::ddl() const {
  std::string ddl(session_.backend->books_ddl());
  const auto name_it = [&](const std::string& from, const std::string& to) {
    for (auto at = ddl.find(from); at != std::string::npos; at = ddl.find(from, at + to.size())) {
      ddl.replace(at, from.size(), to);
    }
  };
  const std::string usual(kUsualBooks);
  name_it("CREATE SCHEMA IF NOT EXISTS " + usual + ";",
          "CREATE SCHEMA IF NOT EXISTS " + session_.books + ";");
  name_it("CREATE TABLE " + session_.dialect->own_name(usual, {}), "CREATE TABLE " + own_name({}));
  return ddl;
}

std::string BooksBeside::schema_name() const {
  const auto fact = parse_shallow<nlohmann::json>(schema);
  return fact.is_string() ? fact.get<std::string>() : std::string();
}

namespace {

/// The names in the secondary of a tracked table's key; none where the texts are not as a run
/// writes them.
std::vector<std::string> key_of(const std::string& key_columns, const std::string& columns) {
  using Json = nlohmann::json;
  const auto key = parse_shallow<Json>(key_columns);
  const auto all = parse_shallow<Json>(columns);
  std::vector<std::string> names;
  try {
    for (const auto& source : key) {
      const auto found = std::ranges::find_if(all, [&](const Json& column) {
        return !column.contains("state") && column.at("source") == source;
      });
      if (found == all.end()) {
        return {};
      }
      names.push_back(found->at("name").get<std::string>());
    }
  } catch (const Json::exception&) {
    return {};
  }
  return names;
}

}  // namespace

void Books::read_beside(std::span<BooksBeside> some) {
  enum Part : std::uint8_t { table, schema, lineage };
  std::string sql;
  for (std::size_t i = 0; i < some.size(); ++i) {
    const auto own_of = [&](std::string_view name) {
      return session_.dialect->own_table(some[i].name, name);
    };
    sql += fmt::format(
        "{0}SELECT {1}, 0, target, key_columns, columns, id, {6} FROM {2} UNION ALL SELECT {1}, 1, "
        "value, '', '', 0, 0 FROM {3} WHERE kind = '{4}' UNION ALL SELECT {1}, 2, lineage, '', '', "
        "0, 0 FROM {5}",
        sql.empty() ? "" : " UNION ALL ", i, own_of("tracked"), own_of("fact"), kSchemaFact,
        own_of("head"), session_.backend->has_base(some[i].name, "id"));
  }
  session_.connection->query(sql, {}, [&](std::span<const Cell> cells) {
    auto& other = some[static_cast<std::size_t>(number(cells[0]))];
    switch (number(cells[1])) {
      case table:
        other.tables.push_back({.target = text(cells[2]),
                                .key = key_of(text(cells[3]), text(cells[4])),
                                .base = session_.dialect->own_table(
                                    other.name, fmt::format("base_{}", number(cells[5]))),
                                .base_exists = number(cells[6]) != 0});
        break;
      case schema:
        other.schema = text(cells[2]);
        break;
      default:
        other.lineage = text(cells[2]);
    }
  });
}

const std::vector<std::string>& Books::damaged_beside() {
  return look_beside().damaged;
}

const std::vector<BooksBeside>& Books::beside() {
  return look_beside().whole;
}

const Books::Beside& Books::look_beside() {
  if (read_.beside) {
    return *read_.beside;
  }
  Beside beside;
  session_.connection->query(session_.backend->select_other_books(session_), {},
                             [&](std::span<const Cell> cells) {
                               auto name = text(cells[0]);
                               if (is_books_name(name) && number(cells[1]) != 0) {
                                 beside.whole.push_back({.name = std::move(name)});
                               } else if (is_books_name(name)) {
                                 beside.damaged.push_back(std::move(name));
                               }
                             });
  constexpr std::size_t kAtOnce = 50;  // SQLite takes 500 parts of a UNION
  for (std::span rest(beside.whole); !rest.empty();) {
    const auto some = rest.first(std::min(kAtOnce, rest.size()));
    rest = rest.subspan(some.size());
    read_beside(some);
  }
  // no run has written these, or they are a copy of our own
  const auto ours = !beside.whole.empty() && exist() ? head(Lock::none) : std::nullopt;
  std::erase_if(beside.whole, [&](const BooksBeside& other) {
    return other.lineage.empty() || (ours && other.lineage == ours->lineage);
  });
  return read_.beside.emplace(std::move(beside));
}

const BooksLayout& Books::layout() {
  if (read_.layout) {
    return *read_.layout;
  }
  auto& found = read_.layout.emplace();
  session_.connection->query(
      session_.backend->select_books_layout(session_), {},
      [&](std::span<const Cell> cells) { found[text(cells[0])].insert(text(cells[1])); });
  return found;
}

bool Books::exist() {
  if (read_.there) {
    return true;
  }
  const auto& found = layout();
  if (!found.contains("head")) {
    return false;
  }
  expect_layout(found);
  read_.there = true;
  return true;
}

void Books::expect_layout(const BooksLayout& found) {
  if (found.at("head").contains("format")) {
    auto format = kFormat;
    session_.connection->query(fmt::format("SELECT format FROM {}", own("head")), {},
                               [&](std::span<const Cell> cells) { format = number(cells[0]); });
    if (format != kFormat) {
      refuse_layout(fmt::format(
          "the bookkeeping in the secondary is of format {}, and this abgleich knows format {}",
          format, kFormat));
    }
  }
  for (const auto& [table, columns] : books_layout(ddl(), own_name({}))) {
    const auto there = found.find(table);
    if (there == found.end()) {
      continue;  // gone: damage, see `missing`
    }
    const auto name = own_name(table);
    for (const auto& column : columns) {
      if (!there->second.contains(column)) {
        refuse_layout(
            fmt::format("the bookkeeping in the secondary is not as this abgleich makes "
                        "it: '{}' has no column '{}'",
                        name, column));
      }
    }
    if (there->second.size() > columns.size()) {
      refuse_layout(
          fmt::format("the bookkeeping in the secondary is not as this abgleich makes "
                      "it: '{}' has {} columns, and {} are known",
                      name, there->second.size(), columns.size()));
    }
  }
}

bool Books::has_table(std::string_view name) {
  return layout().contains(std::string(name));
}

void Books::look_at_bases(std::vector<std::int64_t> tracked) {
  constexpr std::size_t kAtOnce = 100;
  std::erase_if(tracked, [&](std::int64_t id) { return !has_table(fmt::format("base_{}", id)); });
  for (std::span rest(std::as_const(tracked)); !rest.empty();) {
    const auto some = rest.first(std::min(kAtOnce, rest.size()));
    rest = rest.subspan(some.size());
    std::string sql;
    for (const auto id : some) {
      sql += fmt::format("{}({})", sql.empty() ? "SELECT " : ", ",
                         count_to_one(own(fmt::format("base_{}", id))));
    }
    session_.connection->query(sql, {}, [&](std::span<const Cell> cells) {
      for (std::size_t i = 0; i < some.size(); ++i) {
        read_.empty[some[i]] = number(cells[i]) == 0;
      }
    });
  }
}

bool Books::base_was_empty(std::int64_t tracked) {
  if (!read_.empty.contains(tracked)) {
    look_at_bases({tracked});
  }
  return read_.empty.at(tracked);
}

std::vector<std::string> Books::missing() {
  const auto& found = layout();
  std::vector<std::string> gone;
  for (const auto& [table, columns] : books_layout(ddl(), own_name({}))) {
    if (!found.contains(table)) {
      gone.push_back(own_name(table));
    }
  }
  return gone;
}

}  // namespace abgleich::db
