#include "db/peer/outbox_reader.hpp"

#include "core/error.hpp"
#include "db/engine/engine.hpp"
#include "db/peer/peer_database.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <map>
#include <optional>

namespace abgleich::db {
namespace {

using Rows = std::vector<std::string>;

std::string literal(std::string_view text) {
  std::string sql = "'";
  for (const char c : text) {
    sql += c == '\'' ? "''" : std::string(1, c);
  }
  return sql + "'";
}

/// What a tracked table's line in the bookkeeping says, as runs write it.
struct Tracked {
  std::string target;
  std::string key_columns;  // JSON
  std::string columns;      // JSON
};

/// An outbox whose runs are written by hand.
class Outbox {
 public:
  explicit Outbox(const std::string& tables) {
    sql(tables);
    sql(std::string(backend(Engine::sqlite).books_ddl()));
    sql("INSERT INTO abgleich_head VALUES (1, 2, 'lineage', 0, '', '', '', '', NULL, x'', x'')");
  }

  /// The file, with everything that was said until now.
  [[nodiscard]] std::filesystem::path file() {
    const auto path = directory_ / "outbox.db";
    test::run_sqlite(path, "PRAGMA synchronous = OFF; BEGIN;" + script_ + "COMMIT");
    script_.clear();
    return path;
  }
  void sql(const std::string& text) { script_ += text + ";"; }

  /// A table that leaves. The names in the primary are those here with "p_" in front.
  void track(int id, const Tracked& table) {
    sql("INSERT INTO abgleich_tracked VALUES (" + std::to_string(id) + ", " +
        literal("p_" + table.target) + ", " + literal(table.target) + ", " +
        literal(table.key_columns) + ", " + literal(table.columns) + ", 1, x'');" +
        "INSERT INTO abgleich_fact VALUES ('leaves', " + literal("p_" + table.target) +
        ", '{}', 1, x'')");
  }

  /// Begins the next run. `hash` is that of every run, with its number.
  void run(const std::string& kind = "sync") {
    const auto n = std::to_string(++epoch_);
    sql("INSERT INTO abgleich_run VALUES (" + n + ", 'r" + n + "', " + literal(kind) +
        ", '', '', '', NULL, '{}', '', '', '', 'hash" + n + "', NULL, 0, '', x'');" +
        "UPDATE abgleich_head SET epoch = " + n + ", hash = 'hash" + n + "'");
    entries_ = 0;
  }

  /// What the run has done to one row.
  void journal(int tracked, const std::string& key_text, const std::string& fate = "any") {
    sql("INSERT INTO abgleich_journal VALUES (" + std::to_string(epoch_) + ", " +
        std::to_string(tracked) + ", " + std::to_string(entries_++) + ", " + literal(key_text) +
        ", " + literal(fate) + ", NULL, NULL, NULL, NULL, NULL, x'')");
  }

 private:
  test::TemporaryDirectory directory_;
  std::string script_;
  int epoch_ = 0;
  int entries_ = 0;
};

/// "integer:1 text:x" of a row: its cells as the journal would write them.
std::string shown(const std::vector<Value>& values) {
  std::string text;
  for (const auto& value : values) {
    text += (text.empty() ? "" : " ") + to_text(value);
  }
  return text;
}

Rows all_of(OutboxReader& outbox, std::size_t table = 0) {
  Rows rows;
  outbox.read_all(table, [&](const auto& values) { rows.push_back(shown(values)); });
  CHECK(outbox.count_all(table) == OutboxReader::Counts{.rows = rows.size(), .gone = 0});
  return rows;
}

/// The rows that have changed with "+ " in front, and the keys of those that are gone with "- ".
Rows changes_of(OutboxReader& outbox, std::int64_t since, std::size_t table = 0) {
  Rows rows;
  OutboxReader::Counts counts;
  outbox.read_changed(
      table, since,
      [&](const auto& values) {
        rows.push_back("+ " + shown(values));
        ++counts.rows;
      },
      [&](const auto& key) {
        rows.push_back("- " + shown(key));
        ++counts.gone;
      });
  CHECK(outbox.count_changed(table, since) == counts);
  return rows;
}

std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return std::nullopt;
}

/// One column of `tracked.columns`, with the same name in both databases but for "p_".
std::string column(const std::string& name, const std::string& state = {}) {
  return R"({"label": "x", "source": "p_)" + name + R"(", "name": ")" + name + "\"" +
         (state.empty() ? "" : R"(, "state": ")" + state + "\"") + "}";
}

