// What a sync and a resolve must do, said naively on plain maps: the merge table of lib/README.md
// read aloud. It shares no code with lib/ and knows neither digests nor plans nor SQL. Keys are the
// primary's own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::test::naive {

using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;

struct Column {
  std::string name;  // in the primary
  std::string as;    // in the secondary
  std::string type;
  std::string owner = "both";
  int group = -1;          // columns of one group >= 0 merge together
  int parent = -1;         // table that it references, by that table's only key column
  std::string identity{};  // of a pseudonym; empty: plain
  bool nullable = true;
};

struct Table {
  std::string name;
  std::string target;
  std::vector<Column> columns;  // the exported ones; the key comes first
  std::size_t keys = 1;
  std::string on_delete = "delete";
  std::vector<std::string> withheld{};  // names of text columns
};

using Schema = std::vector<Table>;
using Rows = std::map<Row, Row>;  // by the key's cells
using Side = std::vector<Rows>;   // a map a table
using Where = std::pair<std::size_t, Row>;

inline Row key_of(const Table& table, const Row& row) {
  return {row.begin(), row.begin() + static_cast<std::ptrdiff_t>(table.keys)};
}

inline const Row* find(const Side& side, const Where& where) {
  const auto found = side[where.first].find(where.second);
  return found == side[where.first].end() ? nullptr : &found->second;
}

struct Conflict {
  std::string kind;
  std::string action;  // of a constraint
  std::set<std::size_t> columns;
  std::optional<Row> primary;
  std::optional<Row> secondary;
};
using Conflicts = std::map<Where, Conflict>;

struct Counts {
  int inserted = 0;
  int updated = 0;
  int deleted = 0;
  int unchanged = 0;
  int conflicts = 0;
  bool operator==(const Counts&) const = default;
};

struct Synced {
  Side base, secondary;
  Conflicts conflicts;
  std::set<Where> kept;  // deleted in the primary, kept in the secondary by the contract
  std::vector<Counts> counts;
};

/// A change of one row of the secondary.
struct Change {
  std::string action;       // "insert", "update", "delete"
  Row after;                // unless it is deleted
  std::optional<Row> base;  // afterwards
  std::set<std::size_t> columns;
};
using Changes = std::map<Where, Change>;

inline void perform(const Changes& changes, Side& secondary) {
  for (const auto& [where, change] : changes) {
    if (change.action == "delete") {
      secondary[where.first].erase(where.second);
    } else {
      secondary[where.first][where.second] = change.after;
    }
  }
}

/// A row that points to a row which is not there: the row, and the one that it misses.
inline std::optional<std::pair<Where, Where>> dangling(const Schema& schema, const Side& side) {
  for (std::size_t t = 0; t < schema.size(); ++t) {
    for (const auto& [key, row] : side[t]) {
      for (std::size_t c = 0; c < schema[t].columns.size(); ++c) {
        const int parent = schema[t].columns[c].parent;
        if (parent >= 0 && row[c] && !side[static_cast<std::size_t>(parent)].contains({row[c]})) {
          return std::pair(Where(t, key), Where(static_cast<std::size_t>(parent), {row[c]}));
        }
      }
    }
  }
  return std::nullopt;
}

/// Takes out of `changes` what the secondary's foreign keys do not let in; gives what it took.
inline Changes refuse(const Schema& schema, const Side& secondary, Changes& changes) {
  Changes refused;
  for (;;) {
    auto after = secondary;
    perform(changes, after);
    const auto trouble = dangling(schema, after);
    if (!trouble) {
      return refused;
    }
    const auto& [child, parent] = *trouble;
    // Somebody deletes what is still pointed to, or points to what is not there.
    const auto guilty = changes.find(changes.contains(parent) ? parent : child);
    refused.insert(*guilty);
    changes.erase(guilty);
  }
}

inline std::set<std::size_t> all_columns(const Table& table) {
  std::set<std::size_t> columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    columns.insert(columns.end(), c);
  }
  return columns;
}

/// The columns in which two rows differ, leaving out those that `but` owns.
inline std::set<std::size_t> differing(const Table& table, const Row& a, const Row& b,
                                       const std::string& but = "") {
  std::set<std::size_t> columns;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (a[c] != b[c] && table.columns[c].owner != but) {
      columns.insert(c);
    }
  }
  return columns;
}

class Sync {
 public:
  Sync(const Schema& schema, const Side& primary, const Side& base, const Side& secondary)
      : schema_(schema), primary_(primary) {
    after_.base = base;
    after_.secondary = secondary;
    after_.counts.resize(schema.size());
  }

