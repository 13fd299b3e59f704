// Which peer gets which rows: by `route` of the contract and `takes` of the peer's section, and
// rows that follow others. What goes to nobody is said.
#include "support/json_schema.hpp"
#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <random>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

constexpr const char* kContract =
    "[tables.visit]\nkey = [\"id\"]\nroute = \"district\"\n[tables.visit.columns]\nid = \"plain\"\n"
    "place = \"plain\"\ndistrict = \"withhold\"\n"
    "[tables.guest]\nkey = [\"id\"]\nfollows = { table = \"visit\", by = \"visit_id\" }\n"
    "[tables.guest.columns]\nid = \"plain\"\nvisit_id = \"plain\"\nname = \"plain\"\n"
    "[tables.sample]\nkey = [\"id\"]\nfollows = [{ table = \"guest\", by = \"guest\" }]\n"
    "[tables.sample.columns]\nid = \"plain\"\nguest = \"plain\"\nresult = \"plain\"\n"
    "[tables.kind]\nkey = [\"id\"]\n[tables.kind.columns]\nid = \"plain\"\nname = \"plain\"\n";
constexpr const char* kTables =
    "CREATE TABLE visit (id integer PRIMARY KEY, place text, district varchar(20));"
    "CREATE TABLE guest (id integer PRIMARY KEY, visit_id integer REFERENCES visit (id), name "
    "text);"
    "CREATE TABLE sample (id integer PRIMARY KEY, guest integer REFERENCES guest (id), result "
    "text);"
    "CREATE TABLE kind (id integer PRIMARY KEY, name text);"
    "INSERT INTO kind VALUES (1, 'café'), (2, 'school')";

using ByPeer = std::map<std::string, std::string>;  // `takes` as in TOML

/// A sender with a primary, and the peers that it knows. Only their cards matter here: what a peer
/// gets lies in its outbox.
class Sender {
 public:
  Sender(On primary, const ByPeer& takes, const std::string& contract = kContract)
      : node(primary, On::sqlite, "app", mailbox.path()) {
    write_file(node.directory / "sends.toml", "format = 1\n" + contract);
    for (const auto& [peer, values] : takes) {
      const Pairing stranger(On::sqlite, On::sqlite, "");
      const auto made = stranger.run({"peer", "init", "--name", peer, "--json"});
      const auto card = Json::parse(made.out);
      const auto added =
          node.run({"peer", "add", card["file"], "--fingerprint", card["fingerprint"], "-q"});
      REQUIRE_MESSAGE(added.exit == 0, added.err);
    }
    take(takes);
    node.primary.run(kTables);
  }

  void take(const ByPeer& takes) const {
    std::string text = "[exchange]\nmailbox = \"" + mailbox.path().string() + "\"\n";
    for (const auto& [peer, values] : takes) {
      text += "[peers." + peer + "]\nsends = \"sends.toml\"\n";
      text += values.empty() ? "" : "takes = " + values + "\n";
    }
    node.configure(text + "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n");
  }

  [[nodiscard]] Json sync(int exit = 0) const {
    const auto ran = node.run({"sync", "--json"});
    CHECK_MESSAGE(ran.exit == exit, ran.out, ran.err);
    return Json::parse(ran.out);
  }

  /// The rows that lie in the outbox of a peer.
  [[nodiscard]] std::string has(const std::string& peer, const std::string& sql) const {
    Database outbox(On::sqlite, node.directory / "state" / "peers" / peer / "outbox.db");
    return outbox.rows(sql);
  }

  TemporaryDirectory mailbox;
  Node node;
};

/// What a peer has to have, by the primary itself. `alone`: SQL on visit.
struct Wanted {
  std::string peer;
  std::string alone;
};

void check_filter(Sender& sender, const std::vector<Wanted>& all) {
  auto& primary = sender.node.primary;
  const std::string guests = "SELECT id FROM guest WHERE visit_id IN (SELECT id FROM visit WHERE ";
  for (const auto& [peer, alone] : all) {
    CAPTURE(peer);
    CHECK(sender.has(peer, "SELECT id, place FROM visit ORDER BY id") ==
          primary.rows("SELECT id, place FROM visit WHERE " + alone + " ORDER BY id"));
    CHECK(sender.has(peer, "SELECT id FROM guest ORDER BY id") ==
          primary.rows(guests + alone + ") ORDER BY id"));
    CHECK(
        sender.has(peer, "SELECT id FROM sample ORDER BY id") ==
        primary.rows("SELECT id FROM sample WHERE guest IN (" + guests + alone + ")) ORDER BY id"));
    CHECK(sender.has(peer, "SELECT count(*) FROM kind") == "2");
  }
}

