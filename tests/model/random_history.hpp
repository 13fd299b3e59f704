// Random schemas, rows and edits for the histories, with the SQL and the contract that say the
// same.
#pragma once

#include "model/naive_sync.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::test::naive {

class Random {
 public:
  explicit Random(std::uint64_t seed) : numbers_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(numbers_() % n); }
  bool chance(std::size_t percent) { return below(100) < percent; }
  template <class Items>
  const auto& any(const Items& items) {
    return *std::next(items.begin(), static_cast<std::ptrdiff_t>(below(items.size())));
  }

 private:
  std::mt19937_64 numbers_;
};

/// How a key can leave: one identity each, so that its pseudonyms are learnt once for all
/// histories.
struct KeyKind {
  std::string identity;  // empty: plain
  std::string type;
  std::string format;
};
inline const std::vector<KeyKind> kKeyKinds{
    {"", "integer", ""},  {"", "text", ""},         {"integer", "integer", ""},
    {"text", "text", ""}, {"uuid", "text", "uuid"}, {"number", "integer", "integer"}};
constexpr std::size_t kKeys = 7;  // few, so that both sides meet often

inline std::string raw_key(const std::string& type, std::size_t n) {
  return (type == "text" ? "k'ä" : "") + std::to_string(n + 1);
}

/// Pseudonyms by identity and raw key, and back.
struct Pseudonyms {
  std::map<std::pair<std::string, std::string>, std::string> of;
  std::map<std::pair<std::string, std::string>, std::string> raw;
};

inline std::string in_marks(std::string_view text, char mark) {
  std::string out(1, mark);
  for (const char c : text) {
    out += c;
    if (c == mark) {
      out += mark;
    }
  }
  return out + mark;
}
inline std::string name(std::string_view text) {
  return in_marks(text, '"');
}

inline std::string toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return out + "\"";
}

/// "a, b" of what `item` gives of every element.
template <class Items, class Item>
std::string list(const Items& items, const Item& item, const std::string& between = ", ") {
  std::string text;
  for (const auto& one : items) {
    text += (text.empty() ? "" : between) + item(one);
  }
  return text;
}

// ---- schemas -----------------------------------------------------------------------------------

inline Table random_table(Random& random, const Schema& before) {
  static const std::vector<std::string> kTables{"person", "Kontakt", "order", "fall \"x\""};
  static const std::vector<std::string> kColumns{"a", "größe", "group", "Zwei Worte", "q\"'q"};
  static const std::vector<std::string> kOwners{"both", "both", "both", "primary", "secondary"};
  static const std::vector<std::string> kOnDelete{"delete", "delete", "keep", "erase"};
  Table table{.name = kTables[before.size()], .target = kTables[before.size()]};
  if (random.chance(30)) {
    table.target += "_2";
  }
  table.on_delete = random.any(kOnDelete);
  const auto& kind = random.any(kKeyKinds);
  table.columns.push_back(
      {.name = "id", .as = "id", .type = kind.type, .identity = kind.identity, .nullable = false});
  if (random.chance(20)) {
    table.keys = 2;
    table.columns.push_back({.name = "part", .as = "part", .type = "integer", .nullable = false});
  }
  const auto columns = 2 + random.below(3);
  for (std::size_t i = 0; i < columns; ++i) {
    Column column{.name = kColumns[i], .as = kColumns[i], .owner = random.any(kOwners)};
    column.type = random.chance(50) ? "text" : "integer";
    column.as += random.chance(20) ? " neu" : "";
    column.nullable = random.chance(80);
    const auto parent = random.below(before.size() + 1);
    const auto& referenced = parent == before.size() ? table : before[parent];
    if (referenced.keys == 1 && random.chance(before.empty() ? 20 : 50)) {
      column.parent = static_cast<int>(parent);
      column.type = referenced.columns[0].type;
      column.identity = referenced.columns[0].identity;
      column.nullable = true;
    }
    table.columns.push_back(column);
  }
  if (random.chance(30)) {
    const auto first = table.keys + random.below(columns - 1);
    table.columns[first + 1].owner = table.columns[first].owner;
    table.columns[first].group = table.columns[first + 1].group = 0;
  }
  if (random.chance(30)) {
    table.withheld.emplace_back("geheim");
  }
  return table;
}

