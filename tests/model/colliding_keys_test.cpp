// Random histories over keys and values that one side, or both, do not tell apart: by case, accent,
// width or padding. After each sync the whole secondary, its open conflicts and its counts against
// the naive oracle, which compares bytes, and which the secondary's unique keys may then stop.
//
// How many, and which: support/thorough.hpp.
#include "model/naive_sync.hpp"
#include "model/random_history.hpp"
#include "support/pairing.hpp"
#include "support/thorough.hpp"

#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>
#include <stdexcept>

namespace {

using namespace abgleich::test;
using namespace abgleich::test::naive;
using nlohmann::json;

constexpr const char* kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

struct Mismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Texts of one class are the same to the side that folds.
struct Fold {
  std::string what;
  On engine;
  std::string before;
  std::string type;
  std::vector<std::vector<std::string>> classes;
  bool pads = false;  // the secondary's own form is the same for all of a class
};

std::string collation(const std::string& locale) {
  return "CREATE COLLATION folds (provider = icu, locale = '" + locale +
         "', deterministic = false);";
}

const std::vector<Fold>& folds() {
  static const std::vector<Fold> kFolds{
      {"ICU, without case and width",
       On::postgresql,
       collation("und-u-ks-level2"),
       "text COLLATE folds",
       {{"bob", "Bob", "BOB", "Ｂob"}, {"bób", "BÓB"}, {"x", "X"}, {"y"}}},
      {"ICU, without accents",
       On::postgresql,
       collation("und-u-ks-level1"),
       "varchar(20) COLLATE folds",
       {{"bob", "BOB", "bób", "Ｂob"}, {"x", "ẋ"}, {"y"}}},
      {"citext",
       On::postgresql,
       "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;",
       "public.citext",
       {{"bob", "Bob", "BOB"}, {"bób", "Bób"}, {"x", "X"}, {"y"}}},
      {"char(n)",
       On::postgresql,
       "",
       "char(8)",
       {{"bob", "bob ", "bob  "}, {"Bob"}, {"x", "x "}, {"y"}},
       true},
      {"NOCASE",
       On::sqlite,
       "",
       "TEXT COLLATE NOCASE",
       {{"bob", "Bob", "BOB"}, {"bób"}, {"x", "X"}, {"y"}}},
      {"RTRIM",
       On::sqlite,
       "",
       "TEXT COLLATE RTRIM",
       {{"bob", "bob ", "bob  "}, {"Bob"}, {"x", "x "}, {"y"}}},
  };
  return kFolds;
}

enum class Folding : std::uint8_t { secondary, primary, both };

/// What a side does not tell apart.
class Eyes {
 public:
  Eyes(const Fold& fold, bool folds) : fold_(fold), folds_(folds) {}

  [[nodiscard]] std::string seen(const std::string& text) const {
    for (const auto& one : fold_.classes) {
      if (folds_ && std::ranges::find(one, text) != one.end()) {
        return one.front();
      }
    }
    return text;
  }

 private:
  const Fold& fold_;
  bool folds_;
};

class History {
 public:
  History(std::uint64_t seed, const Fold& fold, Folding where, Pairing& pairing)
      : fold_(fold),
        pairing_(pairing),
        random_(seed),
        primary_eyes_(fold, where != Folding::secondary),
        secondary_eyes_(fold, where != Folding::primary),
        pads_(fold.pads),
        unique_(random_.chance(40)) {
    for (const auto& one : fold.classes) {
      texts_.insert(texts_.end(), one.begin(), one.end());
    }
    schema_ = {{.name = "person",
                .target = "person",
                .columns = {{.name = "id", .as = "id", .type = "text", .nullable = false},
                            {.name = "code", .as = "code", .type = "text"},
                            {.name = "name", .as = "name", .type = "text"}}}};
    for (auto* side : {&primary_, &base_, &secondary_}) {
      side->resize(1);
    }
    const auto table = [&](const Eyes& eyes, bool unique) {
      const auto type = &eyes == &plain_ ? std::string("varchar(20)") : fold.type;
      return "CREATE TABLE person (id " + type + " PRIMARY KEY, code " +
             (fold.pads ? "varchar(20)" : type) + (unique ? " UNIQUE" : "") + ", name " +
             (fold.pads ? "varchar(20)" : type) + ");";
    };
    on(pairing_.primary, where == Folding::secondary ? table(plain_, false)
                                                     : fold.before + table(primary_eyes_, false));
    on(pairing_.secondary, where == Folding::primary
                               ? table(plain_, unique_)
                               : fold.before + table(secondary_eyes_, unique_));
  }