/// How many rows of visit, guest and sample go to nobody, by the primary itself.
void check_unrouted(Sender& sender, const Json& synced, const std::string& gone,
                    const std::string& disputed) {
  auto& primary = sender.node.primary;
  const auto count = [&](const std::string& rest) {
    return std::stoll(primary.rows("SELECT count(*) FROM " + rest));
  };
  std::map<std::string, std::pair<long long, long long>> told;
  for (const auto& rows : synced["unrouted"]) {
    told[rows["table"]] = {rows["by_none"], rows["by_many"]};
  }
  const auto many = count("visit WHERE " + disputed);
  const auto visits = count("visit") - count("visit WHERE " + gone) - many;
  const std::string guests = "guest WHERE visit_id IN (SELECT id FROM visit WHERE " + gone + ")";
  CHECK(told["visit"] == std::pair(visits, many));
  CHECK(told["guest"] == std::pair(count("guest") - count(guests), 0LL));
  CHECK(told["sample"] ==
        std::pair(count("sample") - count("sample WHERE guest IN (SELECT id FROM " + guests + ")"),
                  0LL));
}

}  // namespace

TEST_CASE("routing: every peer gets what the filter says, and what goes to nobody is counted") {
  const std::string north = "(district = '08435' OR district LIKE '084%') AND district <> '08499'";
  const std::string south = "district IN ('09111', '10', 'it''s \"x\"')";
  const std::string west = "district LIKE 'a\\%%' ESCAPE '\\' OR district LIKE 'b%'";
  const std::vector<Wanted> all{
      {"north", north}, {"south", south}, {"west", "(" + west + ")"}, {"east", "1 = 0"}};
  const std::string gone = "(" + north + " OR " + south + " OR " + west + ")";
  const std::vector<std::string> districts{"'08435'", "'08499'",       "'0843'", "'09111'", "'091'",
                                           "'10'",    "'it''s \"x\"'", "'a%1'",  "'ab'",    "'b'",
                                           "''",      "NULL"};
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Sender sender(engine, {{"north", "{ district = [\"08435\", \"084*\"] }"},
                           {"south", "{ district = [\"09111\", \"10\", \"it's \\\"x\\\"\"] }"},
                           {"west", "{ district = [\"a%*\", \"b*\"] }"},
                           {"east", "{ district = [\"08499\"] }"}});
    auto& primary = sender.node.primary;
    std::mt19937 draw(1);
    const auto district = [&] { return districts[draw() % districts.size()]; };
    for (int id = 1; id <= 60; ++id) {
      primary.run("INSERT INTO visit VALUES (" + std::to_string(id) + ", 'p', " + district() + ")");
    }
    for (int id = 1; id <= 80; ++id) {
      const auto of = [&](unsigned most) {
        return draw() % 9 == 0 ? std::string("NULL") : std::to_string(1 + draw() % most);
      };
      primary.run("INSERT INTO guest VALUES (" + std::to_string(id) + ", " + of(60) + ", 'g')");
      primary.run("INSERT INTO sample VALUES (" + std::to_string(id) + ", " +
                  of(static_cast<unsigned>(id)) + ", 'r')");
    }
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      const auto synced = sender.sync(11);
      check_filter(sender, all);
      check_unrouted(sender, synced, gone, "district = '08499'");
      for (int change = 0; change < 6; ++change) {
        const auto id = std::to_string(1 + draw() % 60);
        primary.run("UPDATE visit SET district = " + district() + " WHERE id = " + id);
      }
      primary.run("UPDATE guest SET visit_id = " + std::to_string(1 + draw() % 60) +
                  " WHERE id = " + std::to_string(1 + draw() % 80));
    }
  }
}