inline Schema random_schema(Random& random) {
  Schema schema;
  const auto tables = 1 + random.below(3);
  for (std::size_t t = 0; t < tables; ++t) {
    schema.push_back(random_table(random, schema));
  }
  return schema;
}

inline std::string format_of(const std::string& identity) {
  for (const auto& kind : kKeyKinds) {
    if (kind.identity == identity) {
      return kind.format;
    }
  }
  return "";
}

inline std::string contract_of(const Schema& schema) {
  std::string text;
  for (const auto& table : schema) {
    const auto head = "[tables." + toml(table.name);
    text += head + "]\nkey = " + (table.keys == 1 ? "[\"id\"]\n" : "[\"id\", \"part\"]\n");
    text += "target = " + toml(table.target) + "\non_delete = " + toml(table.on_delete) + "\n";
    std::vector<std::string> together;
    for (const auto& column : table.columns) {
      if (column.group >= 0) {
        together.push_back(toml(column.name));
      }
    }
    if (!together.empty()) {
      text += "together = [[" + list(together, [](const auto& one) { return one; }) + "]]\n";
    }
    text += head + ".columns]\n";
    for (const auto& column : table.columns) {
      text += toml(column.name) + " = { ";
      if (column.identity.empty()) {
        text += "class = \"plain\"";
      } else {
        text += "class = \"pseudonym\", identity = " + toml(column.identity);
        const auto format = format_of(column.identity);
        text += format.empty() ? "" : ", format = " + toml(format);
      }
      text += column.as == column.name ? "" : ", as = " + toml(column.as);
      text += column.owner == "both" ? "" : ", owner = " + toml(column.owner);
      text += " }\n";
    }
    for (const auto& withheld : table.withheld) {
      text += withheld + " = \"withhold\"\n";
    }
  }
  return text;
}

inline std::string primary_ddl(const Schema& schema) {
  std::string sql;
  for (const auto& table : schema) {
    sql += "CREATE TABLE " + name(table.name) + " (";
    for (const auto& column : table.columns) {
      sql += name(column.name) + " " + column.type + (column.nullable ? ", " : " NOT NULL, ");
    }
    for (const auto& withheld : table.withheld) {
      sql += name(withheld) + " text, ";
    }
    sql += table.keys == 1 ? "PRIMARY KEY (id)" : "PRIMARY KEY (id, part)";
    for (const auto& column : table.columns) {
      if (column.parent >= 0) {
        const auto& parent = schema[static_cast<std::size_t>(column.parent)];
        sql +=
            ", FOREIGN KEY (" + name(column.name) + ") REFERENCES " + name(parent.name) + " (id)";
      }
    }
    sql += ");\n";
  }
  return sql;
}

// ---- edits -------------------------------------------------------------------------------------

/// Edits one side at random, in the model and as SQL. Every statement leaves a side that its own
/// foreign keys allow, as a database would insist on.
class Editor {
 public:
  enum class Of { primary, secondary };

  Editor(const Schema& schema, Of of, Side& side, const Side& other, const Pseudonyms& pseudonyms,
         Random& random)
      : schema_(schema),
        of_(of),
        side_(side),
        other_(other),
        pseudonyms_(pseudonyms),
        random_(random) {}

