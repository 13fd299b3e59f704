#include "db/peer/peer_database.hpp"

#include "core/error.hpp"
#include "db/engine/cell_values.hpp"
#include "support/sqlite_file.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <optional>
#include <sys/stat.h>

namespace abgleich::db {
namespace {

namespace fs = std::filesystem;
using Row = std::vector<Value>;

constexpr std::chrono::seconds kNoPatience{0};

Value integer(std::int64_t number) {
  return {Kind::integer, std::to_string(number)};
}
Value text(std::string bytes) {
  return {Kind::text, std::move(bytes)};
}
Value real(std::string bytes) {
  return {Kind::real, std::move(bytes)};
}
Value bytes(std::string bytes) {
  return {Kind::bytes, std::move(bytes)};
}

PeerDatabase::Box box(std::uint8_t first) {
  return {first, 0, 0xff};
}

PeerTable visits() {
  return {.name = "visit",
          .columns = {{.name = "id", .type = "INTEGER", .in_key = true},
                      {.name = "place", .type = "TEXT"}}};
}

/// All rows that a query finds, each as its cells with blanks between them.
std::vector<std::string> rows_of(const fs::path& file, const std::string& sql) {
  std::vector<std::string> rows;
  auto session = test::open_for_reading(file);
  session.connection->query(sql, {}, [&](std::span<const Cell> cells) {
    auto& row = rows.emplace_back();
    for (const auto& cell : cells) {
      row += (row.empty() ? "" : " ") +
             (cell.storage == Cell::Storage::null ? "NULL" : std::string(cell.bytes));
    }
  });
  return rows;
}

Catalog catalog_of(const fs::path& file) {
  auto session = test::open_for_reading(file);
  begin_snapshot(session);
  return read_catalog(session);
}

std::optional<Error> error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return std::nullopt;
}

Code code_of(const std::function<void()>& work) {
  const auto error = error_of(work);
  return error ? error->code : Code::done;
}

bool is_unstorable(const std::function<void()>& work) {
  try {
    work();
  } catch (const Unstorable&) {
    return true;
  }
  return false;
}

/// A column's declared type, and values for it.
using Columns = std::vector<std::pair<std::string, Row>>;

/// Puts each value into a column of each type, and returns which were refused, as "TYPE VALUE". The
/// others are given back as they were put.
std::vector<std::string> refused_of(const Columns& columns) {
  const test::TemporaryDirectory directory;
  std::vector<std::string> refused;
  std::vector<std::vector<std::string>> kept(columns.size());
  std::vector<PeerTable> tables;
  for (const auto& [type, values] : columns) {
    tables.push_back({.name = "t" + std::to_string(tables.size()),
                      .columns = {{.name = "k", .type = "INTEGER", .in_key = true},
                                  {.name = "v", .type = type}}});
  }
  auto peer = PeerDatabase::open(directory / "channel.db");
  peer.begin();
  peer.begin_whole(tables);
  for (std::size_t table = 0; table < columns.size(); ++table) {
    std::int64_t key = 0;
    for (const auto& value : columns[table].second) {
      if (is_unstorable([&] { (void)peer.put(table, {integer(++key), value}); })) {
        refused.push_back(columns[table].first + " " + value.bytes());
      } else {
        const std::map<Kind, std::string> classes{{Kind::null, "null NULL"},
                                                  {Kind::integer, "integer "},
                                                  {Kind::real, "real "},
                                                  {Kind::text, "text "},
                                                  {Kind::bytes, "blob "}};
        kept[table].push_back(classes.at(value.kind()) + value.bytes());
      }
    }
  }
  peer.commit();
  for (std::size_t table = 0; table < columns.size(); ++table) {
    CHECK(rows_of(directory / "channel.db",
                  "SELECT typeof(v), v FROM " + tables[table].name + " ORDER BY k") == kept[table]);
  }
  return refused;
}

}  // namespace

