// Random histories through the real program: edits on both sides, round after round, and after each
// sync the whole secondary and its open conflicts against the naive oracle.
//
// How many, and which: support/thorough.hpp.
#include "model/naive_sync.hpp"
#include "model/random_history.hpp"
#include "support/pairing.hpp"
#include "support/thorough.hpp"

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

/// A row that changes or conflicts, as `diff` and `conflicts` tell it, in one line.
std::string told(const Schema& schema, const Where& where, const std::string& fate,
                 const std::set<std::size_t>& columns, const std::optional<Row>& primary,
                 const std::optional<Row>& secondary) {
  const auto& table = schema[where.first];
  std::string text = fate + " " + table.name;
  const auto shown = [](const Cell& cell) {
    return cell ? "'" + *cell + "'" : std::string("NULL");
  };
  for (const auto& cell : where.second) {
    text += " " + shown(cell);
  }
  std::map<std::string, std::string> cells;
  for (const auto c : columns) {
    cells[table.columns[c].as] = shown(primary ? (*primary)[c] : std::nullopt) + "/" +
                                 shown(secondary ? (*secondary)[c] : std::nullopt);
  }
  for (const auto& [column, sides] : cells) {
    text += "; " + column + ": " + sides;
  }
  return text;
}

std::set<std::string> told(const Schema& schema, const Conflicts& conflicts) {
  std::set<std::string> lines;
  for (const auto& [where, conflict] : conflicts) {
    lines.insert(told(schema, where, "conflict " + conflict.kind, conflict.columns,
                      conflict.primary, conflict.secondary));
  }
  return lines;
}

