// Four properties of whole runs, through the real program, over thousands of seeded rows at once:
// each row is a case of its own. Every value that is entered is unlike all others, so that each can
// be followed to its end.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>
#include <vector>

namespace {

using namespace abgleich::test;
using nlohmann::json;

const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";
constexpr int kRows = 1'000;  // a table

struct TableKind {
  std::string name;
  std::string head;                 // of the contract
  std::vector<std::string> owners;  // of a, b, c, d
  bool erases = false;
};

std::string contract_of(const std::vector<TableKind>& kinds) {
  std::string text;
  for (const auto& kind : kinds) {
    text += "[tables." + kind.name + "]\nkey = [\"id\"]\n" + kind.head + "[tables." + kind.name +
            ".columns]\nid = \"plain\"\n";
    for (std::size_t c = 0; c < kind.owners.size(); ++c) {
      text += std::string(1, static_cast<char>('a' + c)) + " = { class = \"plain\", owner = \"" +
              kind.owners[c] + "\" }\n";
    }
  }
  return text;
}

using Cell = std::optional<std::string>;
using Row = std::vector<Cell>;
using Rows = std::map<int, Row>;

/// Edits that can be made to either side, as SQL.
class Edits {
 public:
  explicit Edits(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  /// A value that has never been entered before; seldom NULL or one that many have.
  Cell value() {
    switch (below(12)) {
      case 0:
        return std::nullopt;
      case 1:
        return "same";
      default:
        return "v" + std::to_string(++values_) + ".";
    }
  }

  Rows rows(int count, std::size_t columns) {
    Rows rows;
    for (int id = 1; id <= count; ++id) {
      auto& row = rows[id];
      for (std::size_t c = 0; c < columns; ++c) {
        row.push_back(value());
      }
    }
    return rows;
  }

  /// Some of the rows, and some that are not there yet, edited, deleted or inserted.
  Rows edited(const Rows& rows, std::size_t columns, int ids) {
    Rows after = rows;
    for (int id = 1; id <= ids; ++id) {
      const auto found = after.find(id);
      if (found == after.end()) {
        if (below(4) == 0) {
          for (std::size_t c = 0; c < columns; ++c) {
            after[id].push_back(value());
          }
        }
      } else if (const auto dice = below(10); dice == 0) {
        after.erase(found);
      } else if (dice < 6) {
        for (auto times = 1 + below(2); times > 0; --times) {
          found->second[below(columns)] = value();
        }
      }
    }
    return after;
  }

 private:
  std::mt19937_64 random_;
  std::uint64_t values_ = 0;
};

std::string literal(const Cell& cell) {
  return cell ? "'" + *cell + "'" : "NULL";
}

/// Makes a table hold `after`, where it holds `before`: only what differs is touched.
std::string statements(const std::string& table, const Rows& before, const Rows& after) {
  std::string sql;
  for (const auto& [id, row] : before) {
    if (!after.contains(id)) {
      sql += "DELETE FROM " + table + " WHERE id = " + std::to_string(id) + ";\n";
    }
  }
  for (const auto& [id, row] : after) {
    const auto found = before.find(id);
    std::string cells;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (found == before.end()) {
        cells += ", " + literal(row[c]);
      } else if (row[c] != found->second[c]) {
        cells += (cells.empty() ? "" : ", ") + std::string(1, static_cast<char>('a' + c)) + " = " +
                 literal(row[c]);
      }
    }
    if (found == before.end()) {
      sql += "INSERT INTO " + table + " VALUES (" + std::to_string(id) + cells + ");\n";
    } else if (!cells.empty()) {
      sql += "UPDATE " + table + " SET " + cells + " WHERE id = " + std::to_string(id) + ";\n";
    }
  }
  return sql;
}

void perform(Database& database, const std::string& sql) {
  database.run("BEGIN;\n" + sql + "COMMIT");
}

Rows look(Database& database, const std::string& table) {
  Rows rows;
  std::istringstream lines(database.rows("SELECT id, a, b, c, d FROM " + table));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream cells(line);
    std::string cell;
    std::getline(cells, cell, '|');
    auto& row = rows[std::stoi(cell)];
    while (std::getline(cells, cell, '|')) {
      row.push_back(cell == "NULL" ? std::nullopt : Cell(cell));
    }
  }
  return rows;
}