Tracked visits() {
  return {.target = "visit",
          .key_columns = R"(["p_id"])",
          .columns = "[" + column("id") + "," + column("place") + "]"};
}

constexpr const char* kVisits =
    "CREATE TABLE visit (id INTEGER NOT NULL, place TEXT, PRIMARY KEY (id));";

std::string id(int number) {
  return R"({"id":"integer:)" + std::to_string(number) + "\"}";
}

}  // namespace

TEST_CASE("an outbox without a run has nothing to send") {
  const test::TemporaryDirectory directory;
  test::run_sqlite(directory / "outbox.db", kVisits);
  OutboxReader bare(directory / "outbox.db");
  CHECK(bare.epoch() == 0);
  CHECK(bare.hash().empty());
  CHECK(bare.tables().empty());
  CHECK(bare.knows_since(0));
  Outbox outbox(kVisits);
  outbox.sql("DELETE FROM abgleich_head");
  OutboxReader begun(outbox.file());
  CHECK(begun.epoch() == 0);
  CHECK(begun.tables().empty());
}

TEST_CASE("an outbox that is not there is not made") {
  const test::TemporaryDirectory directory;
  CHECK(error_of([&] { OutboxReader(directory / "outbox.db"); })->code == Code::try_again);
  CHECK_FALSE(std::filesystem::exists(directory / "outbox.db"));
}

TEST_CASE("what leaves now is read: its tables by name, its columns in the file's order") {
  Outbox outbox(R"(
    CREATE TABLE zone ("name" TEXT NOT NULL PRIMARY KEY);
    CREATE TABLE visit (place varchar(20), secret TEXT, old TEXT, "n" numeric(10,2),
      b INTEGER NOT NULL, a TEXT NOT NULL, own TEXT, odd "INT-like", PRIMARY KEY (a, b));
    CREATE TABLE past (id INTEGER PRIMARY KEY);
    CREATE TABLE of_people (id INTEGER PRIMARY KEY);)");
  outbox.track(
      3, {.target = "zone", .key_columns = R"(["p_name"])", .columns = "[" + column("name") + "]"});
  outbox.track(1, {.target = "visit",
                   .key_columns = R"(["p_a", "p_b"])",
                   .columns = "[" + column("a") + "," + column("b") + "," + column("n") + "," +
                              column("odd") + "," + column("place") + "," +
                              column("secret", "withdrawn") + "," + column("old", "gone") + "]"});
  outbox.track(
      2, {.target = "past", .key_columns = R"(["p_id"])", .columns = "[" + column("id") + "]"});
  outbox.sql("DELETE FROM abgleich_fact WHERE name = 'p_past'");  // the contract has it no more
  outbox.run();
  outbox.sql("INSERT INTO visit VALUES ('hall', 's', 'o', 1.25, 2, 'x', 'w', 'odd')");
  OutboxReader reader(outbox.file());
  CHECK(reader.epoch() == 1);
  CHECK(reader.hash() == "hash1");
  CHECK(reader.tables() ==
        std::vector<PeerTable>{
            {.name = "visit",
             .columns = {{.name = "place", .type = "varchar(20)"},
                         {.name = "n", .type = "numeric(10,2)"},
                         {.name = "b", .type = "INTEGER", .in_key = true},
                         {.name = "a", .type = "TEXT", .in_key = true},
                         {.name = "odd", .type = "INT"}}},  // its own name may not be sent
            {.name = "zone", .columns = {{.name = "name", .type = "TEXT", .in_key = true}}}});
  CHECK(all_of(reader) == Rows{"text:hall real:1.25 integer:2 text:x text:odd"});
  CHECK(all_of(reader, 1) == Rows{});
}

TEST_CASE("all rows are read in the order of their keys") {
  Outbox outbox(R"(CREATE TABLE visit (id INTEGER NOT NULL, place TEXT, PRIMARY KEY (id));
    CREATE TABLE word ("w" TEXT NOT NULL COLLATE NOCASE, PRIMARY KEY ("w"));
    INSERT INTO visit VALUES (10, 'c'), (-1, NULL), (9, 'b');
    INSERT INTO word VALUES ('b'), ('a'), ('C'))");
  outbox.track(1, visits());
  outbox.track(2,
               {.target = "word", .key_columns = R"(["p_w"])", .columns = "[" + column("w") + "]"});
  outbox.run();
  OutboxReader reader(outbox.file());
  CHECK(all_of(reader) == Rows{"integer:-1 null:", "integer:9 text:b", "integer:10 text:c"});
  CHECK(all_of(reader, 1) == Rows{"text:C", "text:a", "text:b"});
}

