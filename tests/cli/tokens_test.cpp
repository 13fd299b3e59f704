// Tokens: pseudonyms that a peer gets, that it sends back, and that only their issuer turns into
// what they were made of.
#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* kQueue =
    "[tables.registration]\nkey = [\"number\"]\nroute = \"district\"\n"
    "[tables.registration.columns]\nnumber = { class = \"token\", identity = \"queue\" }\n"
    "district = \"withhold\"\npriority = { class = \"plain\", codes = [\"1\", \"2\", \"3\"] }\n"
    "name = \"withhold\"\n";
constexpr const char* kQueueTaken =
    "[tables.registration]\nkey = [\"number\"]\n[tables.registration.columns]\n"
    "number = \"token\"\npriority = \"plain\"\n";
constexpr const char* kSlots =
    "[tables.slot]\nkey = [\"token\"]\n[tables.slot.columns]\ntoken = \"token\"\nday = \"plain\"\n";
constexpr const char* kSlotsTaken =
    "[tables.slot]\nkey = [\"token\"]\n[tables.slot.columns]\n"
    "token = { class = \"token\", resolves = \"registration.number\", as = \"number\" }\n"
    "day = \"plain\"\n";
constexpr const char* kPeople =
    "INSERT INTO registration VALUES (4711, 'north', '1', 'Annegret Kowalczyk'), "
    "(815, 'north', '2', 'Jonas Petersen'), (99, 'north', '3', 'Ruth Oyelaran')";
constexpr const char* kFree = "DELETE FROM slot WHERE day < '2027-12-31'";
constexpr const char* kNoLimits = "\n[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

/// People who wait, with an issuer, and centres that know numbers only.
class Queue {
 public:
  explicit Queue(On primary, On inbox, const std::vector<std::string>& names = {"north"})
      : issuer(primary, inbox, "issuer", mailbox.path()) {
    for (const auto& name : names) {
      centres.push_back(std::make_unique<Node>(On::sqlite, On::sqlite, name, mailbox.path()));
      auto& centre = *centres.back();
      centre.knows(issuer);
      issuer.knows(centre);
      centre.exchanges("issuer", {.sends = kSlots, .accepts = kQueueTaken}, kNoLimits);
      centre.primary.run("CREATE TABLE slot (token text PRIMARY KEY, day text)");
    }
    write_file(issuer.directory / "sends.toml", std::string("format = 1\n") + kQueue);
    write_file(issuer.directory / "accepts.toml", std::string("format = 1\n") + kSlotsTaken);
    configure();
    issuer.primary.run(
        "CREATE TABLE registration (number integer PRIMARY KEY, district varchar(20), priority "
        "varchar(2), name text)");
    issuer.primary.run(kPeople);
  }

  void configure(const std::string& inbox = "inbox = true") const {
    std::string text = "[exchange]\nmailbox = \"" + mailbox.path().string() + "\"\n";
    for (const auto& centre : centres) {
      text += "[peers." + centre->name() +
              "]\nsends = \"sends.toml\"\naccepts = \"accepts.toml\"\n"
              "takes = { district = [\"" +
              centre->name() + "\"] }\n";
    }
    issuer.configure(text + kNoLimits, inbox);
  }

  /// Everybody runs, so often that whatever is owed has arrived. Returns the issuer's last run.
  Json meet(std::optional<int> exit = 0) {
    Json last;
    for (int round = 0; round < 3; ++round) {
      for (const auto& centre : centres) {
        const auto ran = centre->run({"sync", "-q"});
        CHECK_MESSAGE((!exit || ran.exit == 0), ran.err);
      }
      const auto ran = issuer.run({"sync", "--json"});
      last = Json::parse(ran.out, nullptr, false);
      REQUIRE_MESSAGE(last.is_object(), ran.out, ran.err);
      if (round == 2 && exit) {
        CHECK_MESSAGE(ran.exit == *exit, ran.out, ran.err);
      }
    }
    return last;
  }

  /// The token that a centre has for the registration of this priority.
  [[nodiscard]] std::string token(int centre, const std::string& priority) const {
    return centres.at(static_cast<std::size_t>(centre))
        ->secondary.rows("SELECT number FROM registration WHERE priority = '" + priority + "'");
  }
  Database& slots(int centre) { return centres.at(static_cast<std::size_t>(centre))->primary; }
  void book(int centre, const std::string& token, const std::string& day) {
    slots(centre).run("INSERT INTO slot VALUES ('" + token + "', '" + day + "')");
  }
  /// Without the one whose slot keeps the table from being empty.
  std::string inbox() {
    return issuer.secondary.rows(
        "SELECT number, day FROM slot WHERE day < '2027-12-31' ORDER BY day");
  }

  TemporaryDirectory mailbox;
  Node issuer;
  std::vector<std::unique_ptr<Node>> centres;
};