  void play() {
    try {
      edit_primary(6);
      sync();
      const auto rounds = 2 + random_.below(2);
      for (std::size_t round = 0; round < rounds; ++round) {
        edit_primary(1 + random_.below(5));
        edit_secondary(random_.below(4));
        sync();
      }
    } catch (const Mismatch& mismatch) {
      throw Mismatch(std::string(mismatch.what()) + "\n" + log_);
    }
  }

 private:
  void expect(bool holds, const std::string& what) const {
    if (!holds) {
      throw Mismatch(what);
    }
  }

  void on(Database& database, const std::string& sql) {
    log_ += (&database == &pairing_.primary ? "-- primary\n" : "-- secondary\n") + sql + "\n";
    database.run(sql);
  }

  static std::string literal(const Cell& cell) {
    return cell ? in_marks(*cell, '\'') : std::string("NULL");
  }

  /// The texts that a side has already, as far as it can tell, but for one row.
  [[nodiscard]] bool taken(const Side& side, const Eyes& eyes, const Row* but,
                           const Cell& key) const {
    return std::ranges::any_of(side[0], [&](const auto& entry) {
      return &entry.second != but && eyes.seen(*entry.first[0]) == eyes.seen(*key);
    });
  }
  [[nodiscard]] bool code_taken(const Side& side, const Eyes& eyes, const Row* but,
                                const Cell& code) const {
    return code && std::ranges::any_of(side[0], [&](const auto& entry) {
             return &entry.second != but && entry.second[1] &&
                    eyes.seen(*entry.second[1]) == eyes.seen(*code);
           });
  }

  Cell any_value() { return random_.chance(10) ? std::nullopt : Cell(random_.any(texts_)); }

  void edit_primary(std::size_t edits) {
    auto& rows = primary_[0];
    for (std::size_t i = 0; i < edits; ++i) {
      const Cell key = random_.any(texts_);
      const auto dice = random_.below(100);
      if (rows.empty() || dice < 35) {
        if (!taken(primary_, primary_eyes_, nullptr, key)) {
          rows[{key}] = {key, any_value(), any_value()};
          on(pairing_.primary, "INSERT INTO person VALUES (" + literal(key) + ", " +
                                   literal(rows[{key}][1]) + ", " + literal(rows[{key}][2]) + ")");
        }
        continue;
      }
      const auto old = random_.any(rows).first;
      auto& row = rows[old];
      if (dice < 55) {  // the key itself, often in nothing but what somebody does not see
        if (key != old[0] && !taken(primary_, primary_eyes_, &row, key)) {
          auto moved = row;
          moved[0] = key;
          rows.erase(old);
          rows[{key}] = moved;
          on(pairing_.primary,
             "UPDATE person SET id = " + literal(key) + " WHERE id = " + literal(old[0]));
        }
      } else if (dice < 85) {
        const auto column = 1 + random_.below(2);
        row[column] = any_value();
        on(pairing_.primary, "UPDATE person SET " + schema_[0].columns[column].name + " = " +
                                 literal(row[column]) + " WHERE id = " + literal(old[0]));
      } else if (rows.size() > 1) {
        rows.erase(old);
        on(pairing_.primary, "DELETE FROM person WHERE id = " + literal(old[0]));
      }
    }
  }

  void edit_secondary(std::size_t edits) {
    auto& rows = secondary_[0];
    for (std::size_t i = 0; i < edits; ++i) {
      const Cell key = shown(random_.any(texts_));
      const auto dice = random_.below(100);
      const auto value = any_value();
      if (rows.empty() || dice < 35) {
        if (!taken(secondary_, secondary_eyes_, nullptr, key) &&
            !(unique_ && code_taken(secondary_, secondary_eyes_, nullptr, value))) {
          rows[{key}] = {key, value, any_value()};
          on(pairing_.secondary, "INSERT INTO person VALUES (" + literal(key) + ", " +
                                     literal(value) + ", " + literal(rows[{key}][2]) + ")");
        }
        continue;
      }
      const auto old = random_.any(rows).first;
      auto& row = rows[old];
      if (dice < 75) {
        const auto column = 1 + random_.below(2);
        if (column == 1 && unique_ && code_taken(secondary_, secondary_eyes_, &row, value)) {
          continue;
        }
        row[column] = value;
        on(pairing_.secondary, "UPDATE person SET " + schema_[0].columns[column].name + " = " +
                                   literal(value) + " WHERE id = " + literal(old[0]));
      } else {
        rows.erase(old);
        on(pairing_.secondary, "DELETE FROM person WHERE id = " + literal(old[0]));
      }
    }
  }