TEST_CASE("each row that runs have changed since is there once, as it is now, or as gone") {
  Outbox outbox(kVisits);
  outbox.track(1, visits());
  outbox.run();  // 1
  for (int i = 1; i <= 6; ++i) {
    outbox.journal(1, id(i));
  }
  outbox.run();  // 2
  outbox.journal(1, id(2));
  outbox.journal(1, id(3));
  outbox.run();  // 3: 3 is deleted, 4 inserted again, 2 changed again
  outbox.journal(1, id(3));
  outbox.journal(1, id(4));
  outbox.journal(1, id(2));
  outbox.run();  // 4
  outbox.journal(1, id(10));
  outbox.sql("INSERT INTO visit VALUES (1,'a'), (2,'b'), (4,'d'), (5,'e'), (6,NULL), (10,'j')");
  OutboxReader reader(outbox.file());
  for (int i = 0; i <= 4; ++i) {
    CHECK(reader.knows_since(i));
  }
  CHECK(changes_of(reader, 4) == Rows{});
  CHECK(changes_of(reader, 3) == Rows{"+ integer:10 text:j"});
  CHECK(changes_of(reader, 2) ==
        Rows{"+ integer:2 text:b", "+ integer:4 text:d", "+ integer:10 text:j", "- integer:3"});
  CHECK(changes_of(reader, 1) == changes_of(reader, 2));
  CHECK(changes_of(reader, 0) == Rows{"+ integer:1 text:a", "+ integer:2 text:b",
                                      "+ integer:4 text:d", "+ integer:5 text:e",
                                      "+ integer:6 null:", "+ integer:10 text:j", "- integer:3"});
}

TEST_CASE("of a table that was filled at once since, all rows have changed") {
  Outbox outbox(std::string(kVisits) + "CREATE TABLE late (id INTEGER PRIMARY KEY);");
  outbox.track(1, visits());
  outbox.track(
      7, {.target = "late", .key_columns = R"(["p_id"])", .columns = "[" + column("id") + "]"});
  outbox.run();  // 1
  outbox.journal(1, "{}", "first_load");
  outbox.run();  // 2: its rows before are deleted
  outbox.journal(7, id(1));
  outbox.journal(7, id(2));
  outbox.run();  // 3
  outbox.journal(7, "{}", "first_load");
  outbox.run();  // 4
  outbox.journal(7, id(3));
  outbox.journal(1, id(1));
  outbox.sql("INSERT INTO visit VALUES (1,'a'), (2,'b'); INSERT INTO late VALUES (2), (4)");
  OutboxReader reader(outbox.file());
  REQUIRE(reader.tables()[0].name == "late");
  CHECK(changes_of(reader, 3, 0) == Rows{"- integer:3"});
  CHECK(changes_of(reader, 1, 0) ==
        Rows{"+ integer:2", "+ integer:4", "- integer:1", "- integer:3"});
  CHECK(changes_of(reader, 1, 1) == Rows{"+ integer:1 text:a"});
  CHECK(changes_of(reader, 0, 1) == Rows{"+ integer:1 text:a", "+ integer:2 text:b"});
  CHECK(changes_of(reader, 2, 0) == Rows{"+ integer:2", "+ integer:4", "- integer:3"});
}

TEST_CASE("what the journal cannot tell is known") {
  Outbox outbox(kVisits);
  outbox.track(1, visits());
  for (const auto* kind : {"sync", "sync", "rekey", "resolve", "rotate", "sync", "repair", "sync",
                           "revert", "lay-down"}) {
    outbox.run(kind);
  }
  outbox.sql("UPDATE abgleich_run SET purged = '2027-01-01' WHERE epoch <= 2");
  OutboxReader reader(outbox.file());
  std::vector<std::int64_t> known;
  for (std::int64_t since = -1; since <= 11; ++since) {
    if (reader.knows_since(since)) {
      known.push_back(since);
    }
  }
  CHECK(known == std::vector<std::int64_t>{7, 8, 9, 10});
}