constexpr std::array<std::pair<On, On>, 2> kEnds{
    {{On::sqlite, On::sqlite}, {On::postgresql, On::postgresql}}};

}  // namespace

TEST_CASE("tokens: what comes back is turned into what the token was made of") {
  for (const auto& [primary, inbox] : kEnds) {
    CAPTURE(inbox);
    Queue queue(primary, inbox);
    queue.meet();
    const auto first = queue.token(0, "1");
    CHECK(first.size() == std::string("t1_abcdef_").size() + 26);
    CHECK(first.starts_with("t1_"));
    CHECK(queue.centres[0]->secondary.rows("SELECT count(*) FROM registration") == "3");
    queue.book(0, queue.token(0, "3"), "2027-12-31");
    queue.book(0, first, "2027-01-04");
    queue.meet();
    CHECK(queue.inbox() == "4711|2027-01-04");
    CHECK(queue.issuer.run({"verify", "--peer", "north"}).exit == 0);

    SUBCASE("a slot that is deleted frees the token, which can be used again") {
      queue.slots(0).run(kFree);
      queue.book(0, queue.token(0, "2"), "2027-01-05");
      queue.meet();
      CHECK(queue.inbox() == "815|2027-01-05");
      queue.book(0, first, "2027-01-06");
      queue.meet();
      CHECK(queue.inbox() == "815|2027-01-05\n4711|2027-01-06");
    }
    SUBCASE("who has left the queue has no slot, and the token stands for nothing any more") {
      queue.issuer.primary.run("DELETE FROM registration WHERE number = 4711");
      const auto last = queue.meet(11);
      CHECK(queue.inbox().empty());
      const auto held = queue.issuer.run({"quarantine", "--peer", "north"});
      CHECK_MESSAGE(
          has(held.out, "a token that stands for nothing here; the peer has to take the row back"),
          held.out);
      CHECK_FALSE(has(held.out, first));
      queue.slots(0).run(kFree);
      queue.meet();
    }
    SUBCASE("a registration that moves to another district takes its slot along") {
      queue.issuer.primary.run("UPDATE registration SET district = 'south' WHERE number = 4711");
      queue.meet(11);  // no centre takes it
      CHECK(queue.inbox().empty());
      queue.issuer.primary.run("UPDATE registration SET district = 'north' WHERE number = 4711");
      queue.slots(0).run(kFree);
      queue.meet();
      queue.book(0, queue.token(0, "1"), "2027-01-07");
      queue.meet();
      CHECK(queue.inbox() == "4711|2027-01-07");
    }
    SUBCASE("a token that comes later is resolved, and one that was held back, too") {
      queue.book(0, "t1_" + first.substr(3, 6) + "_" + std::string(26, 'a'), "2027-02-01");
      queue.book(0, "p1_" + first.substr(10), "2027-02-02");
      const auto last = queue.meet(std::nullopt);
      CHECK(queue.inbox() == "4711|2027-01-04");
      queue.slots(0).run("UPDATE slot SET token = '" + queue.token(0, "2") +
                         "' WHERE day = '2027-02-01'");
      queue.meet(std::nullopt);
      CHECK(queue.inbox() == "4711|2027-01-04\n815|2027-02-01");
    }
    SUBCASE("an emptied queue is taken for a fault, as everywhere") {
      queue.issuer.primary.run("DELETE FROM registration");
      const auto ran = queue.issuer.run({"sync"});
      CHECK(ran.exit == 20);
      CHECK_MESSAGE(has(ran.err, "not one of their tokens stands for anything now"), ran.err);
      CHECK(queue.inbox() == "4711|2027-01-04");
      queue.issuer.primary.run(kPeople);
      queue.meet();
      CHECK(queue.inbox() == "4711|2027-01-04");
      queue.issuer.primary.run("DELETE FROM registration");
      CHECK(queue.issuer
                .run({"--peer", "north", "sync", "--accept-mass-change", "slot", "--reason",
                      "the queue is closed"})
                .exit == 11);
      CHECK(queue.inbox().empty());
    }
    SUBCASE("while nobody has decided on a changed contract, nothing that came back is touched") {
      const auto sends = queue.issuer.directory / "sends.toml";
      const auto text = read_file(sends);
      auto other = text;
      other.replace(other.find("\"queue\""), 7, "\"other\"");
      write_file(sends, other);
      const auto ran = queue.issuer.run({"sync"});
      CHECK(ran.exit == 23);
      CHECK_MESSAGE(has(ran.err, "abgleich --peer to:north contract accept"), ran.err);
      CHECK(queue.inbox() == "4711|2027-01-04");
      write_file(sends, text);
      queue.meet();
      CHECK(queue.inbox() == "4711|2027-01-04");
    }
    SUBCASE("while the primary's column is gone, nothing that came back is touched") {
      queue.issuer.primary.run("ALTER TABLE registration RENAME COLUMN number TO no");
      const auto ran = queue.issuer.run({"sync"});
      CHECK(ran.exit == 23);
      CHECK_MESSAGE(has(ran.err, "abgleich drift --peer to:north"), ran.err);
      CHECK(queue.inbox() == "4711|2027-01-04");
      queue.issuer.primary.run("ALTER TABLE registration RENAME COLUMN no TO number");
      queue.meet();
      CHECK(queue.inbox() == "4711|2027-01-04");
    }
    SUBCASE("the key is rotated: old tokens still stand for what they were made of") {
      const auto rotated = queue.issuer.run({"keys", "rotate", "-q"});
      CHECK_MESSAGE(rotated.exit == 0, rotated.err);
      queue.meet();
      CHECK(queue.token(0, "1").starts_with("t2_"));
      CHECK(queue.inbox() == "4711|2027-01-04");
      queue.book(0, queue.token(0, "2"), "2027-01-08");
      queue.meet();
      CHECK(queue.inbox() == "4711|2027-01-04\n815|2027-01-08");
    }
  }
}