  Synced run() {
    std::set<Where> everywhere;
    for (const auto* side :
         {&primary_, &std::as_const(after_.base), &std::as_const(after_.secondary)}) {
      for (std::size_t t = 0; t < schema_.size(); ++t) {
        for (const auto& [key, row] : (*side)[t]) {
          everywhere.insert({t, key});
        }
      }
    }
    for (const auto& where : everywhere) {
      merge(where);
    }
    auto told = changes_;
    auto refused = wait();
    refused.merge(refuse(schema_, after_.secondary, changes_));
    for (const auto& [where, change] : refused) {
      const auto* primary = find(primary_, where);
      const auto* secondary = find(after_.secondary, where);
      after_.conflicts[where] = {
          .kind = "constraint",
          .action = change.action,
          .columns = change.action == "delete" ? all_columns(schema_[where.first]) : change.columns,
          .primary = primary == nullptr ? std::nullopt : std::optional(*primary),
          .secondary = secondary == nullptr ? std::nullopt : std::optional(*secondary)};
    }
    perform(changes_, after_.secondary);
    for (const auto& [where, change] : changes_) {
      set_base(where, change.base);
    }
    count(told);
    return after_;
  }

 private:
  void merge(const Where& where) {
    const auto& table = schema_[where.first];
    const auto* p = find(primary_, where);
    const auto* b = find(after_.base, where);
    const auto* s = find(after_.secondary, where);
    if (b == nullptr && s == nullptr) {
      changes_[where] = {"insert", *p, *p, all_columns(table)};
    } else if (b == nullptr && p != nullptr) {
      both_inserted(where, table, *p, *s);
    } else if (b == nullptr) {
      return;  // only in the secondary: never touched
    } else if (p == nullptr && s == nullptr) {
      set_base(where, std::nullopt);
    } else if (p == nullptr) {
      primary_deleted(where, table, *b, *s);
    } else if (s == nullptr) {
      if (!differing(table, *b, *p, "secondary").empty()) {
        conflict(where, "updated_and_deleted", all_columns(table));
      }
    } else {
      in_all_three(where, table, *p, *b, *s);
    }
  }

  /// Takes out of the changes the rows that would come to refer to a stranger: each side has
  /// another row under that key.
  Changes wait() {
    Changes waiting;
    for (const auto& [where, change] : changes_) {
      const auto& columns = schema_[where.first].columns;
      for (const auto c : change.columns) {
        if (columns[c].parent < 0 || !change.after[c]) {
          continue;
        }
        const auto parent =
            after_.conflicts.find({static_cast<std::size_t>(columns[c].parent), {change.after[c]}});
        if (parent != after_.conflicts.end() && parent->second.kind == "both_inserted") {
          waiting.insert({where, change});
        }
      }
    }
    for (const auto& [where, change] : waiting) {
      changes_.erase(where);
    }
    return waiting;
  }

  void both_inserted(const Where& where, const Table& table, const Row& p, const Row& s) {
    std::set<std::size_t> overridden;
    for (const auto c : differing(table, p, s)) {
      if (table.columns[c].owner == "both") {
        conflict(where, "both_inserted", all_columns(table));
        return;
      }
      if (table.columns[c].owner == "primary") {
        overridden.insert(c);
      }
    }
    write(where, p, s, overridden, p);
  }

  void primary_deleted(const Where& where, const Table& table, const Row& b, const Row& s) {
    if (table.on_delete == "keep") {
      set_base(where, std::nullopt);
      after_.kept.insert(where);
    } else if (table.on_delete == "delete" && !differing(table, b, s, "primary").empty()) {
      conflict(where, "deleted_and_updated", all_columns(table));
    } else {
      changes_[where] = {"delete", {}, std::nullopt, {}};
    }
  }

  void in_all_three(const Where& where, const Table& table, const Row& p, const Row& b,
                    const Row& s) {
    auto base = b;
    std::set<std::size_t> written;
    std::set<std::size_t> in_conflict;
    for (const auto& unit : units(table)) {
      const auto& owner = table.columns[*unit.begin()].owner;
      const bool p_changed = !same(p, b, unit);
      const bool s_changed = !same(s, b, unit);
      if (owner == "secondary" || !p_changed) {
        continue;  // whatever the secondary has stands
      }
      if (s_changed && !same(p, s, unit) && owner == "both") {
        in_conflict.insert(unit.begin(), unit.end());
        continue;
      }
      for (const auto c : unit) {
        base[c] = p[c];
        if (s[c] != p[c]) {
          written.insert(c);
        }
      }
    }
    if (!in_conflict.empty()) {
      conflict(where, "both_updated", in_conflict);
    }
    write(where, p, s, written, base);
  }