TEST_CASE("each kind of run that gives rows other keys, and each purge, ends what is known") {
  for (const std::string kind : {"rotate", "rekey", "repair", "sync", "resolve"}) {
    CAPTURE(kind);
    Outbox outbox(kVisits);
    outbox.run();
    outbox.run(kind);
    outbox.run();
    OutboxReader reader(outbox.file());
    CHECK(reader.knows_since(1) == (kind == "sync" || kind == "resolve"));
    CHECK(reader.knows_since(2));
  }
  Outbox outbox(kVisits);
  outbox.run();
  outbox.run();
  outbox.sql("UPDATE abgleich_run SET purged = '2027-01-01'");
  CHECK_FALSE(OutboxReader(outbox.file()).knows_since(1));
  CHECK(OutboxReader(outbox.file()).knows_since(2));
  outbox.sql("DELETE FROM abgleich_run WHERE epoch = 2");
  CHECK_FALSE(OutboxReader(outbox.file()).knows_since(1));
}

TEST_CASE("an outbox that was restored or begun anew is not taken for the one before") {
  Outbox outbox(kVisits);
  outbox.run();
  outbox.run();
  OutboxReader reader(outbox.file());
  CHECK(reader.knows_since(1, "hash1"));
  CHECK(reader.knows_since(2, reader.hash()));
  CHECK_FALSE(reader.knows_since(1, "hash2"));
  CHECK_FALSE(reader.knows_since(2, "another"));
  CHECK_FALSE(reader.knows_since(3, "hash3"));
}

TEST_CASE("keys and names of every kind are read from the journal") {
  const std::string name = R"(it's "\ö)";
  Outbox outbox(R"(
    CREATE TABLE "it's ""\ö" ("b" BLOB NOT NULL, "select" TEXT, "it's ""\ö" TEXT NOT NULL,
      "r" REAL NOT NULL, PRIMARY KEY ("it's ""\ö", "b", "r"));
    INSERT INTO "it's ""\ö" VALUES (x'00ff', 'v', 'x', 5.0), (x'', 'w', '"', -0.5),
      (x'01', NULL, 'a' || char(0) || 'b', 1e300), (x'02', 'not changed', '', 1);
    CREATE TABLE dates ("d" date NOT NULL PRIMARY KEY, "n" numeric(10,2), "t" boolean);
    INSERT INTO dates VALUES ('2020-02-29', 1, 1), ('x', 1.25, 0);)");
  outbox.track(1, {.target = name,
                   .key_columns = R"(["p_k","p_b","p_r"])",
                   .columns = R"([{"source":"p_k","name":"it's \"\\ö"},)" + column("b") + "," +
                              column("r") + "," + column("select") + "]"});
  outbox.track(2, {.target = "dates",
                   .key_columns = R"(["p_d"])",
                   .columns = "[" + column("d") + "," + column("n") + "," + column("t") + "]"});
  outbox.run();
  outbox.run();
  const auto key = [](const std::string& text, const std::string& blob, const std::string& real) {
    return R"({"it's \"\\ö":"text:)" + text + R"(","b":"bytes:)" + blob + R"(","r":"real:)" + real +
           "\"}";
  };
  outbox.journal(1, key("x", "00ff", "5"));
  outbox.journal(1, key("\\\"", "", "-0.5"));
  outbox.journal(1, key("a\\u0000b", "01", "1e+300"));
  outbox.journal(1, key("x", "00", "5"));
  outbox.journal(1, key("X", "00ff", "5"));
  outbox.journal(2, R"({"d":"date:2020-02-29"})");
  outbox.journal(2, R"({"d":"text:x"})");
  outbox.journal(2, R"({"d":"date:2021-01-01"})");
  OutboxReader reader(outbox.file());
  REQUIRE(reader.tables().size() == 2);
  CHECK(changes_of(reader, 1, 0) == Rows{"+ text:2020-02-29 integer:1 integer:1",
                                         "+ text:x real:1.25 integer:0", "- text:2021-01-01"});
  CHECK(changes_of(reader, 1, 1) ==
        Rows{"+ bytes: text:w text:\" real:-0.5", "+ bytes:00ff text:v text:x real:5",
             "+ bytes:01 null: text:a" + std::string(1, '\0') + "b real:1e+300",
             "- bytes:00 text:x real:5", "- bytes:00ff text:X real:5"});
}