TEST_CASE("routing: a row that another peer takes from now on goes there, with what follows it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Sender sender(engine,
                  {{"north", "{ district = [\"N\"] }"}, {"south", "{ district = [\"S\"] }"}});
    auto& primary = sender.node.primary;
    primary.run(
        "INSERT INTO visit VALUES (1, 'p', 'N'); INSERT INTO guest VALUES (1, 1, 'g');"
        "INSERT INTO sample VALUES (1, 1, 'r'), (2, 1, 'r')");
    CHECK(sender.sync()["unrouted"].empty());
    CHECK(sender.has("north", "SELECT count(*) FROM sample") == "2");
    CHECK(sender.has("south", "SELECT count(*) FROM sample") == "0");
    // the last row of a peer's table: the table is not taken for emptied
    primary.run("UPDATE visit SET district = 'S'");
    CHECK(sender.sync()["exit"] == 0);
    CHECK(sender.has("north", "SELECT count(*) FROM sample") == "0");
    CHECK(sender.has("south", "SELECT count(*) FROM sample") == "2");
    // an emptied table is one, for the peer that had its rows
    primary.run("DELETE FROM sample; DELETE FROM guest; DELETE FROM visit");
    const auto refused = sender.sync(20);
    CHECK(refused["peers"]["south"]["code"] == 20);
    CHECK(sender.has("south", "SELECT count(*) FROM sample") == "2");
  }
}

TEST_CASE("routing: values are the same only if their bytes are, whatever the collation") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Sender sender(engine, {{"north", "{ district = [\"N\", \"a*\"] }"},
                           {"south", "{ district = [\"n\", \"A*\"] }"}});
    auto& primary = sender.node.primary;
    const bool sqlite = engine == On::sqlite;
    primary.run("DROP TABLE sample; DROP TABLE guest; DROP TABLE visit");
    primary.run(sqlite ? "SELECT 1"
                       : "CREATE COLLATION folds (provider = icu, deterministic = false, locale = "
                         "'und-u-ks-level2')");
    primary.run(std::string("CREATE TABLE visit (id integer PRIMARY KEY, place text, district text "
                            "COLLATE ") +
                (sqlite ? "NOCASE" : "folds") + ")");
    primary.run(
        "CREATE TABLE guest (id integer PRIMARY KEY, visit_id integer, name text);"
        "CREATE TABLE sample (id integer PRIMARY KEY, guest integer, result text);"
        "INSERT INTO visit VALUES (1, 'p', 'N'), (2, 'p', 'n'), (3, 'p', 'aB'), (4, 'p', 'AB')");
    CHECK(sender.sync()["unrouted"].empty());
    CHECK(sender.has("north", "SELECT id FROM visit ORDER BY id") == "1\n3");
    CHECK(sender.has("south", "SELECT id FROM visit ORDER BY id") == "2\n4");
  }
}

TEST_CASE("routing: one contract by several spellings is one contract") {
  Sender sender(On::sqlite,
                {{"north", "{ district = [\"N\"] }"}, {"south", "{ district = [\"N\"] }"}});
  const auto file = sender.node.directory / "abgleich.toml";
  auto text = read_file(file);
  std::filesystem::create_symlink(sender.node.directory / "sends.toml",
                                  sender.node.directory / "link.toml");
  for (const auto* const spelling : {"./sends.toml", "link.toml"}) {
    auto other = text;
    other.replace(other.rfind("sends.toml"), 10, spelling);
    write_file(file, other);
    sender.node.primary.run("INSERT INTO visit VALUES ((SELECT count(*) FROM visit), 'p', 'N')");
    const auto synced = sender.sync(11);
    CHECK(synced["unrouted"][0]["by_many"] ==
          std::stoi(sender.node.primary.rows("SELECT count(*) FROM visit")));
    CHECK(sender.has("north", "SELECT count(*) FROM visit") == "0");
    CHECK(sender.has("south", "SELECT count(*) FROM visit") == "0");
  }
}