std::string ddl(const TableKind& kind) {
  return "CREATE TABLE " + kind.name + " (id integer PRIMARY KEY, a text, b text, c text, d text);";
}

std::vector<json> lines_of(const Pairing& pairing, const std::vector<std::string>& words) {
  const auto ran = pairing.run(words);
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  std::vector<json> all;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    all.push_back(json::parse(line));
  }
  return all;
}

/// Which cells of which rows are in conflict, with the values of both sides.
using Sides = std::map<std::string, std::pair<std::string, std::string>>;
std::map<int, Sides> conflicts_of(const Pairing& pairing) {
  std::map<int, Sides> conflicts;
  for (const auto& line : lines_of(pairing, {"conflicts", "--json"})) {
    auto& cells = conflicts[line["key"]["id"].get<int>()];
    for (const auto& [name, sides] : line["columns"].items()) {
      cells[name] = {sides["primary"].dump(), sides["secondary"].dump()};
    }
  }
  return conflicts;
}

void flip(On engine, std::uint64_t seed) {
  const std::vector<TableKind> kinds{
      {"x", "together = [[\"c\", \"d\"]]\n", {"both", "both", "both", "both"}}};
  Edits edits(seed);
  const auto agreed = edits.rows(kRows, 4);
  const auto one = edits.edited(agreed, 4, kRows + kRows / 5);
  auto other = edits.edited(agreed, 4, kRows + kRows / 5);
  for (auto& [id, row] : other) {  // where both edit, often to the same
    const auto found = one.find(id);
    if (found != one.end() && edits.below(5) == 0) {
      row = found->second;
    }
  }
  std::vector<Rows> ends;
  std::vector<std::map<int, Sides>> open;
  for (const bool flipped : {false, true}) {
    Pairing pairing(engine, engine, contract_of(kinds), kLimits);
    perform(pairing.primary, ddl(kinds[0]) + statements("x", {}, agreed));
    REQUIRE(pairing.sync()["exit"] == 0);
    perform(pairing.primary, statements("x", agreed, flipped ? other : one));
    perform(pairing.secondary, statements("x", agreed, flipped ? one : other));
    REQUIRE(pairing.sync()["exit"] == 10);
    ends.push_back(look(pairing.secondary, "x"));
    open.push_back(conflicts_of(pairing));
  }
  CHECK(open[0].size() > kRows / 20);
  REQUIRE(open[0].size() == open[1].size());
  int compared = 0;
  for (int id = 1; id <= kRows + kRows / 5; ++id) {
    CAPTURE(id);
    const auto in_conflict = open[0].find(id);
    const auto flipped = open[1].find(id);
    REQUIRE((in_conflict == open[0].end()) == (flipped == open[1].end()));
    const auto left = ends[0].find(id);
    const auto right = ends[1].find(id);
    ++compared;
    if (in_conflict == open[0].end()) {
      if (left == ends[0].end() || right == ends[1].end()) {
        CHECK((left == ends[0].end()) == (right == ends[1].end()));
      } else {
        CHECK(left->second == right->second);
      }
      continue;
    }
    REQUIRE(in_conflict->second.size() == flipped->second.size());
    for (const auto& [name, sides] : in_conflict->second) {
      const auto& [primary, secondary] = flipped->second.at(name);
      CHECK(sides.first == secondary);
      CHECK(sides.second == primary);
    }
    for (std::size_t c = 0; c < 4 && left != ends[0].end() && right != ends[1].end(); ++c) {
      if (!in_conflict->second.contains(std::string(1, static_cast<char>('a' + c)))) {
        CHECK(left->second[c] == right->second[c]);
      }
    }
  }
  CHECK(compared >= kRows);
}