TEST_CASE("keys are the same if their bytes are the same, whatever the column takes for equal") {
  Outbox outbox(R"(CREATE TABLE word ("w" TEXT NOT NULL COLLATE NOCASE, PRIMARY KEY ("w"));
    INSERT INTO word VALUES ('bob');)");
  outbox.track(1,
               {.target = "word", .key_columns = R"(["p_w"])", .columns = "[" + column("w") + "]"});
  outbox.run();
  outbox.run();
  outbox.journal(1, R"({"w":"text:Bob"})");  // respelled
  outbox.journal(1, R"({"w":"text:bob"})");
  OutboxReader reader(outbox.file());
  CHECK(changes_of(reader, 1) == Rows{"+ text:bob", "- text:Bob"});
}

TEST_CASE("a key that was written in two forms is one key") {
  Outbox outbox(R"(CREATE TABLE sum ("n" numeric(10,2) NOT NULL, PRIMARY KEY ("n"));
    INSERT INTO sum VALUES (1), ('x'); CREATE TABLE t (k INTEGER NOT NULL UNIQUE);
    INSERT INTO t VALUES ('word');)");
  outbox.track(1,
               {.target = "sum", .key_columns = R"(["p_n"])", .columns = "[" + column("n") + "]"});
  outbox.track(2, {.target = "t", .key_columns = R"(["p_k"])", .columns = "[" + column("k") + "]"});
  outbox.run();
  outbox.run();
  for (const auto* text : {"decimal:1", "integer:1", "decimal:2.00", "integer:2", "text:x"}) {
    outbox.journal(1, R"({"n":")" + std::string(text) + "\"}");
  }
  outbox.journal(2, R"({"k":"text:word"})");  // in a column that is called INTEGER
  OutboxReader reader(outbox.file());
  CHECK(changes_of(reader, 1, 0) == Rows{"+ integer:1", "+ text:x", "- integer:2"});
  CHECK(changes_of(reader, 1, 1) == Rows{"+ text:word"});
}

TEST_CASE("all of an outbox is read as it was at one moment") {
  Outbox outbox(kVisits);
  test::run_sqlite(outbox.file(), "PRAGMA journal_mode = WAL");  // so that a run need not wait
  outbox.track(1, visits());
  outbox.run();
  outbox.journal(1, id(1));
  outbox.sql("INSERT INTO visit VALUES (1, 'a')");
  OutboxReader reader(outbox.file());
  outbox.run();
  outbox.journal(1, id(2));
  outbox.sql("INSERT INTO visit VALUES (2, 'b')");
  CHECK(reader.epoch() == 1);
  CHECK(all_of(reader) == Rows{"integer:1 text:a"});
  CHECK(changes_of(reader, 0) == Rows{"+ integer:1 text:a"});
  OutboxReader later(outbox.file());
  CHECK(changes_of(later, 1) == Rows{"+ integer:2 text:b"});
}

TEST_CASE("reading an outbox does not change it") {
  Outbox outbox(kVisits);
  outbox.track(1, visits());
  outbox.run();
  outbox.journal(1, id(1));
  outbox.sql("INSERT INTO visit VALUES (1, 'a')");
  const auto before = test::bytes_of(outbox.file());
  {
    OutboxReader reader(outbox.file());
    CHECK(changes_of(reader, 0) == Rows{"+ integer:1 text:a"});
  }
  CHECK(test::bytes_of(outbox.file()) == before);
  CHECK(std::distance(std::filesystem::directory_iterator(outbox.file().parent_path()), {}) == 1);
}