TEST_CASE("routing: what several peers take goes to all of them if the contract shares it") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Sender sender(engine,
                  {{"north", "{ district = [\"N*\"] }"}, {"south", "{ district = [\"N1\"] }"}});
    sender.node.primary.run("INSERT INTO visit VALUES (1, 'p', 'N1'), (2, 'p', 'N2')");
    sender.node.primary.run("INSERT INTO guest VALUES (10, 1, 'a'), (20, 2, 'b')");
    const auto disputed = sender.sync(11);
    CHECK(disputed["unrouted"][0]["by_many"] == 1);
    CHECK(sender.has("north", "SELECT id FROM guest") == "20");
    CHECK(sender.has("south", "SELECT id FROM guest").empty());

    std::string contract = kContract;
    contract.insert(contract.find("[tables.visit.columns]"), "shared = true\n");
    write_file(sender.node.directory / "sends.toml", "format = 1\n" + contract);
    const auto refused = sender.sync(23);  // more leaves, to both
    CHECK(refused["peers"]["north"]["code"] == 23);
    CHECK(refused["peers"]["south"]["code"] == 23);
    for (const auto* const peer : {"to:north", "to:south"}) {
      const auto accepted =
          sender.node.run({"contract", "accept", "--peer", peer, "--reason", "both treat them"});
      CHECK_MESSAGE(accepted.exit == 0, accepted.err);
    }
    CHECK(sender.sync()["unrouted"].empty());
    CHECK(sender.has("north", "SELECT id FROM guest ORDER BY id") == "10\n20");
    CHECK(sender.has("south", "SELECT id FROM guest") == "10");
    sender.node.primary.run("UPDATE visit SET district = 'N3' WHERE id = 1");
    (void)sender.sync();
    CHECK(sender.has("north", "SELECT id FROM guest ORDER BY id") == "10\n20");
    CHECK(sender.has("south", "SELECT id FROM guest").empty());
  }
}

TEST_CASE("routing: a revoked peer takes no rows away from others, and its rows are counted") {
  Sender sender(On::sqlite,
                {{"north", "{ district = [\"N\"] }"}, {"south", "{ district = [\"S\"] }"}});
  sender.node.primary.run("INSERT INTO visit VALUES (1, 'p', 'N'), (2, 'p', 'S')");
  CHECK(sender.sync()["unrouted"].empty());
  REQUIRE(sender.node.run({"peer", "revoke", "north", "--reason", "stolen", "-q"}).exit == 0);
  const auto alone = sender.sync(11);
  CHECK(alone["unrouted"][0]["by_none"] == 1);
  CHECK_FALSE(alone["peers"].contains("north"));
  // another node in its place, whose section takes the same
  sender.take({{"north", "{ district = [\"N\"] }"}, {"south", "{ district = [\"S\", \"N\"] }"}});
  REQUIRE(
      sender.node.run({"contract", "accept", "--peer", "to:south", "--reason", "they do it now"})
          .exit == 0);
  CHECK(sender.sync()["unrouted"].empty());
  CHECK(sender.has("south", "SELECT id FROM visit ORDER BY id") == "1\n2");
}

TEST_CASE("routing: to take something else is a decision") {
  Sender sender(On::sqlite,
                {{"north", "{ district = [\"N\"] }"}, {"south", "{ district = [\"S\"] }"}});
  sender.node.primary.run(
      "INSERT INTO visit VALUES (1, 'p', 'N'), (2, 'p', 'S'), (3, 'p', 'X'), (4, 'p', 'X')");
  const auto first = sender.node.run({"sync"});
  CHECK(first.exit == 11);
  CHECK(
      first.err.find("unrouted: rows of 'visit' go to no peer, by 'district': 2 with a value that "
                     "no peer takes\nhint: ") != std::string::npos);
  sender.take({{"north", "{ district = [\"N\", \"X\"] }"}, {"south", "{ district = [\"S\"] }"}});
  const auto refused = sender.sync(23);
  CHECK(refused["peers"]["north"]["code"] == 23);
  CHECK(refused["peers"]["south"]["code"] == 0);
  CHECK(sender.has("north", "SELECT id FROM visit") == "1");
  const auto hint = refused["peers"]["north"]["errors"][0]["hint"].get<std::string>();
  CHECK_MESSAGE(
      hint.find("abgleich --peer to:north contract accept --reason TEXT") != std::string::npos,
      hint);
  const auto accepted =
      sender.node.run({"contract", "accept", "--peer", "to:north", "--reason", "they have X now"});
  CHECK_MESSAGE(accepted.exit == 0, accepted.err);
  CHECK(sender.sync()["unrouted"].empty());
  CHECK(sender.has("north", "SELECT id FROM visit ORDER BY id") == "1\n3\n4");
}