class Story {
 public:
  Story(On engine, std::uint64_t seed)
      : edits_(seed), pairing_(engine, engine, contract_of(kinds_), kLimits) {
    std::string sql;
    for (const auto& kind : kinds_) {
      primary_[kind.name] = edits_.rows(kRows, 4);
      sql += ddl(kind) + statements(kind.name, {}, primary_[kind.name]);
    }
    perform(pairing_.primary, sql);
    REQUIRE(pairing_.sync()["exit"] == 0);
    secondary_ = look_at_all();
  }

  void tell(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      edit();
      const auto base_before = base();
      const auto before = look_at_all();
      REQUIRE(before == secondary_);
      auto ran = pairing_.sync();
      REQUIRE(ran["outcome"] == "applied");
      const auto after = look_at_all();
      expect_still(after, ran["exit"]);
      take_back(ran, before, base_before, after);
      follow(after, "sync");
      decide();
    }
    expect_accounted();
  }

 private:
  using All = std::map<std::string, Rows>;

  All look_at_all() {
    All all;
    for (const auto& kind : kinds_) {
      all[kind.name] = look(pairing_.secondary, kind.name);
    }
    return all;
  }

  [[nodiscard]] std::string own(const std::string& name) const {
    return (pairing_.secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.") + name;
  }

  /// The base of every table whose deletes can be taken back.
  std::string base() {
    std::string all;
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (!kinds_[i].erases) {
        const auto id = pairing_.secondary.rows("SELECT id FROM " + own("tracked") +
                                                " WHERE source = '" + kinds_[i].name + "'");
        all += pairing_.secondary.rows(
            pairing_.secondary.engine() == On::sqlite
                ? "SELECT k0, hex(cells) FROM " + own("base_") + id + " ORDER BY 1"
                : "SELECT k0, cells FROM " + own("base_") + id + " ORDER BY 1");
      }
    }
    return all;
  }

  void edit() {
    std::string primary;
    std::string secondary;
    for (const auto& kind : kinds_) {
      const auto next = edits_.edited(primary_[kind.name], 4, kRows + kRows / 5);
      primary += statements(kind.name, primary_[kind.name], next);
      primary_[kind.name] = next;
      const auto ours = edits_.edited(secondary_[kind.name], 4, kRows + kRows / 5);
      secondary += statements(kind.name, secondary_[kind.name], ours);
      for (const auto& [id, row] : ours) {
        const auto was = secondary_[kind.name].find(id);
        for (std::size_t c = 0; c < row.size(); ++c) {
          const bool entered = was == secondary_[kind.name].end() || was->second[c] != row[c];
          if (entered && row[c] && row[c]->front() == 'v') {
            entered_[*row[c]] = {kind.name, id, c};
          }
        }
      }
      for (const auto& [id, row] : secondary_[kind.name]) {
        const auto is = ours.find(id);
        for (std::size_t c = 0; c < row.size(); ++c) {
          if (row[c] && (is == ours.end() || is->second[c] != row[c])) {
            entered_.erase(*row[c]);  // people themselves have taken it away
          }
        }
      }
      secondary_[kind.name] = ours;
    }
    perform(pairing_.primary, primary);
    perform(pairing_.secondary, secondary);
  }

  /// Merging twice is a no-op.
  void expect_still(const All& after, const json& exit) {
    const auto base_after = base();
    const auto again = pairing_.sync();
    CHECK(again["outcome"] == "unchanged");
    CHECK(again["exit"] == exit);
    const auto full = pairing_.sync({"--full"});
    CHECK(full["tables"]["free"]["updated"] == 0);
    CHECK(look_at_all()["free"] == after.at("free"));
    CHECK(base() == base_after);
    if (full["outcome"] == "applied") {  // owner = "primary" wins again: not part of the story
      REQUIRE(pairing_.run({"revert", full["run"], "--reason", "undo", "-q"}).exit <= 10);
      REQUIRE(pairing_.run({"resume", "--reason", "go on", "-q"}).exit == 0);
    }
    CHECK(look_at_all() == after);
  }

  /// A run taken back at once leaves everything as it was, but for what was to be erased.
  void take_back(const json& ran, const All& before, const std::string& base_before,
                 const All& after) {
    REQUIRE(pairing_.run({"revert", ran["run"], "--reason", "undo", "-q"}).exit <= 10);
    auto now = look_at_all();
    for (const auto& kind : kinds_) {
      CAPTURE(kind.name);
      if (!kind.erases) {
        CHECK(now[kind.name] == before.at(kind.name));
      }
    }
    CHECK(base() == base_before);
    REQUIRE(pairing_.run({"resume", "--reason", "go on", "-q"}).exit == 0);
    CHECK(pairing_.sync()["exit"] == ran["exit"]);
    CHECK(look_at_all() == after);
  }

  /// Decides half of what is open, each way.
  void decide() {
    std::vector<std::string> ids;
    for (const auto& line : lines_of(pairing_, {"conflicts", "--json"})) {
      ids.push_back(line["id"]);
    }
    REQUIRE(ids.size() > 20);
    for (const std::string take : {"primary", "secondary"}) {
      std::vector<std::string> words{"resolve", "-q", "--take", take};
      for (std::size_t i = take == "primary" ? 0 : 1; i < ids.size(); i += 4) {
        words.push_back(ids[i]);
      }
      REQUIRE(pairing_.run(words).exit == 0);
      follow(look_at_all(), take == "primary" ? "resolve" : "");
    }
  }

  /// Every value that people have entered and that is gone since: whether that was allowed. `by`
  /// may take values away; nothing else may.
  void follow(const All& now, const std::string& by) {
    const auto last = pairing_.secondary.rows("SELECT max(epoch) FROM " + own("run"));
    const auto journal = pairing_.secondary.rows("SELECT before FROM " + own("journal") +
                                                 " WHERE before IS NOT NULL AND epoch = " + last);
    for (auto entered = entered_.begin(); entered != entered_.end();) {
      const auto& [value, where] = *entered;
      const auto& [table, id, column] = where;
      const auto& rows = now.at(table);
      const auto row = rows.find(id);
      if (row != rows.end() && row->second[column] == value) {
        ++entered;
        continue;
      }
      CAPTURE(value);
      CAPTURE(table);
      const auto& kind = *std::ranges::find(kinds_, table, &TableKind::name);
      const bool by_rule = row == rows.end() ? kind.erases : kind.owners[column] == "primary";
      // a row that is deleted by the rules takes cells along that the primary owns
      const bool with_row = row == rows.end() && kind.owners[column] == "primary";
      CHECK((by == "resolve" || (by == "sync" && (by_rule || with_row))));
      const bool traced = journal.find("text:" + value) != std::string::npos;
      CHECK((traced || (kind.erases && row == rows.end())));
      ++ended_[by.empty() ? "nothing" : by];
      entered = entered_.erase(entered);
    }
    secondary_ = now;
  }

  void expect_accounted() {
    CHECK(ended_["sync"] > 50);
    CHECK(ended_["resolve"] > 50);
    CHECK(ended_["nothing"] == 0);
    CHECK(entered_.size() > 500);  // all the others are there still
    const auto proof = pairing_.run({"verify", "--exit-code", "-q"});
    CHECK_MESSAGE(proof.exit == 0, proof.out, proof.err);
  }

  struct Place {
    std::string table;
    int id = 0;
    std::size_t column = 0;
  };

  std::vector<TableKind> kinds_{
      {"free", "together = [[\"c\", \"d\"]]\n", {"both", "both", "both", "both"}},
      {"owned", "", {"primary", "secondary", "both", "primary"}},
      {"kept", "on_delete = \"keep\"\n", {"both", "primary", "both", "secondary"}},
      {"erased", "on_delete = \"erase\"\n", {"both", "both", "primary", "both"}, true}};
  Edits edits_;
  Pairing pairing_;
  All primary_;
  All secondary_;
  std::map<std::string, Place> entered_;
  std::map<std::string, int> ended_;  // by what
};

}  // namespace

TEST_CASE("properties: the two sides flipped give the same cells and the same conflicts") {
  flip(On::sqlite, 11);
  flip(On::postgresql, 12);
}

TEST_CASE(
    "properties: merging twice is nothing, a run is taken back exactly, every value has an end") {
  Story(On::sqlite, 21).tell(3);
  Story(On::postgresql, 22).tell(2);
}