TEST_CASE("what no run writes into an outbox is refused") {
  const auto refusal = [](const std::function<void(Outbox&)>& change) {
    Outbox outbox(kVisits);
    outbox.track(1, visits());
    outbox.run();
    outbox.run();
    outbox.sql("INSERT INTO visit VALUES (1, 'a')");
    change(outbox);
    const auto error = error_of([&] {
      OutboxReader reader(outbox.file());
      (void)changes_of(reader, 1);
      (void)all_of(reader);
    });
    REQUIRE(error);
    CHECK(error->code == Code::integrity);
    const auto begin = "what goes to a peer cannot be read from '" + outbox.file().string() + "': ";
    return error->message.starts_with(begin) ? error->message.substr(begin.size()) : error->message;
  };
  const auto sql = [](const std::string& text) {
    return [text](Outbox& outbox) { outbox.sql(text); };
  };
  const auto key = [](const std::string& text) {
    return [text](Outbox& outbox) { outbox.journal(1, text); };
  };
  const std::string columns = "the bookkeeping has a table whose columns are not readable";
  CHECK(refusal(sql("UPDATE abgleich_tracked SET columns = 'x'")) == columns);
  CHECK(refusal(sql("UPDATE abgleich_tracked SET columns = '{}'")) == columns);
  CHECK(refusal(sql("UPDATE abgleich_tracked SET columns = '[1]'")) == columns);
  CHECK(refusal(sql(R"(UPDATE abgleich_tracked SET columns = '[{"name":"id"}]')")) == columns);
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  CHECK(refusal(sql("UPDATE abgleich_tracked SET columns = '" + deep + "'")) == columns);
  const std::string no_key = "the bookkeeping does not know the key of 'visit'";
  for (const auto* text : {"x", "{}", "[]", "[1]", "1"}) {
    CHECK(refusal(sql("UPDATE abgleich_tracked SET key_columns = '" + std::string(text) + "'")) ==
          no_key);
  }
  CHECK(refusal(sql(R"(UPDATE abgleich_tracked SET key_columns = '["p_other"]')")) ==
        "table 'visit' lacks a column");
  CHECK(refusal(sql("ALTER TABLE visit RENAME COLUMN place TO x")) ==
        "table 'visit' lacks a column");
  CHECK(refusal(sql("DROP TABLE visit")) == "it has no table 'visit'");
  const std::string other = "the journal has a key that is not that of its table";
  for (const auto* text : {"x", "null", "[]", R"({"id":1})", R"({"ID":"integer:1"})"}) {
    CHECK(refusal(key(text)) == other);
  }
  CHECK(refusal(key(deep)) == other);
  CHECK(refusal(key(R"({"id":"null:"})")) == "the journal has a key that its table cannot have");
  CHECK(refusal(key(R"({"id":"number:1"})")) ==
        "a stored value is not in the form that abgleich writes");
  CHECK(refusal(sql("UPDATE visit SET place = CAST(x'ff' AS TEXT)")) ==
        "a row has a text that is not UTF-8");
}

TEST_CASE("an outbox of another version is refused") {
  Outbox outbox(kVisits);
  outbox.sql("UPDATE abgleich_head SET format = 3");
  CHECK(error_of([&] { OutboxReader(outbox.file()); })->code == Code::secondary_refuses);
}

TEST_CASE("what is read of an outbox can be kept by the peer, and gives the same rows") {
  Outbox outbox(R"(
    CREATE TABLE kinds ("id" INTEGER NOT NULL, "a" text, "b" REAL, "c" numeric(10,2),
      "d" timestamp, "e" BLOB, "f" date, "g" varchar(20), "h", "i" boolean, PRIMARY KEY ("id"));
    INSERT INTO kinds VALUES
      (1, '12', 12, '12', '2020-02-29', x'3132', '2020', '12', '12', 1),
      (2, 12, '1.5', '1.50', '12', '12', 12, 12, 12, 'f'),
      (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (4, 1.5, -0.0, 9e18, 1e19, 1.5, ' 1e3 ', x'', -0.0, 9007199254740993),
      (-9223372036854775808, '', 'x', 'x', 'x', '', '', '', 9e999, -9e999);)");
  std::string columns;
  for (const auto* name : {"id", "a", "b", "c", "d", "e", "f", "g", "h", "i"}) {
    columns += (columns.empty() ? "[" : ",") + column(name);
  }
  outbox.track(1, {.target = "kinds", .key_columns = R"(["p_id"])", .columns = columns + "]"});
  outbox.run();
  const test::TemporaryDirectory directory;
  auto peer = PeerDatabase::open(directory / "channel.db");
  OutboxReader reader(outbox.file());
  peer.begin();
  peer.begin_whole(reader.tables());
  reader.read_all(0, [&](const auto& row) { CHECK(peer.put(0, row)); });
  peer.commit();
  const auto rows_in = [](const std::filesystem::path& file) {
    Rows rows;
    auto session = test::open_for_reading(file);
    session.connection->query(
        "SELECT id, quote(a), quote(b), quote(c), quote(d), quote(e), quote(f), quote(g), "
        "quote(h), quote(i) FROM kinds ORDER BY id",
        {}, [&](std::span<const Cell> row) {
          auto& text = rows.emplace_back();
          for (const auto& cell : row) {
            text += std::string(cell.bytes) + " ";
          }
        });
    return rows;
  };
  CHECK(rows_in(outbox.file()).size() == 5);
  CHECK(rows_in(directory / "channel.db") == rows_in(outbox.file()));
}

}  // namespace abgleich::db