TEST_CASE("tokens: of two centres only one gets a slot for one registration") {
  Queue queue(On::sqlite, On::sqlite, {"north", "south"});
  const std::string_view route = "route = \"district\"\n";
  std::string to_all = kQueue;
  to_all.erase(to_all.find(route), route.size());
  write_file(queue.issuer.directory / "sends.toml", "format = 1\n" + to_all);
  std::string text = "[exchange]\nmailbox = \"" + queue.mailbox.path().string() + "\"\n";
  for (const auto& centre : queue.centres) {
    text += "[peers." + centre->name() + "]\nsends = \"sends.toml\"\naccepts = \"accepts.toml\"\n";
  }
  queue.issuer.configure(text + kNoLimits, "inbox = true");
  queue.meet();
  queue.book(0, queue.token(0, "3"), "2027-12-31");
  queue.book(1, queue.token(1, "2"), "2027-12-31");
  const auto north = queue.token(0, "1");
  const auto south = queue.token(1, "1");
  CHECK(north.substr(0, 10) == south.substr(0, 10));  // of one issuer
  CHECK(north != south);                              // and nobody can join them
  queue.book(0, north, "2027-01-04");
  queue.meet();
  queue.book(1, south, "2027-01-05");
  queue.meet(11);
  CHECK(queue.inbox() == "4711|2027-01-04");
  // nor is another centre's token worth anything
  queue.slots(1).run(kFree);
  queue.book(1, north, "2027-01-06");
  queue.meet(11);
  CHECK(queue.inbox() == "4711|2027-01-04");
  queue.slots(1).run(kFree);
  queue.slots(0).run(kFree);
  queue.book(1, south, "2027-01-07");
  queue.meet(std::nullopt);
  queue.meet();
  CHECK(queue.inbox() == "4711|2027-01-07");
}