  static std::vector<std::set<std::size_t>> units(const Table& table) {
    std::vector<std::set<std::size_t>> units;
    std::map<int, std::set<std::size_t>> groups;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      if (const int group = table.columns[c].group; group >= 0) {
        groups[group].insert(c);
      } else {
        units.push_back({c});
      }
    }
    for (const auto& [group, columns] : groups) {
      units.push_back(columns);
    }
    return units;
  }

  static bool same(const Row& a, const Row& b, const std::set<std::size_t>& columns) {
    for (const auto c : columns) {
      if (a[c] != b[c]) {
        return false;
      }
    }
    return true;
  }

  void write(const Where& where, const Row& p, const Row& s, const std::set<std::size_t>& columns,
             const Row& base) {
    if (columns.empty()) {
      set_base(where, base);
      return;
    }
    auto after = s;
    for (const auto c : columns) {
      after[c] = p[c];
    }
    changes_[where] = {"update", after, base, columns};
  }

  void conflict(const Where& where, const std::string& kind, const std::set<std::size_t>& columns) {
    const auto* p = find(primary_, where);
    const auto* s = find(after_.secondary, where);
    after_.conflicts[where] = {.kind = kind,
                               .action = "",
                               .columns = columns,
                               .primary = p == nullptr ? std::nullopt : std::optional(*p),
                               .secondary = s == nullptr ? std::nullopt : std::optional(*s)};
  }

  void set_base(const Where& where, const std::optional<Row>& row) {
    if (row) {
      after_.base[where.first][where.second] = *row;
    } else {
      after_.base[where.first].erase(where.second);
    }
  }

  void count(const Changes& told) {
    for (const auto& [where, change] : changes_) {
      auto& counts = after_.counts[where.first];
      ++(change.action == "insert"   ? counts.inserted
         : change.action == "update" ? counts.updated
                                     : counts.deleted);
    }
    for (const auto& [where, conflict] : after_.conflicts) {
      ++after_.counts[where.first].conflicts;
    }
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      for (const auto& [key, row] : primary_[t]) {
        const Where where(t, key);
        after_.counts[t].unchanged +=
            told.contains(where) || after_.conflicts.contains(where) ? 0 : 1;
      }
    }
  }

  const Schema& schema_;
  const Side& primary_;
  Changes changes_;
  Synced after_;
};

struct Resolved {
  Side base, secondary;
  Conflicts open;
  int decided = 0;
  int left = 0;
};

/// Decides the chosen conflicts as the last sync found them.
inline Resolved resolve(const Schema& schema, const Side& base, const Side& secondary,
                        const Conflicts& open, const std::set<Where>& chosen,
                        const std::string& take) {
  Resolved after{base, secondary, open};
  Changes changes;
  std::map<Where, std::optional<Row>> agreed;  // only the base changes
  for (const auto& where : chosen) {
    const auto& conflict = open.at(where);
    const auto* now = find(secondary, where);
    const bool constraint = conflict.kind == "constraint";
    bool as_it_was = constraint || conflict.secondary.has_value() == (now != nullptr);
    if (!constraint && as_it_was && now != nullptr) {
      for (const auto c : conflict.columns) {
        as_it_was = as_it_was && (*now)[c] == (*conflict.secondary)[c];
      }
    }
    if (!as_it_was || (constraint && take == "primary")) {
      ++after.left;
      continue;
    }
    const bool deletion = constraint ? conflict.action == "delete" : !conflict.primary;
    std::optional<Row> next;
    if (!deletion) {
      const auto* before = find(base, where);
      next = before != nullptr ? *before : *conflict.primary;
      for (const auto c : conflict.columns) {
        (*next)[c] = (*conflict.primary)[c];
      }
    }
    if (take == "secondary") {
      agreed[where] = next;
    } else if (deletion) {
      changes[where] = {"delete", {}, std::nullopt, {}};
    } else if (now == nullptr) {
      changes[where] = {"insert", *conflict.primary, next, {}};
    } else {
      auto row = *now;
      for (const auto c : conflict.columns) {
        row[c] = (*conflict.primary)[c];
      }
      changes[where] = {"update", row, next, {}};
    }
  }
  after.left += static_cast<int>(refuse(schema, after.secondary, changes).size());
  perform(changes, after.secondary);
  for (const auto& [where, change] : changes) {
    agreed[where] = change.base;
  }
  for (const auto& [where, row] : agreed) {
    if (row) {
      after.base[where.first][where.second] = *row;
    } else {
      after.base[where.first].erase(where.second);
    }
    after.open.erase(where);
    ++after.decided;
  }
  return after;
}

}  // namespace abgleich::test::naive