TEST_CASE("what is kept of a peer begins as an empty file that only its owner can read") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  {
    auto peer = PeerDatabase::open(file);
    CHECK_FALSE(peer.channel());
    CHECK(peer.grants().empty());
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600U);
  CHECK(catalog_of(file).tables.empty());
  auto again = PeerDatabase::open(file);  // its tables are not made a second time
  CHECK_FALSE(again.channel());
}

TEST_CASE("an empty file that a killed process has left is begun") {
  const test::TemporaryDirectory directory;
  std::ofstream(directory / "channel.db").flush();
  CHECK_FALSE(PeerDatabase::open(directory / "channel.db").channel());
}

TEST_CASE("state, secrets and rows of a peer are there after a commit") {
  const test::TemporaryDirectory directory;
  const std::string secret("\0sealed\xff", 8);
  std::optional<PeerDatabase> peer;
  peer = PeerDatabase::open(directory / "channel.db");
  peer->begin();
  peer->keep_channel("first");
  peer->keep_channel(R"({"seq":"1"})");
  peer->add_grant(box(1), secret);
  peer->add_grant(box(2), "");
  peer->add_grant(box(3), "gone");
  peer->remove_grant(box(3));
  peer->remove_grant(box(4));
  peer->begin_whole({visits()});
  CHECK(peer->put(0, {integer(7), text("hall")}));
  CHECK(peer->rows(0) == 1);
  peer->commit();
  peer.reset();
  auto again = PeerDatabase::open(directory / "channel.db");
  CHECK(again.channel() == R"({"seq":"1"})");
  CHECK(again.grants() == std::map<PeerDatabase::Box, std::string>{{box(1), secret}, {box(2), ""}});
  CHECK(rows_of(directory / "channel.db", "SELECT id, place FROM visit") ==
        std::vector<std::string>{"7 hall"});
}

TEST_CASE("without a commit nothing of a transaction stays") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  const auto change = [](PeerDatabase& peer) {
    peer.begin();
    peer.keep_channel("new");
    peer.add_grant(box(2), "new");
    peer.remove_grant(box(1));
    peer.begin_whole({{.name = "other", .columns = visits().columns}});
    CHECK(peer.put(0, {integer(2), text("new")}));
  };
  auto peer = std::optional(PeerDatabase::open(file));
  peer->begin();
  peer->keep_channel("old");
  peer->add_grant(box(1), "old");
  peer->begin_whole({visits()});
  CHECK(peer->put(0, {integer(1), text("old")}));
  peer->commit();
  change(*peer);
  SUBCASE("rolled back") {
    peer->rollback();
    peer->rollback();  // there is none any more
    peer->begin();
    CHECK_MESSAGE(code_of([&] {
                    (void)peer->put(0, {integer(3), {}});
                  }) == Code::bug,
                  "the tables that were named are undone");
    peer->rollback();
  }
  SUBCASE("destroyed") {
    peer.reset();
  }
  peer = PeerDatabase::open(file);
  CHECK(peer->channel() == "old");
  CHECK(peer->grants() == std::map<PeerDatabase::Box, std::string>{{box(1), "old"}});
  CHECK(catalog_of(file).find_table("other") == nullptr);
  CHECK(rows_of(file, "SELECT id, place FROM visit") == std::vector<std::string>{"1 old"});
}