Cell cell_of(const json& value) {
  if (value.is_null()) {
    return std::nullopt;
  }
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Two databases that all histories of a pairing share, emptied in between.
class Stage {
 public:
  Stage(On primary, On secondary)
      : pairing(primary, secondary,
                "[tables.x]\nkey = [\"id\"]\n[tables.x.columns]\nid = \"plain\"\n", kLimits) {
    learn_pseudonyms();
  }

  Pairing pairing;
  Pseudonyms pseudonyms;

 private:
  /// One identity and value have one pseudonym in every table and every run: so they can be read
  /// off a table that shows the key beside it.
  void learn_pseudonyms() {
    pairing.empty();
    std::string contract;
    for (const auto& kind : kKeyKinds) {
      if (kind.identity.empty()) {
        continue;
      }
      pairing.primary.run("CREATE TABLE " + name(kind.identity) + " (id " + kind.type +
                          " NOT NULL PRIMARY KEY, shown " + kind.type + ")");
      for (std::size_t n = 0; n < kKeys; ++n) {
        const auto key = in_marks(raw_key(kind.type, n), '\'');
        pairing.primary.run("INSERT INTO " + name(kind.identity) + " VALUES (" + key + ", " + key +
                            ")");
      }
      contract += "[tables." + kind.identity + "]\nkey = [\"id\"]\n[tables." + kind.identity +
                  ".columns]\nshown = \"plain\"\nid = { class = \"pseudonym\", identity = \"" +
                  kind.identity + "\"" +
                  (kind.format.empty() ? "" : ", format = \"" + kind.format + "\"") + " }\n";
    }
    pairing.set_contract(contract);
    REQUIRE(pairing.sync()["outcome"] == "applied");
    for (const auto& kind : kKeyKinds) {
      for (std::size_t n = 0; n < kKeys && !kind.identity.empty(); ++n) {
        const auto raw = raw_key(kind.type, n);
        const auto pseudonym = pairing.secondary.rows("SELECT id FROM " + name(kind.identity) +
                                                      " WHERE shown = " + in_marks(raw, '\''));
        REQUIRE(!pseudonym.empty());
        REQUIRE(pseudonym != raw);
        pseudonyms.of[{kind.identity, raw}] = pseudonym;
        pseudonyms.raw[{kind.identity, pseudonym}] = raw;
      }
    }
  }
};

class History {
 public:
  History(Stage& stage, std::uint64_t seed)
      : stage_(stage), pairing_(stage.pairing), seed_(seed), random_(seed) {}

  void play() {
    try {
      tell();
    } catch (const Mismatch& mismatch) {
      throw Mismatch(std::string(mismatch.what()) + "\nseed " + std::to_string(seed_) + ", " +
                     name_of(pairing_.primary.engine()) + " to " +
                     name_of(pairing_.secondary.engine()) + "; the history:\n" + log_);
    }
  }

 private:
  void tell() {
    pairing_.empty();
    schema_ = random_schema(random_);
    for (auto* side : {&primary_, &base_, &secondary_}) {
      side->resize(schema_.size());
    }
    pairing_.set_contract(contract_of(schema_));
    log_ += contract_of(schema_);
    on(pairing_.primary, primary_ddl(schema_));
    edit(Editor::Of::primary, random_.chance(20) ? 0 : 6 * schema_.size());
    sync();
    const auto rounds = 2 + random_.below(3);
    for (std::size_t round = 1; round < rounds; ++round) {
      if (random_.chance(70)) {
        resolve();
      }
      const auto quiet = random_.below(10);  // rounds in which one side does nothing
      touched_.clear();
      edit(Editor::Of::primary, quiet == 0 ? 0 : 4 + random_.below(10));
      edit(Editor::Of::secondary, quiet == 1 ? 0 : 4 + random_.below(10));
      if (random_.chance(20)) {
        resolve();  // of conflicts that may have changed since
      }
      sync();
    }
    if (!open_.empty()) {
      resolve();
      sync();
    }
    expect_proof();
  }

  /// `verify` finds the bookkeeping whole and every difference explained, each row once.
  void expect_proof() {
    if (!emptied().empty() || !made_) {
      return;  // what was refused is still to be synced
    }
    const auto ran = run({"verify", "--json", "--exit-code"});
    expect(ran.exit == 0 && ran.err.empty(), "verify found something");
    std::vector<std::size_t> differ(schema_.size(), 0);
    json closing;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const auto parsed = json::parse(line);
      if (parsed.contains("schema")) {
        closing = parsed;
        continue;
      }
      for (std::size_t t = 0; t < schema_.size(); ++t) {
        differ[t] += parsed["table"] == schema_[t].name ? 1 : 0;
      }
    }
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      const auto& counts = closing["tables"][schema_[t].name];
      std::size_t rows = 0;
      for (const auto& [name, count] : counts.items()) {
        rows += count.get<std::size_t>();
      }
      std::set<std::vector<Cell>> keys;
      for (const auto* side : {&primary_, &base_, &secondary_}) {
        for (const auto& [key, row] : (*side)[t]) {
          keys.insert(key);
        }
      }
      expect(rows == keys.size(), "verify did not count every row of " + schema_[t].name + " once");
      expect(differ[t] == rows - counts["agrees"].get<std::size_t>(),
             "verify did not list every difference of " + schema_[t].name);
    }
  }

  void expect(bool holds, const std::string& what) const {
    if (!holds) {
      throw Mismatch(what);
    }
  }
  void expect_same(const std::set<std::string>& is, const std::set<std::string>& should,
                   const std::string& what) const {
    if (is == should) {
      return;
    }
    std::string text = what;
    for (const auto& line : is) {
      text += should.contains(line) ? "" : "\n  too much: " + line;
    }
    for (const auto& line : should) {
      text += is.contains(line) ? "" : "\n  missing:  " + line;
    }
    throw Mismatch(text);
  }

  void on(Database& database, const std::string& sql) {
    if (!sql.empty()) {
      log_ += (&database == &pairing_.primary ? "-- primary\n" : "-- secondary\n") + sql;
      database.run("BEGIN;\n" + sql + "COMMIT");
    }
  }

  void edit(Editor::Of of, std::size_t edits) {
    const bool first = of == Editor::Of::primary;
    Editor editor(schema_, of, first ? primary_ : secondary_, first ? secondary_ : primary_,
                  stage_.pseudonyms, random_);
    for (std::size_t i = 0; i < edits; ++i) {
      if (!open_.empty() && random_.chance(20)) {
        const auto& [where, conflict] = random_.any(open_);
        editor.edit_conflict(where, conflict.columns);
      } else if (!touched_.empty() && random_.chance(50)) {
        editor.meet(random_.any(touched_));
      } else {
        editor.edit();
      }
    }
    touched_ = editor.touched();
    on(first ? pairing_.primary : pairing_.secondary, editor.sql());
  }

  // ---- what the program says, in the model's terms ----

  [[nodiscard]] Cell raw(const Column& column, const Cell& cell) const {
    if (!cell || column.identity.empty()) {
      return cell;
    }
    const auto found = stage_.pseudonyms.raw.find({column.identity, *cell});
    expect(found != stage_.pseudonyms.raw.end(), "unknown pseudonym " + *cell);
    return found->second;
  }

  /// The secondary's rows as they are.
  [[nodiscard]] Side look() const {
    Side side;
    for (const auto& table : schema_) {
      auto& rows = side.emplace_back();
      std::istringstream lines(pairing_.secondary.rows(
          "SELECT " + list(table.columns, [](const Column& column) { return name(column.as); }) +
          " FROM " + name(table.target)));
      for (std::string line; std::getline(lines, line);) {
        Row row;
        for (const auto& column : table.columns) {
          const auto bar = line.find('|');
          const auto cell = line.substr(0, bar);
          row.push_back(raw(column, cell == "NULL" ? std::nullopt : std::optional(cell)));
          line.erase(0, bar == std::string::npos ? line.size() : bar + 1);
        }
        rows[key_of(table, row)] = row;
      }
    }
    return side;
  }

  /// One JSON line of `diff` or `conflicts`, and the row that it is about.
  std::pair<std::string, Where> read(const json& line) const {
    std::size_t t = 0;
    while (t < schema_.size() && line["table"] != schema_[t].name) {
      ++t;
    }
    expect(t < schema_.size(), "unknown table in " + line.dump());
    const auto& table = schema_[t];
    Where where(t, {});
    expect(line["key"].size() == table.keys, "wrong key in " + line.dump());
    for (std::size_t c = 0; c < table.keys; ++c) {
      where.second.push_back(raw(table.columns[c], cell_of(line["key"][table.columns[c].as])));
    }
    Row primary(table.columns.size());
    Row secondary(table.columns.size());
    std::set<std::size_t> columns;
    for (const auto& [name, sides] : line["columns"].items()) {
      std::size_t c = 0;
      while (c < table.columns.size() && table.columns[c].as != name) {
        ++c;
      }
      expect(c < table.columns.size(), "unknown column in " + line.dump());
      columns.insert(c);
      primary[c] = raw(table.columns[c], cell_of(sides["primary"]));
      secondary[c] = raw(table.columns[c], cell_of(sides["secondary"]));
    }
    auto fate = line["fate"].get<std::string>();
    if (fate == "conflict") {
      fate += " " + line["kind"].get<std::string>();
    }
    return {told(schema_, where, fate, columns, primary, secondary), where};
  }

  /// An open conflict as the program has told it. Which row is in the way is not predicted: where
  /// several are, any is right, and another one makes another conflict of it.
  struct Told {
    std::string id;
    json constraint, blocked_by;

    bool operator==(const Told&) const = default;
  };

  std::set<std::string> read_lines(const std::string& text,
                                   std::map<Where, Told>* conflicts = nullptr) const {
    std::set<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      const auto parsed = json::parse(line);
      const auto [told, where] = read(parsed);
      expect(lines.insert(told).second, "told twice: " + told);
      if (conflicts != nullptr) {
        (*conflicts)[where] = {.id = parsed["id"],
                               .constraint = parsed.value("constraint", json()),
                               .blocked_by = parsed.value("blocked_by", json())};
      }
    }
    return lines;
  }

  Ran run(const std::vector<std::string>& words) {
    log_ += "$ abgleich " +
            list(
                words, [](const auto& word) { return word; }, " ") +
            "\n";
    auto ran = pairing_.run(words);
    log_ += ran.out + ran.err;
    return ran;
  }

  // ---- a round ----

  /// Tables that are empty now: taken for a fault of the primary, unless somebody has said that it
  /// was on purpose.
  [[nodiscard]] std::vector<std::size_t> emptied() const {
    std::vector<std::size_t> tables;
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      if (primary_[t].empty() && !base_[t].empty() && !on_purpose_.contains(t)) {
        tables.push_back(t);
      }
    }
    return tables;
  }

  void sync() {
    const auto before = made_ ? look() : secondary_;
    expect(before == secondary_, "the model lost track of the secondary");
    const auto should = Sync(schema_, primary_, base_, secondary_).run();
    const bool undo = made_ && random_.chance(20) && !erases();
    const auto base_before = undo ? base_dump() : std::string();
    const auto diff = run({"diff", "--json"});
    if (cache_dice_() % 3 == 0) {  // with the cache and without it, the outcome is the same
      std::filesystem::remove_all(pairing_.directory.path() / "state" / "cache");
      log_ += "-- without the cache\n";
    }
    auto ran = run({"sync", "--json"});
    const auto gone = emptied();
    if (!gone.empty()) {
      expect(diff.exit == 0 && diff.err.find("is empty") != std::string::npos && ran.exit == 20,
             "an emptied table was not refused");
      expect(!made_ || look() == before, "a refused run changed the secondary");
      if (random_.chance(50)) {
        return;
      }
      std::vector<std::string> words{"sync", "--json", "--reason", "emptied on purpose"};
      for (const auto t : gone) {
        words.insert(words.end(), {"--accept-mass-change", schema_[t].name});
        on_purpose_.insert(t);
      }
      ran = run(words);
    }
    std::erase_if(on_purpose_, [&](std::size_t t) { return !primary_[t].empty(); });
    const bool same = made_ && should.secondary == secondary_ && should.base == base_ &&
                      told(schema_, should.conflicts) == told(schema_, open_);
    const bool first = !made_;
    made_ = true;
    const auto after = look();
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      expect_same(rows_told(t, after), rows_told(t, should.secondary),
                  "the secondary after sync, table " + schema_[t].name);
    }
    secondary_ = should.secondary;
    base_ = should.base;
    open_ = should.conflicts;
    const auto were = told_;
    expect_open();
    const bool unchanged = same && !others_in_the_way(were);
    expect_counts(ran, should, unchanged);
    auto changes = changes_between(before, after);
    auto lines = told(schema_, should.conflicts);
    for (const auto& [where, line] : changes) {
      lines.insert(line);
    }
    for (const auto& where : should.kept) {
      lines.insert(told(schema_, where, "keep", all_columns(schema_[where.first]), std::nullopt,
                        *find(after, where)));
    }
    expect(diff.exit == 0 && diff.err.empty() == gone.empty(), "diff failed");
    expect_same(read_lines(diff.out), lines, "diff against what sync then did");
    if (!first) {
      expect_journal(ran, before, after, changes);
    }
    // as often as the time allows; each history once at least
    if (first || random_.chance(30)) {
      expect_quiet(ran);
    }
    if (undo && !unchanged) {
      expect_undone(ran, before, base_before);
    }
  }

  [[nodiscard]] bool erases() const {
    return std::ranges::any_of(schema_,
                               [](const Table& table) { return table.on_delete == "erase"; });
  }

  /// Every byte of the base.
  [[nodiscard]] std::string base_dump() const {
    const bool sqlite = pairing_.secondary.engine() == On::sqlite;
    std::string dump;
    std::istringstream numbers(pairing_.secondary.rows(
        std::string("SELECT id FROM ") + (sqlite ? "abgleich_" : "abgleich.") + "tracked"));
    for (std::string number; std::getline(numbers, number);) {
      dump += number + "\n" +
              pairing_.secondary.rows(
                  sqlite ? "SELECT hex(cells), * FROM abgleich_base_" + number + " ORDER BY 1, 2"
                         : "SELECT b::text FROM abgleich.base_" + number + " b ORDER BY 1");
    }
    return dump;
  }

  /// A run taken back at once leaves data and base as they were; the next one does it all again.
  void expect_undone(const Ran& ran, const Side& before, const std::string& base_before) {
    const auto base_after = base_dump();
    const std::string id = json::parse(ran.out)["run"];
    const auto reverted = run({"revert", id, "--reason", "undo", "--json"});
    if (reverted.exit == 64) {
      expect(reverted.err.find("nothing that could be taken back") != std::string::npos &&
                 base_after == base_before && secondary_ == before,
             "revert refused");
      return;
    }
    expect(reverted.exit == ran.exit, "revert's exit code");
    expect(look() == before, "revert did not bring the secondary back");
    expect(base_dump() == base_before, "revert did not bring the base back");
    expect(run({"sync", "--json"}).exit == 13, "sync did not pause");
    expect(run({"resume", "--reason", "done"}).exit == 0, "resume failed");
    const auto again = run({"sync", "--json"});
    expect(again.exit == ran.exit, "the exit code of the run that came again");
    expect(look() == secondary_, "the run that came again made another secondary");
    expect(base_dump() == base_after, "the run that came again made another base");
    expect_open();
  }

  std::set<std::string> rows_told(std::size_t t, const Side& side) const {
    std::set<std::string> lines;
    for (const auto& [key, row] : side[t]) {
      lines.insert(told(schema_, {t, key}, "row", all_columns(schema_[t]), std::nullopt, row));
    }
    return lines;
  }

  /// Whether another row than before is in the way of an open conflict.
  bool others_in_the_way(const std::map<Where, Told>& before) const {
    bool others = false;
    for (const auto& [where, now] : told_) {
      const auto was = before.find(where);
      if (was != before.end() && was->second != now) {
        expect(was->second.blocked_by != now.blocked_by || was->second.constraint != now.constraint,
               "a conflict has another id, and nothing else");
        others = true;
      }
    }
    return others;
  }

  void expect_open() {
    told_.clear();
    if (open_.empty() && !random_.chance(10)) {
      return;  // the count in sync's line said so already
    }
    const auto ran = run({"conflicts", "--json"});
    expect(ran.exit == 0 && ran.err.empty(), "conflicts failed");
    expect_same(read_lines(ran.out, &told_), told(schema_, open_), "the open conflicts");
  }

  void expect_counts(const Ran& ran, const Synced& should, bool unchanged) {
    const auto line = json::parse(ran.out, nullptr, false);
    expect(line.is_object() && ran.err.empty(), "sync said something else");
    expect(ran.exit == (open_.empty() ? 0 : 10) && line["exit"] == ran.exit, "sync's exit code");
    expect(line["outcome"] == (unchanged ? "unchanged" : "applied"),
           std::string("sync's outcome is not ") + (unchanged ? "unchanged" : "applied"));
    expect(line["run"].is_null() == unchanged, "sync's run");
    expect(line["open"]["conflicts"] == open_.size(), "sync's open conflicts");
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      const auto& table = line["tables"][schema_[t].name];
      const Counts counts{table["inserted"], table["updated"], table["deleted"], table["unchanged"],
                          table["conflicts"]};
      expect(counts == should.counts[t], "sync's counts of " + schema_[t].name);
    }
  }

  std::map<Where, std::string> changes_between(const Side& before, const Side& after) const {
    std::map<Where, std::string> changes;
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      const auto all = all_columns(schema_[t]);
      for (const auto& [key, row] : after[t]) {
        const Where where(t, key);
        const auto* was = find(before, where);
        if (was == nullptr) {
          changes[where] = told(schema_, where, "insert", all, row, std::nullopt);
        } else if (*was != row) {
          changes[where] =
              told(schema_, where, "update", differing(schema_[t], *was, row), row, *was);
        }
      }
      for (const auto& [key, row] : before[t]) {
        if (!after[t].contains(key)) {
          changes[{t, key}] = told(schema_, {t, key}, "delete", all, std::nullopt, row);
        }
      }
    }
    return changes;
  }

  /// The journal of this run has every change, with the cells as they were and as they are, and
  /// nothing else; but an erased row leaves no image, and a table that was filled only their
  /// number.
  void expect_journal(const Ran& ran, const Side& before, const Side& after,
                      std::map<Where, std::string> changes) const {
    const auto run = json::parse(ran.out)["run"];
    if (run.is_null()) {
      expect(changes.empty(), "changes without a run");
      return;
    }
    const std::string own = pairing_.secondary.engine() == On::sqlite ? "abgleich_" : "abgleich.";
    std::istringstream lines(pairing_.secondary.rows(
        "SELECT t.source, j.fate, j.key_text, coalesce(j.before, '{}'), coalesce(j.after, '{}') "
        "FROM " +
        own + "journal j JOIN " + own + "tracked t ON t.id = j.tracked JOIN " + own +
        "run r ON r.epoch = j.epoch WHERE r.id = '" + run.get<std::string>() +
        "' AND j.fate <> 'both_deleted' AND (coalesce(j.before, j.after) IS NOT NULL OR "
        "coalesce(j.base_before, j.base_after) IS NULL)"));
    for (std::string line; std::getline(lines, line);) {
      std::vector<std::string> fields;
      std::istringstream cells(line);
      for (std::string field; std::getline(cells, field, '|');) {
        fields.push_back(field);
      }
      std::size_t t = 0;
      while (schema_[t].name != fields[0]) {
        ++t;
      }
      if (fields[1] == "first_load") {
        expect(before[t].empty(), "a first load into a table with rows");
        std::erase_if(changes, [&](const auto& change) { return change.first.first == t; });
        continue;
      }
      const auto& table = schema_[t];
      Where where(t, {});
      for (std::size_t c = 0; c < table.keys; ++c) {
        where.second.push_back(
            raw(table.columns[c], untyped(json::parse(fields[2])[table.columns[c].as])));
      }
      const auto* was = find(before, where);
      const auto* is = find(after, where);
      expect(changes.erase(where) == 1, "the journal has too much: " + line);
      const bool erased = is == nullptr && table.on_delete == "erase";
      expect_image(table, json::parse(fields[3]), erased ? nullptr : was, is);
      expect_image(table, json::parse(fields[4]), is, was);
    }
    expect(changes.empty(), changes.empty() ? "" : "the journal lacks " + changes.begin()->second);
  }

  static Cell untyped(const json& value) {
    const auto text = value.get<std::string>();
    return text.starts_with("null:") ? std::nullopt
                                     : std::optional(text.substr(text.find(':') + 1));
  }

  /// `image` has the cells of `row` that are not in `other`; nothing where there is no row.
  void expect_image(const Table& table, const json& image, const Row* row, const Row* other) const {
    std::size_t cells = 0;
    for (std::size_t c = 0; row != nullptr && c < table.columns.size(); ++c) {
      if (other != nullptr && (*row)[c] == (*other)[c]) {
        continue;
      }
      ++cells;
      const auto& column = table.columns[c];
      expect(image.contains(column.as) && raw(column, untyped(image[column.as])) == (*row)[c],
             "the journal's image of '" + column.as + "': " + image.dump());
    }
    expect(image.size() == cells, "the journal's image has too much: " + image.dump());
  }

  [[nodiscard]] std::string bytes() const {
    if (pairing_.secondary.engine() == On::sqlite) {
      return read_file(pairing_.directory / "secondary.db");
    }
    return pairing_.secondary.rows("SELECT epoch, hash, xmin FROM abgleich.head");
  }

  /// A sync right after a sync writes nothing.
  void expect_quiet(const Ran& before) {
    const auto file = bytes();
    const auto ran = run({"sync", "--json"});
    const auto line = json::parse(ran.out, nullptr, false);
    expect(line.is_object() && line["outcome"] == "unchanged" && line["run"].is_null(),
           "the second sync is not unchanged");
    expect(ran.exit == before.exit, "the second sync's exit code");
    expect(bytes() == file, "the second sync wrote to the secondary");
    expect(look() == secondary_, "the second sync changed the secondary");
  }

  void resolve() {
    std::set<Where> chosen;
    for (const auto& [where, conflict] : open_) {
      if (random_.chance(80)) {
        chosen.insert(where);
      }
    }
    if (chosen.empty()) {
      return;
    }
    const std::string take = random_.chance(50) ? "primary" : "secondary";
    std::vector<std::string> words{"resolve", "--json", "--take", take};
    const bool all = chosen.size() == open_.size();
    if (all) {
      words.emplace_back("--all");
    }
    for (const auto& where : chosen) {
      if (!all) {
        words.push_back(told_.at(where).id);
      }
    }
    const auto should = naive::resolve(schema_, base_, secondary_, open_, chosen, take);
    const auto ran = run(words);
    const auto line = json::parse(ran.out, nullptr, false);
    expect(line.is_object(), "resolve failed");
    const auto after = look();
    for (std::size_t t = 0; t < schema_.size(); ++t) {
      expect_same(rows_told(t, after), rows_told(t, should.secondary),
                  "the secondary after resolve, table " + schema_[t].name);
    }
    expect(line["resolved"] == should.decided && line["left"] == should.left &&
               line["open"]["conflicts"] == should.open.size(),
           "resolve's counts: should be " + std::to_string(should.decided) + " decided, " +
               std::to_string(should.left) + " left");
    expect(ran.exit == (should.left == 0 ? 0 : 10), "resolve's exit code");
    secondary_ = should.secondary;
    base_ = should.base;
    open_ = should.open;
    expect_open();
  }

  Stage& stage_;
  Pairing& pairing_;
  std::uint64_t seed_;
  Random random_;
  std::mt19937_64 cache_dice_{seed_};
  Schema schema_;
  Side primary_, base_, secondary_;
  Conflicts open_;
  std::map<Where, Told> told_;
  std::vector<Where> touched_;        // by the edits before these, of the other side
  std::set<std::size_t> on_purpose_;  // tables that somebody has said to be empty
  bool made_ = false;                 // the secondary's tables are there
  std::string log_;
};

