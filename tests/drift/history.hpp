// What a version of a real vendor's history must be judged as: its list of events, turned into the
// events that `compare` reports. For the replay on catalogues and for that on a server.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "drift/drift.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::drift::tests {

/// Kind, table, column, verdict: the names are the contract's.
using Expected = std::multiset<std::array<std::string, 4>>;

/// The names and the state before and after one version.
class Step {
 public:
  Step(const Catalog& before, const Catalog& after, const nlohmann::json& events)
      : before_(before), after_(after) {
    for (const nlohmann::json& event : events) {
      const std::string kind = event["kind"];
      if (kind == "table_renamed") {
        renamed_tables_.insert(event["was"].get<std::string>());
        renamed_tables_.insert(event["table"].get<std::string>());
      } else if (kind == "column_renamed") {
        renames_[{event["table"], event["col"]}] = event["was"];
      }
    }
    for (const nlohmann::json& event : events) {
      add(event);
    }
  }

  [[nodiscard]] const Expected& expected() const { return expected_; }

 private:
  [[nodiscard]] bool had(const std::string& table, const std::string& column) const {
    const CatalogTable* found = before_.find_table(table);
    return found != nullptr && found->find_column(column) != nullptr;
  }

  [[nodiscard]] bool has(const std::string& table, const std::string& column) const {
    const CatalogTable* found = after_.find_table(table);
    return found != nullptr && found->find_column(column) != nullptr;
  }

  [[nodiscard]] bool named(const std::string& table) const {
    const CatalogTable* found = before_.find_table(table);
    return found != nullptr && found->primary_key.has_value();
  }

  /// Whether rows of the accepted table make no sense without the column.
  [[nodiscard]] bool needed(const std::string& table, const std::string& column) const {
    const auto contains = [&](const std::vector<std::string>& columns) {
      return std::ranges::find(columns, column) != columns.end();
    };
    const CatalogTable& found = *before_.find_table(table);
    bool need = contains(found.primary_key->columns);
    for (const CatalogTable& other : before_.tables) {
      for (const CatalogForeignKey& key : other.foreign_keys) {
        need = need || (other.name == table && contains(key.columns)) ||
               (key.table == table && named(other.name) && contains(key.referenced));
      }
    }
    return need;
  }

  void expect(const std::string& kind, const std::string& table, const std::string& column,
              const std::string& verdict) {
    expected_.insert({kind, table, column, verdict});
  }

  void add_rename(const std::string& table, const std::string& was, const std::string& now) {
    // A name that is in use before and after means another column now; each such name is reported
    // once, however many renames touch it.
    if (has(table, was)) {
      if (expected_.count({"replaced_column", table, was, "block"}) == 0) {
        expect("replaced_column", table, was, "block");
      }
    } else {
      expect("renamed_column", table, was, "block");
    }
    if (had(table, now) && expected_.count({"replaced_column", table, now, "block"}) == 0) {
      expect("replaced_column", table, now, "block");
    }
  }

  void add(const nlohmann::json& event) {
    const std::string kind = event["kind"];
    const std::string table = event["table"];
    const std::string column = event.value("col", "");
    if (kind == "table_added") {
      expect("new_table", table, "", "info");
    } else if (kind == "table_renamed") {
      const std::string was = event["was"];
      expect("renamed_table", named(was) ? was : table, "", named(was) ? "block" : "info");
    } else if (kind == "table_dropped") {
      if (named(table)) {
        expect("dropped_table", table, "", "block");
      }
    } else if (!named(table) || renamed_tables_.count(table) > 0) {
      return;  // not in the contract, or blocked as a whole
    } else if (kind == "column_added") {
      expect("new_column", table, column, "info");
    } else if (kind == "column_dropped") {
      if (!has(table, column)) {
        expect("dropped_column", table, column, needed(table, column) ? "block" : "adapt");
      }
    } else if (kind == "column_renamed") {
      add_rename(table, event["was"], column);
    } else if (kind == "column_replaced") {
      expect("replaced_column", table, column, "block");
    } else if (kind == "column_retyped") {
      const auto renamed = renames_.find({table, column});
      const bool widened = event["cls"] == "widened";
      expect(widened ? "type_widened" : "type_changed", table,
             renamed == renames_.end() ? column : renamed->second, widened ? "adapt" : "block");
    } else if (kind == "nullability_loosened") {
      expect(kind, table, column, "adapt");
    } else if (kind == "nullability_tightened") {
      expect(kind, table, column, "info");
    }
  }

  const Catalog& before_;
  const Catalog& after_;
  std::set<std::string> renamed_tables_;
  std::map<std::pair<std::string, std::string>, std::string> renames_;
  Expected expected_;
};

/// A contract that exports every column of every table with a primary key, and says of each what
/// the accepted catalogue called it.
inline contract::Contract everything(const Catalog& catalog, const Catalog& accepted) {
  contract::Contract contract;
  for (const CatalogTable& table : catalog.tables) {
    if (!table.primary_key) {
      continue;
    }
    const auto old = std::ranges::find(accepted.tables, table.identity, &CatalogTable::identity);
    contract::Table named;
    named.name = named.target = table.name;
    named.was = old != accepted.tables.end() && old->name != table.name ? old->name : "";
    named.key = table.primary_key->columns;
    for (const CatalogColumn& column : table.columns) {
      contract::Column line;
      line.name = line.as = column.name;
      line.cls = contract::Class::plain;
      if (old != accepted.tables.end()) {
        const auto was = std::ranges::find(old->columns, column.identity, &CatalogColumn::identity);
        line.was = was != old->columns.end() && was->name != column.name ? was->name : "";
      }
      named.columns.push_back(line);
    }
    contract.tables.push_back(named);
  }
  return contract;
}

inline Expected words(const std::vector<Event>& events) {
  Expected found;
  for (const Event& event : events) {
    found.insert({std::string{name_of(event.kind)}, event.table, event.column,
                  std::string{name_of(event.verdict)}});
  }
  return found;
}

inline std::string text(const Expected& events) {
  std::string lines;
  for (const auto& [kind, table, column, verdict] : events) {
    lines += "\n  " + kind + " " + table + "." + column + " " + verdict;
  }
  return lines;
}

}  // namespace abgleich::drift::tests