TEST_CASE("routing: a routing column that the vendor renames blocks, and the hints lead out") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Sender sender(engine, {{"north", "{ district = [\"N\"] }"}});
    sender.node.primary.run("INSERT INTO visit VALUES (1, 'p', 'N'), (2, 'p', 'N')");
    CHECK(sender.sync()["unrouted"].empty());
    sender.node.primary.run("ALTER TABLE visit RENAME COLUMN district TO kreis");
    CHECK(sender.sync(23)["peers"]["north"]["code"] == 23);
    CHECK(sender.has("north", "SELECT count(*) FROM visit") == "2");
    const auto drift = sender.node.run({"drift", "--peer", "to:north"});
    CHECK_MESSAGE(
        drift.out.find("in route of [tables.visit] write \"kreis\" in place of "
                       "\"district\", and so in 'takes' of [peers.…]") != std::string::npos,
        drift.out);
    std::string contract = kContract;
    for (auto at = contract.find("district"); at != std::string::npos;
         at = contract.find("district")) {
      contract.replace(at, 8, "kreis");
    }
    write_file(sender.node.directory / "sends.toml", "format = 1\n" + contract);
    sender.take({{"north", "{ kreis = [\"N\"] }"}});
    const auto accepted = sender.node.run({"drift", "accept", "--peer", "to:north"});
    CHECK_MESSAGE(accepted.exit == 0, accepted.err);
    const auto decided = sender.node.run(
        {"contract", "accept", "--peer", "to:north", "--reason", "only another name"});
    CHECK_MESSAGE(decided.exit == 0, decided.err);
    CHECK(sender.sync()["unrouted"].empty());
    CHECK(sender.has("north", "SELECT count(*) FROM visit") == "2");
  }
}

TEST_CASE("routing: what it says is as the schema says, and privacy lists what decides") {
  Sender sender(On::sqlite,
                {{"north", "{ district = [\"N\"] }"}, {"south", "{ district = [\"N\"] }"}});
  sender.node.primary.run("INSERT INTO visit VALUES (1, 'p', 'N'), (2, 'p', NULL)");
  JsonSchemas schemas;
  const auto synced = sender.sync(11);
  CHECK(schemas.complaint(synced, "sync.schema.json") == "");
  CHECK(synced["unrouted"] == Json::parse(R"([{"table": "visit", "column": "district",
                                              "by_none": 1, "by_many": 1}])"));
  CHECK(sender.has("north", "SELECT count(*) FROM visit") == "0");
  const auto privacy = sender.node.run({"privacy", "--peer", "to:north"});
  CHECK(privacy.out.find("district") != std::string::npos);
}

TEST_CASE("routing: what the peers' sections lack is said, and nothing leaves") {
  const Sender sender(On::sqlite, {{"north", "{ district = [\"N\"] }"}, {"south", ""}});
  const auto lacks = sender.sync(78);
  const auto checked = sender.node.run({"check"});
  CHECK(checked.exit == 78);
  CHECK_MESSAGE(checked.out.find("FAIL peer to:south: contract: ") != std::string::npos,
                checked.out);
  CHECK(lacks["peers"]["north"]["code"] == 0);
  CHECK(lacks["peers"]["south"]["code"] == 78);
  CHECK(lacks["error"]["message"].get<std::string>().find(
            "[peers.south] does not say which rows of table 'visit' the peer gets: they are routed "
            "by 'district'") != std::string::npos);
  sender.take({{"north", "{ district = [\"N\"], distrct = [\"N\"] }"},
               {"south", "{ district = [\"S\"] }"}});
  CHECK(sender.sync(78)["error"]["message"].get<std::string>().find(
            "[peers.north] takes rows by 'distrct', and no table of its contract is routed by "
            "that") != std::string::npos);
}

TEST_CASE("routing: the recipient gets its rows through the mailbox, and loses what leaves it") {
  TwoNodes nodes;
  const std::string visits =
      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\nplace = \"plain\"\n"
      "day = \"plain\"\n";
  nodes.app.exchanges("ga", {.sends = "[tables.visit]\nroute = \"place\"" + visits.substr(14),
                             .more = "takes = { place = [\"c*\"] }\n"});
  nodes.meet();
  CHECK(nodes.office.secondary.rows("SELECT id FROM visit ORDER BY id") == "1\n3");
  nodes.app.primary.run("UPDATE visit SET place = 'x' WHERE id = 1");
  nodes.app.primary.run("UPDATE visit SET place = 'club' WHERE id = 2");
  nodes.meet();
  CHECK(nodes.office.secondary.rows("SELECT id FROM visit ORDER BY id") == "2\n3");
}

}  // namespace abgleich::test