/// Stops after a few failures.
void play(On primary, On secondary, const Seeds& seeds) {
  Stage stage(primary, secondary);
  int failures = 0;
  for (auto seed = seeds.first; seed < seeds.last && failures < 3; ++seed) {
    try {
      History(stage, seed).play();
    } catch (const Mismatch& mismatch) {
      ++failures;
      FAIL_CHECK(std::string(mismatch.what()));
    }
  }
}

}  // namespace

TEST_CASE("random histories on SQLite end as the oracle says, seeds from 1") {
  play(On::sqlite, On::sqlite, {1, {.usual = 100, .thorough = 1'500}});
}

TEST_CASE("random histories on SQLite end as the oracle says, seeds from 100001") {
  play(On::sqlite, On::sqlite, {100'001, {.usual = 100, .thorough = 1'500}});
}

TEST_CASE("random histories on PostgreSQL end as the oracle says") {
  play(On::postgresql, On::postgresql, {200'001, {.usual = 25, .thorough = 150}});
}

TEST_CASE("random histories from PostgreSQL to SQLite end as the oracle says") {
  play(On::postgresql, On::sqlite, {300'001, {.usual = 15, .thorough = 75}});
}

TEST_CASE("random histories from SQLite to PostgreSQL end as the oracle says") {
  play(On::sqlite, On::postgresql, {400'001, {.usual = 15, .thorough = 75}});
}