  void edit() {
    const auto t = random_.below(schema_.size());
    const auto dice = random_.below(100);
    if (side_[t].empty() || dice < 20) {
      insert(t);
    } else if (dice < 70) {
      update({t, random_.any(side_[t]).first});
    } else if (dice < 85) {
      // The last row of a table seldom: an empty table is refused and the round is spent.
      if (side_[t].size() > 1 || random_.chance(10)) {
        remove({t, random_.any(side_[t]).first});
      }
    } else {
      imitate(t);
    }
  }

  /// Edits a cell that is in conflict, or makes the row like the other side's.
  void edit_conflict(const Where& where, const std::set<std::size_t>& columns) {
    const auto* row = find(side_, where);
    if (row == nullptr || random_.chance(20)) {
      imitate(where);
      return;
    }
    if (!columns.empty()) {
      set(where, random_.any(columns));
    }
  }

  /// Edits a row that the other side has just edited: where both meet, conflicts come from.
  void meet(const Where& where) {
    if (find(side_, where) == nullptr || random_.chance(15)) {
      imitate(where);
    } else if (random_.chance(15) && side_[where.first].size() > 1) {
      remove(where);
    } else {
      update(where);
    }
  }

  [[nodiscard]] const std::string& sql() const { return sql_; }
  /// The rows that were edited.
  [[nodiscard]] const std::vector<Where>& touched() const { return touched_; }

 private:
  [[nodiscard]] const Table& table(const Where& where) const { return schema_[where.first]; }

  void insert(std::size_t t) {
    const auto& table = schema_[t];
    Row key{raw_key(table.columns[0].type, random_.below(kKeys))};
    if (table.keys == 2) {
      key.emplace_back(std::to_string(1 + random_.below(2)));
    }
    if (side_[t].contains(key)) {
      return;
    }
    auto row = key;
    for (auto c = table.keys; c < table.columns.size(); ++c) {
      row.push_back(any_cell({t, key}, c));
    }
    put({t, key}, row);
  }

  void update(const Where& where) {
    const auto& columns = table(where).columns;
    for (auto left = 1 + random_.below(2); left > 0; --left) {
      const auto keys = table(where).keys;
      set(where, keys + random_.below(columns.size() - keys));
    }
  }

  void set(const Where& where, std::size_t column) {
    if (column < table(where).keys) {
      return;  // keys never change in place
    }
    auto row = *find(side_, where);
    const auto* theirs = find(other_, where);
    row[column] =
        theirs != nullptr && random_.chance(30) && possible(where, column, (*theirs)[column])
            ? (*theirs)[column]
            : any_cell(where, column);
    put(where, row);
  }

  /// Makes a row what the other side has, as far as this side's foreign keys allow.
  void imitate(std::size_t t) {
    if (!other_[t].empty()) {
      imitate({t, random_.any(other_[t]).first});
    }
  }
  void imitate(const Where& where) {
    const auto* theirs = find(other_, where);
    if (theirs == nullptr) {
      if (find(side_, where) != nullptr && side_[where.first].size() > 1) {
        remove(where);
      }
      return;
    }
    for (std::size_t c = 0; c < theirs->size(); ++c) {
      if (!possible(where, c, (*theirs)[c])) {
        return;
      }
    }
    put(where, *theirs);
  }