TEST_CASE("what a process has half written when it is killed is taken back, however much it is") {
  constexpr std::int64_t kOld = 500;
  constexpr std::int64_t kNew = 22'000;  // more than is held in memory
  const std::string before(400, 'b');
  const std::string after(400, 'a');
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  const auto copy = directory / "copy.db";
  auto peer = PeerDatabase::open(file);
  std::int64_t put = 0;
  peer.begin();
  peer.keep_channel("old");
  peer.begin_whole({visits()});
  for (std::int64_t i = 0; i < kOld; ++i) {
    put += peer.put(0, {integer(i), text(before)}) ? 1 : 0;
  }
  CHECK(put == kOld);
  peer.commit();
  peer.begin();
  peer.keep_channel("new");
  REQUIRE(peer.has({visits()}));
  peer.remove(0, {integer(0)});
  for (std::int64_t i = 1; i < kNew; ++i) {
    put += peer.put(0, {integer(i), text(after)}) ? 1 : 0;
  }
  CHECK(put == kOld + kNew - 1);
  CHECK(peer.rows(0) == kNew - 1);
  // as it would be found now
  fs::copy_file(file, copy);
  fs::copy_file(directory / "channel.db-journal", directory / "copy.db-journal");
  REQUIRE_MESSAGE(test::bytes_of(copy).find(after) != std::string::npos,
                  "the test is blind: nothing was half written");
  auto found = PeerDatabase::open(copy);
  CHECK(found.channel() == "old");
  CHECK_FALSE(fs::exists(directory / "copy.db-journal"));
  CHECK(rows_of(copy, "SELECT count(*), min(place), max(place) FROM visit") ==
        std::vector<std::string>{std::to_string(kOld) + " " + before + " " + before});
}

TEST_CASE("the file has the sender's catalogue, and nothing of ours is in it") {
  const test::TemporaryDirectory directory;
  const auto outbox = directory / "outbox.db";
  test::run_sqlite(outbox, R"(
    CREATE TABLE kinds ("id" INTEGER NOT NULL, "a" text, "b" REAL, "c" numeric(10,2),
      "d" timestamp, "e" BLOB, "f" date, "g" varchar(20), "h", "i" TIMESTAMP WITH TIME ZONE,
      "j" "odd, (type", PRIMARY KEY ("id"));
    CREATE TABLE names ("first" TEXT NOT NULL, "n" INTEGER NOT NULL, "x" boolean,
      PRIMARY KEY ("first", "n"));
    CREATE TABLE blobs ("hash" BLOB NOT NULL, PRIMARY KEY ("hash"));
    CREATE TABLE numbers ("n" INT NOT NULL, PRIMARY KEY ("n"));)");
  const auto theirs = catalog_of(outbox);
  std::vector<PeerTable> tables;
  auto session = test::open_for_reading(outbox);
  for (const auto& table : theirs.tables) {
    auto& sent = tables.emplace_back(PeerTable{.name = table.name, .columns = {}});
    session.connection->query(
        "SELECT name, type, pk FROM pragma_table_info('" + table.name + "') ORDER BY cid", {},
        [&](std::span<const Cell> row) {
          sent.columns.push_back({.name = std::string(row[0].bytes),
                                  .type = std::string(row[1].bytes),
                                  .in_key = number(row[2]) != 0});
        });
  }
  auto peer = PeerDatabase::open(directory / "channel.db");
  peer.begin();
  peer.keep_channel("state");
  peer.add_grant(box(1), "secret");
  peer.begin_whole(tables);
  CHECK(peer.has(tables));
  peer.commit();
  const auto ours = catalog_of(directory / "channel.db");
  REQUIRE(ours.tables.size() == 4);
  CHECK(ours.tables == theirs.tables);
}