  /// As the secondary holds a key of the primary.
  [[nodiscard]] std::string shown(const std::string& key) const {
    return pads_ ? secondary_eyes_.seen(key) : key;
  }

  [[nodiscard]] Side look() const {
    Side side(1);
    std::istringstream lines(pairing_.secondary.rows(
        std::string("SELECT ") + (pads_ ? "rtrim(id)" : "'<' || id || '>'") +
        ", '<' || code || '>', '<' || name || '>' FROM person"));
    for (std::string line; std::getline(lines, line);) {
      Row row;
      for (int c = 0; c < 3; ++c) {
        const auto bar = line.find('|');
        auto cell = line.substr(0, bar);
        if (cell.starts_with('<')) {
          cell = cell.substr(1, cell.size() - 2);
          row.emplace_back(cell);
        } else {
          row.push_back(cell == "NULL" ? std::nullopt : Cell(cell));
        }
        line.erase(0, bar == std::string::npos ? line.size() : bar + 1);
      }
      expect(side[0].emplace(Row{row[0]}, row).second, "the secondary has a key twice");
    }
    return side;
  }

  Ran run(const std::vector<std::string>& words) {
    auto ran = pairing_.run(words);
    for (const auto& word : words) {
      log_ += word + " ";
    }
    log_ += "\n" + ran.out + ran.err;
    return ran;
  }

  /// The primary in the secondary's keys, without what is held back: rows whose keys are the same
  /// there, which then count as unchanged.
  Side offered(std::set<Row>& held) const {
    std::map<Row, std::vector<Row>> by_key;
    for (const auto& [key, row] : primary_[0]) {
      auto as = row;
      as[0] = shown(*row[0]);
      by_key[{as[0]}].push_back(as);
    }
    Side side(1);
    for (const auto& [key, rows] : by_key) {
      if (rows.size() == 1) {
        side[0][key] = rows.front();
        continue;
      }
      held.insert(key);
      if (const auto found = base_[0].find(key); found != base_[0].end()) {
        side[0][key] = found->second;
      }
    }
    return side;
  }

  [[nodiscard]] bool collides(const Side& side, const Row& row) const {
    return std::ranges::any_of(side[0], [&](const auto& entry) {
      const auto& other = entry.second;
      return (other[0] != row[0] &&
              secondary_eyes_.seen(*other[0]) == secondary_eyes_.seen(*row[0])) ||
             (unique_ && other[0] != row[0] && other[1] && row[1] &&
              secondary_eyes_.seen(*other[1]) == secondary_eyes_.seen(*row[1]));
    });
  }

  void sync() {
    if (random_.chance(30)) {
      std::filesystem::remove_all(pairing_.directory.path() / "state" / "cache");
      log_ += "-- without the cache\n";
    }
    std::set<Row> held;
    const auto primary = offered(held);
    const auto should = Sync(schema_, primary, base_, secondary_).run();
    const auto ran = run({"sync", "--json"});
    const auto line = json::parse(ran.out, nullptr, false);
    expect(line.is_object(), "sync said something else");
    if (ran.exit == 20 && primary_[0].empty()) {
      return;
    }
    expect(ran.exit == 0 || ran.exit == 10 || ran.exit == 11, "sync's exit code");
    const auto after = look();
    std::map<Row, std::string> conflicts;
    for (const auto& [where, conflict] : should.conflicts) {
      conflicts[where.second] = conflict.kind;
    }
    auto secondary = should.secondary;
    auto base = should.base;
    std::vector<Row> refused;
    for (const auto& [key, row] : should.secondary[0]) {
      const auto before = secondary_[0].find(key);
      const auto now = after[0].find(key);
      const bool changes = before == secondary_[0].end() || before->second != row;
      if (!changes || (now != after[0].end() && now->second == row)) {
        continue;
      }
      refused.push_back(row);
      conflicts[key] = "constraint";
      const auto put_back = [&](Side& side, const Side& from) {
        if (const auto was = from[0].find(key); was != from[0].end()) {
          side[0][key] = was->second;
        } else {
          side[0].erase(key);
        }
      };
      put_back(secondary, secondary_);
      put_back(base, base_);
    }
    expect(after == secondary, "the secondary is not as the oracle says:\n" + told(after) +
                                   "should be\n" + told(secondary));
    for (const auto& row : refused) {
      expect(collides(after, row), "a row was refused that nothing is in the way of: " + *row[0]);
    }
    secondary_ = secondary;
    base_ = base;
    expect_conflicts(conflicts);
    expect(line["tables"]["person"]["quarantined"] == held.size(), "rows that are held back");
    expect(line["exit"] == (held.empty() ? (conflicts.empty() ? 0 : 10) : 11) ||
               (!held.empty() && !conflicts.empty()),
           "sync's exit code");
    if (random_.chance(40)) {
      const auto again = json::parse(run({"sync", "--json"}).out, nullptr, false);
      expect(again.is_object() && again["outcome"] == "unchanged",
             "the second sync is not unchanged");
    }
    if (random_.chance(20)) {
      const auto full = json::parse(run({"sync", "--json", "--full"}).out, nullptr, false);
      expect(full.is_object() && full["outcome"] == "unchanged", "the full sync is not unchanged");
    }
    if (random_.chance(20)) {
      expect(run({"verify"}).exit == 0, "verify found damage");
    }
    expect(look() == secondary_, "a quiet run changed the secondary");
  }