TEST_CASE("tokens: rows go back to whose token they have") {
  TemporaryDirectory mailbox;
  Node app(On::sqlite, On::sqlite, "app", mailbox.path());
  std::vector<std::unique_ptr<Node>> offices;
  std::string sections;
  for (const auto* const name : {"ga-north", "ga-south"}) {
    offices.push_back(std::make_unique<Node>(On::sqlite, On::sqlite, name, mailbox.path()));
    auto& office = *offices.back();
    app.knows(office);
    office.knows(app);
    office.exchanges(
        "app",
        {.sends = "[tables.request]\nkey = [\"id\"]\n[tables.request.columns]\nid = { class = "
                  "\"token\", identity = \"request\" }\nplace = \"plain\"\n",
         .accepts =
             "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
             "request = { class = \"token\", resolves = \"request.id\" }\nguest = \"plain\"\n"},
        kNoLimits);
    const auto text = read_file(office.directory / "abgleich.toml");
    const auto url = text.find("url", text.find("[secondary]"));
    write_file(office.directory / "abgleich.toml",
               text.substr(0, url) + "inbox = true\n" + text.substr(url));
    office.primary.run("CREATE TABLE request (id text PRIMARY KEY, place text)");
    office.primary.run("INSERT INTO request VALUES ('" + std::string(name) +
                       " 1', 'Blue Swan'), ('" + name + " 2', 'Ferry')");
  }
  app.exchanges("\"ga-*\"",
                {.sends = "[tables.visit]\nkey = [\"id\"]\nroute = \"request\"\n"
                          "[tables.visit.columns]\nid = \"plain\"\nrequest = \"token\"\nguest = "
                          "\"plain\"\n",
                 .accepts = "[tables.request]\nkey = [\"id\"]\n[tables.request.columns]\nid = "
                            "\"token\"\nplace = \"plain\"\n"},
                kNoLimits);
  app.primary.run("CREATE TABLE visit (id integer PRIMARY KEY, request text, guest text)");
  const auto meet = [&](std::optional<int> exit = 0) {
    for (int round = 0; round < 3; ++round) {
      for (const auto& office : offices) {
        const auto ran = office->run({"sync", "-q"});
        CHECK_MESSAGE((!exit || ran.exit == 0), ran.err);
      }
      const auto ran = app.run({"sync", "-q"});
      CHECK_MESSAGE((!exit || round < 2 || ran.exit == *exit), ran.err);
    }
  };
  meet();
  REQUIRE(app.secondary.rows("SELECT count(*) FROM request") == "4");
  std::istringstream tokens(app.secondary.rows("SELECT id FROM request ORDER BY id"));
  int number = 0;
  for (std::string token; std::getline(tokens, token);) {
    ++number;
    app.primary.run("INSERT INTO visit VALUES (" + std::to_string(number) + ", '" + token +
                    "', 'guest " + std::to_string(number) + "')");
  }
  app.primary.run("INSERT INTO visit VALUES (7, 'Blue Swan', 'nobody''s guest')");
  meet(11);  // the row without a token goes to nobody
  for (const auto& office : offices) {
    CHECK(office->secondary.rows("SELECT request FROM visit ORDER BY request") ==
          office->name() + " 1\n" + office->name() + " 2");
  }

  // the office withdraws what it has asked
  offices[0]->primary.run("DELETE FROM request WHERE id = 'ga-north 1'");
  meet(std::nullopt);
  CHECK(offices[0]->secondary.rows("SELECT request FROM visit") == "ga-north 2");
  CHECK(offices[1]->secondary.rows("SELECT count(*) FROM visit") == "2");

  // a row that is not taken stands in the way of nothing else
  auto accepts = read_file(offices[0]->directory / "accepts.toml");
  accepts.replace(accepts.find("[\"id\"]"), 6, "[\"request\"]");
  write_file(offices[0]->directory / "accepts.toml", accepts);
  const auto rekeyed =
      offices[0]->run({"--peer", "app", "rekey", "visit", "--reason", "requests are unique"});
  CHECK_MESSAGE(rekeyed.exit <= 11, rekeyed.out, rekeyed.err);
  meet(std::nullopt);
  CHECK(offices[0]->secondary.rows("SELECT request FROM visit") == "ga-north 2");
}

TEST_CASE("tokens: only where they can be resolved, and only into an inbox") {
  Queue queue(On::sqlite, On::sqlite);
  const auto refused = [&](const std::string& part) {
    const auto ran = queue.issuer.run({"check"});
    CHECK(ran.exit == 78);
    CHECK_MESSAGE(has(ran.out + ran.err, part), ran.out, ran.err);
  };
  SUBCASE("the secondary is no inbox") {
    queue.configure("");
    refused("[secondary] inbox = true");
  }
  SUBCASE("a contract exports into the inbox") {
    queue.issuer.set_contract(kQueueTaken);
    const auto text = read_file(queue.issuer.directory / "abgleich.toml");
    write_file(queue.issuer.directory / "abgleich.toml", "contract = \"contract.toml\"\n" + text);
    refused("a contract exports the primary into it");
  }
  SUBCASE("the column has no tokens") {
    write_file(queue.issuer.directory / "sends.toml",
               "format = 1\n[tables.registration]\nkey = [\"number\"]\nroute = \"district\"\n"
               "[tables.registration.columns]\nnumber = \"plain\"\ndistrict = \"withhold\"\n");
    refused("makes no tokens of 'registration.number'");
  }
  SUBCASE("a contract without a peer") {
    const Pairing alone(On::sqlite, On::sqlite, kQueue);
    const auto ran = alone.run({"sync"});
    CHECK(ran.exit == 78);
  }
  SUBCASE("tokens only") {
    const auto only = [&](const std::string& text, const std::string& part) {
      write_file(queue.issuer.directory / "sends.toml", "format = 1\ntokens_only = true\n" + text);
      refused(part);
    };
    only(kQueue, "'quasi_identifiers'");
    std::string text = kQueue;
    text.insert(text.find("route"), "quasi_identifiers = [\"priority\"]\n");
    only(text, "[privacy] min_k = 5");
    const std::string codes = R"(, codes = ["1", "2", "3"])";
    text.erase(text.find(codes), codes.size());
    only(text, "is neither a token");
    only(
        "[tables.registration]\nkey = [\"number\"]\nroute = \"district\"\n"
        "[tables.registration.columns]\nnumber = \"plain\"\ndistrict = \"withhold\"\n",
        "is not one token");
  }
}

}  // namespace abgleich::test