TEST_CASE("names of a peer may be anything that the database can have") {
  const test::TemporaryDirectory directory;
  const std::vector<std::string> names{"select",
                                       "two words",
                                       "it's \"quoted\"",
                                       "); DROP TABLE abgleich_channel; --",
                                       "main",
                                       "temp",
                                       "rowid",
                                       "[x]",
                                       "`",
                                       "Größe",
                                       "\xe4\xba\xba",
                                       "pragma",
                                       "abgleichung",
                                       "sqlite",
                                       "$1",
                                       std::string(255, 'n')};
  std::vector<PeerTable> tables;
  for (const auto& name : names) {
    auto& table = tables.emplace_back(PeerTable{.name = name, .columns = {}});
    for (std::size_t i = 0; i < names.size(); ++i) {
      table.columns.push_back({.name = names[i], .type = "TEXT", .in_key = i % 4 == 1});
    }
  }
  auto peer = PeerDatabase::open(directory / "channel.db");
  peer.begin();
  peer.keep_channel("state");
  peer.begin_whole(tables);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    Row row(names.size(), text(names[i]));
    CHECK(peer.put(i, row));
    CHECK_FALSE(peer.put(i, row));
    CHECK(peer.rows(i) == 1);
  }
  CHECK(peer.has(tables));
  peer.commit();
  const auto catalog = catalog_of(directory / "channel.db");
  CHECK(catalog.tables.size() == names.size());
  for (const auto& name : names) {
    const auto* table = catalog.find_table(name);
    REQUIRE(table != nullptr);
    CHECK(table->find_column(name) != nullptr);
  }
  peer.begin();
  REQUIRE(peer.has(tables));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    peer.remove(i, Row(4, text(names[i])));
    CHECK(peer.rows(i) == 0);
  }
  peer.begin_whole({});  // all of them are dropped
  CHECK(peer.has({}));
  peer.commit();
  CHECK(catalog_of(directory / "channel.db").tables.empty());
  CHECK(peer.channel() == "state");
}