  /// Deletes a row, and first what points to it: by deleting that too, or by NULL.
  void remove(const Where& where) {
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      for (std::size_t c = 0; c < schema_[t].columns.size(); ++c) {
        if (schema_[t].columns[c].parent != static_cast<int>(where.first)) {
          continue;
        }
        const auto rows = side_[t];
        for (const auto& [key, row] : rows) {
          const Where child(t, key);
          if (row[c] != where.second[0] || find(side_, child) == nullptr) {
            continue;
          }
          if (random_.chance(50) && side_[t].size() > 1) {
            remove(child);
          } else {
            auto detached = *find(side_, child);
            detached[c].reset();
            put(child, detached);
          }
        }
      }
    }
    touched_.push_back(where);
    sql_ += "DELETE FROM " + table_name(where) + where_key(where) + ";\n";
    side_[where.first].erase(where.second);
  }

  Cell any_cell(const Where& where, std::size_t c) {
    static const std::vector<std::string> kTexts{"", "it's ü", "b", "B"};
    const auto& column = table(where).columns[c];
    if (column.nullable && random_.chance(20)) {
      return std::nullopt;
    }
    if (column.parent < 0) {
      return column.type == "text" ? random_.any(kTexts) : std::to_string(random_.below(3));
    }
    const auto& parents = side_[static_cast<std::size_t>(column.parent)];
    for (int tries = 0; tries < 4 && !parents.empty(); ++tries) {
      const auto& parent = random_.any(parents).first[0];
      if (possible(where, c, parent)) {
        return parent;
      }
    }
    return std::nullopt;
  }

  /// References stay inside this side and, within one table, point to lower keys: no cycles.
  [[nodiscard]] bool possible(const Where& where, std::size_t c, const Cell& cell) const {
    const auto& column = table(where).columns[c];
    if (column.parent < 0 || !cell) {
      return true;
    }
    const auto parent = static_cast<std::size_t>(column.parent);
    return side_[parent].contains({cell}) && (parent != where.first || cell < where.second[0]);
  }

  void put(const Where& where, const Row& row) {
    touched_.push_back(where);
    const auto& columns = table(where).columns;
    auto& rows = side_[where.first];
    const auto found = rows.find(where.second);
    if (found == rows.end()) {
      std::string names;
      std::string values;
      for (std::size_t c = 0; c < columns.size(); ++c) {
        names += (c == 0 ? "" : ", ") + column_name(columns[c]);
        values += (c == 0 ? "" : ", ") + literal(columns[c], row[c]);
      }
      if (of_ == Of::primary) {
        for (const auto& withheld : table(where).withheld) {
          names += ", " + name(withheld);
          values += ", 'withheld " + std::to_string(random_.below(9)) + "'";
        }
      }
      sql_ += "INSERT INTO " + table_name(where) + " (" + names + ") VALUES (" + values + ");\n";
      rows[where.second] = row;
      return;
    }
    std::string sets;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (row[c] != found->second[c]) {
        sets += (sets.empty() ? "" : ", ") + column_name(columns[c]) + " = " +
                literal(columns[c], row[c]);
      }
    }
    if (of_ == Of::primary && !table(where).withheld.empty() && random_.chance(30)) {
      sets += (sets.empty() ? "" : ", ") + name(table(where).withheld[0]) + " = 'withheld too'";
    }
    if (!sets.empty()) {
      sql_ += "UPDATE " + table_name(where) + " SET " + sets + where_key(where) + ";\n";
    }
    found->second = row;
  }

  [[nodiscard]] std::string table_name(const Where& where) const {
    return name(of_ == Of::primary ? table(where).name : table(where).target);
  }
  [[nodiscard]] std::string column_name(const Column& column) const {
    return name(of_ == Of::primary ? column.name : column.as);
  }
  [[nodiscard]] std::string literal(const Column& column, const Cell& cell) const {
    if (!cell) {
      return "NULL";
    }
    return in_marks(of_ == Of::secondary && !column.identity.empty()
                        ? pseudonyms_.of.at({column.identity, *cell})
                        : *cell,
                    '\'');
  }
  [[nodiscard]] std::string where_key(const Where& where) const {
    std::string sql;
    for (std::size_t c = 0; c < where.second.size(); ++c) {
      const auto& column = table(where).columns[c];
      sql += (c == 0 ? " WHERE " : " AND ") + column_name(column) + " = " +
             literal(column, where.second[c]);
    }
    return sql;
  }

  const Schema& schema_;
  Of of_;
  Side& side_;
  const Side& other_;
  const Pseudonyms& pseudonyms_;
  Random& random_;
  std::string sql_;
  std::vector<Where> touched_;
};

}  // namespace abgleich::test::naive