  static std::string told(const Side& side) {
    std::string text;
    for (const auto& [key, row] : side[0]) {
      for (const auto& cell : row) {
        text += literal(cell) + " ";
      }
      text += "\n";
    }
    return text;
  }

  void expect_conflicts(const std::map<Row, std::string>& should) {
    std::map<Row, std::string> open;
    std::istringstream lines(run({"conflicts", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      const auto conflict = json::parse(line);
      auto key = conflict["key"]["id"].get<std::string>();
      if (pads_) {
        key.erase(key.find_last_not_of(' ') + 1);
      }
      open[{key}] = conflict["kind"];
    }
    std::string differing;
    for (const auto& [key, kind] : should) {
      differing += "should: " + *key[0] + " " + kind + "\n";
    }
    expect(open == should, "the open conflicts:\n" + differing);
  }

  const Fold& fold_;
  Pairing& pairing_;
  Random random_;
  Eyes plain_{fold_, false};
  Eyes primary_eyes_;
  Eyes secondary_eyes_;
  bool pads_;
  bool unique_;
  std::vector<std::string> texts_;
  Schema schema_;
  Side primary_, base_, secondary_;
  std::string log_;
};

/// Histories that all ways to fold share.
void play(Folding where, const Seeds& seeds) {
  int failures = 0;
  for (const auto other : kEngines) {
    for (std::size_t f = 0; f < folds().size(); ++f) {
      const auto& fold = folds()[f];
      const auto primary = where == Folding::secondary ? other : fold.engine;
      const auto secondary = where == Folding::primary ? other : fold.engine;
      if (where == Folding::both && other != fold.engine) {
        continue;  // both sides fold, and are of one engine
      }
      if (where == Folding::primary && fold.pads) {
        continue;  // what comes is padded, whatever it was
      }
      const std::size_t ways = where == Folding::both ? folds().size() : 2 * folds().size();
      const std::size_t way = where == Folding::both ? f : 2 * f + (other == On::sqlite ? 0 : 1);
      std::optional<Pairing> pairing;
      for (auto seed = seeds.first; seed < seeds.last && failures < 3; ++seed) {
        if (seed % ways != way) {
          continue;
        }
        if (!pairing) {
          pairing.emplace(primary, secondary,
                          "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
                          "id = \"plain\"\ncode = \"plain\"\nname = \"plain\"\n",
                          kLimits);
        }
        try {
          pairing->empty(
              "DROP TABLE IF EXISTS person; DROP COLLATION IF EXISTS folds; "
              "DROP SCHEMA IF EXISTS abgleich CASCADE");
          History(seed, fold, where, *pairing).play();
        } catch (const Mismatch& mismatch) {
          ++failures;
          FAIL_CHECK("seed ", seed, ", ", fold.what, ", ", name_of(primary), " to ",
                     name_of(secondary), ": ", std::string(mismatch.what()));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("histories over keys that the secondary does not tell apart end as the oracle says") {
  play(Folding::secondary, {500'001, {.usual = 48, .thorough = 240}});
}

TEST_CASE("histories over keys that the primary does not tell apart end as the oracle says") {
  play(Folding::primary, {600'001, {.usual = 24, .thorough = 120}});
}

TEST_CASE("histories over keys that neither side tells apart end as the oracle says") {
  play(Folding::both, {700'001, {.usual = 24, .thorough = 120}});
}