TEST_CASE("tables that cannot be made as they are described are refused") {
  const test::TemporaryDirectory directory;
  auto peer = PeerDatabase::open(directory / "channel.db");
  peer.begin();
  const auto refused = [&](const std::vector<PeerTable>& tables) {
    return is_unstorable([&] { (void)peer.has(tables); }) &&
           is_unstorable([&] { peer.begin_whole(tables); });
  };
  const auto named = [&](const std::string& table, const std::string& column) {
    return std::vector{
        PeerTable{.name = table, .columns = {{.name = column, .type = "", .in_key = true}}}};
  };
  const auto typed = [&](const std::string& type) {
    return std::vector{
        PeerTable{.name = "t", .columns = {{.name = "k", .type = type, .in_key = true}}}};
  };
  CHECK_FALSE(refused(named("t", "k")));
  CHECK(refused(named("sqlite_sequence", "k")));
  CHECK(refused(named("SQLite_x", "k")));
  CHECK(refused(named("abgleich_channel", "k")));
  CHECK(refused(named("ABGLEICH_", "k")));
  CHECK_MESSAGE(refused(named("pragma_table_list", "k")), "it would forge the catalogue");
  CHECK(refused(named("", "k")));
  CHECK(refused(named("t", "")));
  CHECK(refused(named("\xff", "k")));
  CHECK(refused(named("t", std::string("k\0l", 3))));
  auto twice = named("t", "k");
  twice.push_back(named("T", "k")[0]);
  CHECK(refused(twice));
  auto columns = named("t", "k");
  columns[0].columns.push_back({.name = "K", .type = ""});
  CHECK(refused(columns));
  columns[0].columns[1].name = "\xc3\xa4";
  columns[0].columns.push_back(
      {.name = "\xc3\x84", .type = ""});  // another letter for the database
  CHECK_FALSE(refused(columns));
  columns[0].columns[0].in_key = false;
  CHECK_MESSAGE(refused(columns), "without a key");
  CHECK(refused({{.name = "t", .columns = {}}}));
  CHECK(refused(typed("text' --")));
  CHECK(refused(typed("a-b")));
  CHECK(refused(typed(" text")));
  CHECK(refused(typed("text ")));
  CHECK(refused(typed(std::string(65, 'x'))));
  CHECK_FALSE(refused(typed(std::string(64, 'x'))));
  PeerTable wide{.name = "wide", .columns = {}};
  for (int i = 0; i < 2'001; ++i) {
    wide.columns.push_back({.name = "c" + std::to_string(i), .type = "", .in_key = i == 0});
  }
  CHECK_MESSAGE(is_unstorable([&] { peer.begin_whole({wide}); }), "more than the database takes");
  wide.columns.pop_back();
  for (auto& column : wide.columns) {
    column.in_key = true;
  }
  peer.begin_whole({wide});
  CHECK_MESSAGE(is_unstorable([&] { peer.remove(0, Row(2'000, integer(1))); }),
                "a condition on so many columns is more than the database takes");
}

TEST_CASE("a type of a peer can say nothing but what a column is called to hold") {
  const test::TemporaryDirectory directory;
  std::vector<PeerTable> tables;
  for (const std::string type :
       {"text, y text", "text DEFAULT 1", "text UNIQUE", "INTEGER PRIMARY KEY", "CHECK (0)",
        "text) WITHOUT ROWID", "int GENERATED ALWAYS", "REFERENCES t (k)", "numeric(1", "()", "1",
        "text COLLATE NOCASE", "integer", "InTeGeR", "numeric ( 10 , 2 )", "ANY"}) {
    tables.push_back(
        {.name = "t" + std::to_string(tables.size()),
         .columns = {{.name = "k", .type = "TEXT", .in_key = true}, {.name = "v", .type = type}}});
  }
  auto peer = PeerDatabase::open(directory / "channel.db");
  peer.begin();
  peer.begin_whole(tables);
  CHECK(peer.has(tables));
  for (std::size_t i = 0; i < tables.size(); ++i) {
    CHECK(peer.put(i, {text("a"), {}}));
    CHECK(peer.put(i, {text("A"), {}}));
    CHECK(peer.rows(i) == 2);
  }
  peer.commit();
  const auto catalog = catalog_of(directory / "channel.db");
  REQUIRE(catalog.tables.size() == tables.size());
  for (const auto& table : catalog.tables) {
    CAPTURE(table.columns[1].type.native);
    CHECK(table.columns.size() == 2);
    CHECK(table.primary_key->columns == std::vector<std::string>{"k"});
    CHECK(table.uniques.empty());
    CHECK(table.foreign_keys.empty());
    CHECK(table.columns[1].default_value.empty());
    CHECK_FALSE(table.columns[1].generated);
    CHECK(table.columns[1].collation.empty());
  }
}

TEST_CASE("changes fit only the tables that are there, exactly as they are") {
  const test::TemporaryDirectory directory;
  auto peer = PeerDatabase::open(directory / "channel.db");
  const PeerTable other{.name = "other", .columns = visits().columns};
  peer.begin();
  CHECK(peer.has({}));
  CHECK_FALSE(peer.has({visits()}));
  peer.begin_whole({visits(), other});
  CHECK(peer.has({visits(), other}));
  CHECK(peer.has({other, visits()}));
  CHECK_FALSE(peer.has({visits()}));
  CHECK_FALSE(peer.has({}));
  CHECK_FALSE(peer.has({visits(), other, {.name = "third", .columns = other.columns}}));
  const auto changed = [&](const std::function<void(PeerTable&)>& change) {
    auto table = visits();
    change(table);
    return !peer.has({table, other});
  };
  CHECK(changed([](PeerTable& table) { table.name = "Visit"; }));
  CHECK(changed([](PeerTable& table) { table.columns[1].name = "Place"; }));
  CHECK(changed([](PeerTable& table) { table.columns[1].type = "VARCHAR(9)"; }));
  CHECK(changed([](PeerTable& table) { table.columns[1].type = ""; }));
  CHECK(changed([](PeerTable& table) { table.columns[1].in_key = true; }));
  CHECK(changed([](PeerTable& table) { std::swap(table.columns[0], table.columns[1]); }));
  CHECK(changed([](PeerTable& table) { table.columns.pop_back(); }));
  CHECK(changed([](PeerTable& table) { table.columns.push_back({.name = "more", .type = ""}); }));
  CHECK_FALSE(changed([](PeerTable& table) { table.columns[1].type = "text"; }));
}

TEST_CASE("a whole message has each key once, and changes replace rows") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  const PeerTable pairs{.name = "pair",
                        .columns = {{.name = "value", .type = "TEXT"},
                                    {.name = "a", .type = "TEXT", .in_key = true},
                                    {.name = "b", .type = "BLOB", .in_key = true}}};
  auto peer = PeerDatabase::open(file);
  peer.begin();
  peer.begin_whole({visits(), pairs});
  CHECK(peer.put(0, {integer(1), text("a")}));
  CHECK_FALSE(peer.put(0, {integer(1), text("b")}));
  CHECK(peer.put(1, {text("old"), text("x"), bytes("\x01")}));
  CHECK(peer.put(1, {text("old"), text("x"), bytes("\x02")}));
  CHECK_FALSE(peer.put(1, {text("new"), text("x"), bytes("\x02")}));
  peer.commit();
  peer.begin();
  REQUIRE(peer.has({pairs, visits()}));  // in another order than they were made
  CHECK(peer.put(1, {integer(1), text("b")}));
  CHECK(peer.put(1, {integer(2), {}}));
  CHECK(peer.put(0, {text("new"), text("x"), bytes("\x02")}));
  peer.remove(0, {text("x"), bytes("\x01")});
  peer.remove(0, {text("x"), bytes("\x03")});
  CHECK(peer.rows(0) == 1);
  peer.commit();
  CHECK(rows_of(file, "SELECT id, place FROM visit ORDER BY id") ==
        std::vector<std::string>{"1 b", "2 NULL"});
  CHECK(rows_of(file, "SELECT value, a, hex(b) FROM pair") == std::vector<std::string>{"new x 02"});
  peer.begin();
  peer.begin_whole({visits()});
  CHECK(peer.put(0, {integer(2), text("c")}));
  peer.commit();
  CHECK(catalog_of(file).tables.size() == 1);
  CHECK(rows_of(file, "SELECT id, place FROM visit") == std::vector<std::string>{"2 c"});
}

TEST_CASE("values of a peer are kept as they are") {
  const Row all{Value(),       integer(0),  integer(INT64_MIN), integer(INT64_MAX),
                real("0.1"),   real("-0"),  real("5"),          real("1e+22"),
                real("-0.25"), text(""),    text("12"),         text(std::string("a\0b", 3)),
                text("Größe"), bytes(""),   bytes("12"),        real("Infinity"),
                bytes("\xff"), text(" 1 "), real("-Infinity")};
  CHECK(refused_of({{"", all},
                    {"BLOB", all},
                    {"TEXT", {text("12"), text("x"), bytes("12"), {}}},
                    {"varchar(1)", {text("longer")}},
                    {"INTEGER", {integer(12), real("1.5"), real("1e+22"), text("x"), bytes("5")}},
                    {"numeric(10,2)", {text("12 Euro"), real("1.25"), integer(1), {}}},
                    {"timestamp", {text("2020-02-29 23:59:59.5")}},
                    {"REAL", {real("5"), real("0.5"), bytes("5"), text("x")}}}) ==
        std::vector<std::string>{});
}

TEST_CASE("values that would be changed, or are not canonical, are refused") {
  const auto all_of = [](const Columns& columns) {
    std::vector<std::string> all;
    for (const auto& [type, values] : columns) {
      for (const auto& value : values) {
        all.push_back(type + " " + value.bytes());
      }
    }
    return all;
  };
  const Columns changed{{"INTEGER", {text("12"), real("5"), real("-0")}},
                        {"numeric(10,2)", {text(" 1.5e3 "), real("9007199254740992")}},
                        {"date", {text("2020")}},
                        {"TEXT", {integer(12), real("1.5")}},
                        {"REAL", {text("-1"), integer(5), real("-0")}}};
  CHECK(refused_of(changed) == all_of(changed));
  const auto raw = [](Kind kind, const char* text) { return Value(kind, text); };
  const Row never{raw(Kind::integer, "9223372036854775808"),
                  raw(Kind::integer, "01"),
                  raw(Kind::integer, "-0"),
                  raw(Kind::integer, "+1"),
                  raw(Kind::integer, ""),
                  raw(Kind::integer, "1.5"),
                  real("NaN"),
                  real("1.50"),
                  real("inf"),
                  real("1e400"),
                  real("x"),
                  text("\xff"),
                  text("\xc3"),
                  raw(Kind::null, "x"),
                  raw(Kind::decimal, "1.00"),
                  raw(Kind::date, "2020-02-29"),
                  raw(Kind::boolean, "t"),
                  raw(Kind::json, "{}"),
                  raw(Kind::other, "x")};
  const Columns malformed{{"", never}, {"INTEGER", never}, {"TEXT", never}, {"REAL", never}};
  CHECK(refused_of(malformed) == all_of(malformed));
}

TEST_CASE("rows that do not fit into their table are refused") {
  const test::TemporaryDirectory directory;
  auto peer = PeerDatabase::open(directory / "channel.db");
  const PeerTable pairs{.name = "pair",
                        .columns = {{.name = "a", .type = "TEXT", .in_key = true},
                                    {.name = "b", .type = "INT", .in_key = true}}};
  peer.begin();
  peer.begin_whole({visits(), pairs});
  const auto refused = [&](std::size_t table, const Row& row) {
    return is_unstorable([&] { (void)peer.put(table, row); });
  };
  CHECK_MESSAGE(refused(0, {{}, text("x")}), "the database would make a key of its own");
  CHECK(refused(0, {text("x"), text("x")}));
  CHECK(refused(0, {real("1.5"), text("x")}));
  CHECK(refused(0, {integer(1)}));
  CHECK(refused(0, {integer(1), {}, {}}));
  CHECK(refused(1, {text("x"), {}}));
  CHECK(refused(1, {{}, integer(1)}));
  CHECK_FALSE(refused(1, {text("x"), text("y")}));
  CHECK(is_unstorable([&] { peer.remove(0, {}); }));
  CHECK(is_unstorable([&] { peer.remove(0, {text("1")}); }));
  CHECK(is_unstorable([&] { peer.remove(1, {text("1")}); }));
  CHECK(peer.rows(0) == 0);
  CHECK(peer.rows(1) == 1);
  CHECK(code_of([&] { (void)peer.put(2, {}); }) == Code::bug);
}

TEST_CASE("nothing of a peer is changed outside a transaction") {
  const test::TemporaryDirectory directory;
  auto peer = PeerDatabase::open(directory / "channel.db");
  CHECK(code_of([&] { peer.keep_channel("x"); }) == Code::bug);
  CHECK(code_of([&] { peer.add_grant(box(1), "x"); }) == Code::bug);
  CHECK(code_of([&] { peer.remove_grant(box(1)); }) == Code::bug);
  CHECK(code_of([&] { peer.begin_whole({visits()}); }) == Code::bug);
  CHECK(code_of([&] { (void)peer.has({}); }) == Code::bug);
  CHECK(code_of([&] { peer.commit(); }) == Code::bug);
  peer.begin();
  peer.begin_whole({visits()});
  peer.commit();
  CHECK(code_of([&] { (void)peer.put(0, {integer(1), {}}); }) == Code::bug);
  CHECK_FALSE(peer.channel());
}

TEST_CASE("a secret that is removed, and rows that are dropped, are no longer in the file") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  const std::string secret = "a secret of one use";
  const std::string large(10'000, 'v');
  auto peer = PeerDatabase::open(file);
  peer.begin();
  peer.add_grant(box(1), secret);
  peer.begin_whole({visits()});
  CHECK(peer.put(0, {integer(1), text("a place of old")}));
  CHECK(peer.put(0, {integer(2), text(large)}));
  peer.commit();
  REQUIRE(test::bytes_of(file).find(secret) != std::string::npos);
  REQUIRE(test::bytes_of(file).find("a place of old") != std::string::npos);
  peer.begin();
  peer.remove_grant(box(1));
  peer.begin_whole({visits()});
  peer.commit();
  CHECK(test::bytes_of(file).find(secret) == std::string::npos);
  CHECK(test::bytes_of(file).find("a place of old") == std::string::npos);
  CHECK(test::bytes_of(file).find("vvvv") == std::string::npos);
  CHECK_FALSE(fs::exists(directory / "channel.db-journal"));
}

TEST_CASE("two processes do not write what is kept of one peer at a time") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  auto peer = PeerDatabase::open(file, kNoPatience);
  auto other = PeerDatabase::open(file, kNoPatience);
  peer.begin();
  peer.keep_channel("ours");
  const auto error = error_of([&] { other.begin(); });
  REQUIRE(error);
  CHECK(error->code == Code::try_again);
  CHECK(error->message == "what is exchanged with a peer cannot be kept in '" + file.string() +
                              "': another process uses it, or it cannot be opened (SQLITE_BUSY)");
  CHECK(error->hint == "run the same command again. Nothing was changed");
  CHECK(code_of([&] { PeerDatabase::open(file, kNoPatience); }) == Code::try_again);
  peer.commit();
  other.begin();
  CHECK(other.channel() == "ours");
}

TEST_CASE("who reads the rows of a peer delays the commit, which can be tried again") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  auto peer = PeerDatabase::open(file, kNoPatience);
  {
    auto session = test::open_for_reading(file);
    begin_snapshot(session);
    peer.begin();
    peer.keep_channel("new");
    CHECK(code_of([&] { peer.commit(); }) == Code::try_again);
  }
  peer.commit();
  CHECK(PeerDatabase::open(file).channel() == "new");
}

TEST_CASE("a file that is damaged, or not of this format, is refused with what to do") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "channel.db";
  const auto message = [&] {
    const auto error = error_of([&] {
      auto peer = PeerDatabase::open(file);
      (void)peer.channel();
      (void)peer.grants();
    });
    REQUIRE(error);
    CHECK(error->code == Code::integrity);
    CHECK(error->hint == "move it away, with '" + file.string() +
                             "-journal' if that is there, then run: abgleich sync; the peer then "
                             "sends all of its rows again. Nothing was changed");
    const auto begin =
        "'" + file.string() + "', where everything that is exchanged with a peer is kept, ";
    CHECK(error->message.starts_with(begin));
    return error->message.substr(begin.size());
  };
  SUBCASE("no database") {
    std::ofstream(file) << std::string(5'000, 'x');
    CHECK(message() == "is damaged (SQLITE_NOTADB)");
  }
  SUBCASE("somebody else's") {
    test::run_sqlite(file, "CREATE TABLE t (a)");
    CHECK(message() == "has tables that are not of this program");
  }
  SUBCASE("a later format") {
    PeerDatabase::open(file);
    test::run_sqlite(file, "UPDATE abgleich_channel SET format = 2");
    CHECK(message() == "is of format 2, and this abgleich knows format 1");
  }
  SUBCASE("no head") {
    PeerDatabase::open(file);
    test::run_sqlite(file, "DELETE FROM abgleich_channel");
    CHECK(message() == "is of format 0, and this abgleich knows format 1");
  }
  SUBCASE("another column") {
    PeerDatabase::open(file);
    test::run_sqlite(file, "ALTER TABLE abgleich_grant RENAME COLUMN sealed TO x");
    CHECK(message() == "is damaged (SQLITE_ERROR)");
  }
  SUBCASE("a record of another kind") {
    PeerDatabase::open(file);
    test::run_sqlite(file, "INSERT INTO abgleich_grant VALUES (x'01', x'02')");
    CHECK(message() == "is damaged: a record is not readable");
  }
  SUBCASE("overwritten") {
    PeerDatabase::open(file);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(4'096);
    stream << std::string(8'192, 'x');
    stream.close();
    CHECK(message() == "is damaged (SQLITE_CORRUPT)");
  }
}

TEST_CASE("where the file cannot be made, the reason is said") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "none" / "channel.db";
  const auto error = error_of([&] { PeerDatabase::open(file); });
  REQUIRE(error);
  CHECK(error->code == Code::configuration);
  CHECK(error->message == "'" + file.string() + "' cannot be made: No such file or directory");
}

}  // namespace abgleich::db
