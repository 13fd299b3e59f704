// Two nodes and a directory between them that anybody may host: rows of one's primary come into the
// other's secondary, and everything that holds for a pairing holds for a peer.
#include "support/json_schema.hpp"
#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <map>
#include <sstream>
#include <utility>

namespace abgleich::test {

namespace {

constexpr const char* kVisits = "SELECT id, place, day FROM visit ORDER BY id";

}  // namespace

TEST_CASE("exchange: rows go from a primary into a peer's secondary, and every change after them") {
  for (const auto from : kEngines) {
    for (const auto to : kEngines) {
      CAPTURE(name_of(from));
      CAPTURE(name_of(to));
      TwoNodes nodes(from, to);
      nodes.meet();
      CHECK(nodes.office.secondary.rows(kVisits) ==
            "1|café|2026-03-01\n2|school|2026-03-02\n3|choir|2026-03-03");

      nodes.app.primary.run("UPDATE visit SET place = 'theatre' WHERE id = 1");
      nodes.app.primary.run("DELETE FROM visit WHERE id = 2");
      nodes.app.primary.run("INSERT INTO visit VALUES (4, 'market', NULL)");
      const auto sent = nodes.app.meet("ga");
      CHECK(sent["rows_out"] == 3);
      const auto taken = nodes.office.meet("app");
      CHECK(taken["rows_in"] == 3);
      CHECK(taken["from"]["tables"]["visit"]["inserted"] == 1);
      CHECK(taken["from"]["tables"]["visit"]["updated"] == 1);
      CHECK(taken["from"]["tables"]["visit"]["deleted"] == 1);
      CHECK(nodes.office.secondary.rows(kVisits) ==
            "1|theatre|2026-03-01\n3|choir|2026-03-03\n4|market|NULL");
      const auto told = nodes.app.meet("ga");
      CHECK(told["acknowledged"] == sent["sent"]);
      CHECK(told["waiting_s"].is_null());
    }
  }
}

TEST_CASE("exchange: what both sides changed is a conflict, which a person settles as any other") {
  TwoNodes nodes;
  nodes.meet();
  auto& office = nodes.office;
  auto& app = nodes.app;
  office.secondary.run("UPDATE visit SET place = 'a café' WHERE id = 1");
  app.primary.run("UPDATE visit SET place = 'the café' WHERE id = 1");
  (void)app.meet("ga");
  const auto taken = office.meet("app");
  CHECK(taken["code"] == 10);
  CHECK(taken["from"]["tables"]["visit"]["conflicts"] == 1);
  const auto listed = office.run({"conflicts", "--peer", "app", "--json"});
  CHECK(listed.exit == 0);
  const auto conflict = nlohmann::json::parse(listed.out);
  const auto resolved = office.run(
      {"resolve", "--peer", "app", conflict["id"].get<std::string>(), "--take", "primary", "-q"});
  CHECK_MESSAGE(resolved.exit == 0, resolved.err);
  CHECK(office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "the café");
  CHECK(office.meet("app")["code"] == 0);
}

TEST_CASE("exchange: what sync and status print of peers is as the schemas say") {
  TwoNodes nodes;
  JsonSchemas schemas;
  for (int round = 0; round < 3; ++round) {
    for (const auto* node : {&nodes.app, &nodes.office}) {
      const auto synced = node->run({"sync", "--json"});
      CHECK(schemas.complaint(nlohmann::json::parse(synced.out), "sync.schema.json") == "");
      const auto status = node->run({"status", "--json"});
      CHECK_MESSAGE(status.exit == 0, status.err);
      CHECK(schemas.complaint(nlohmann::json::parse(status.out), "status.schema.json") == "");
    }
  }
  const auto told = nodes.office.run({"status"});
  CHECK(told.out.find("peer app: last heard ") != std::string::npos);
}

TEST_CASE("exchange: nothing new costs nothing and says nothing") {
  const TwoNodes nodes;
  nodes.meet();
  for (const auto* node : {&nodes.app, &nodes.office}) {
    const auto ran = node->run({"sync", "-q"});
    CHECK(ran.exit == 0);
    CHECK(ran.out == "");
    CHECK(ran.err == "");
  }
}

TEST_CASE("exchange: both ways between two nodes, beside a pairing of their own") {
  TwoNodes nodes;
  auto& app = nodes.app;
  auto& office = nodes.office;
  // the office sends requests, and the app takes them into its own secondary
  const std::string requests =
      "[tables.request]\nkey = [\"id\"]\n[tables.request.columns]\nid = \"plain\"\n"
      "what = \"plain\"\n";
  office.primary.run("CREATE TABLE request (id integer PRIMARY KEY, what text)");
  office.primary.run("INSERT INTO request VALUES (7, 'who was there on Monday?')");
  office.exchanges("app", {.sends = requests, .accepts = TwoNodes::kAccepts});
  app.exchanges("ga", {.sends = TwoNodes::kSends, .accepts = requests});
  nodes.meet();
  CHECK(office.secondary.rows("SELECT count(*) FROM visit") == "3");
  CHECK(app.secondary.rows("SELECT id, what FROM request") == "7|who was there on Monday?");
  CHECK(office.meet("app")["code"] == 0);
}

TEST_CASE("exchange: a limit, a drift and a pause hold a peer's rows back as they do a primary's") {
  TwoNodes nodes;
  nodes.app.primary.run(
      "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 60) "
      "INSERT INTO visit SELECT i, 'place', NULL FROM n");
  nodes.meet();
  // what the app deletes on purpose, the office has not agreed to
  nodes.app.primary.run("DELETE FROM visit WHERE id >= 10");
  const auto sent = nodes.app.run({"sync", "--peer", "to:ga", "--accept-mass-change", "visit",
                                   "--reason", "the end of the season", "-q"});
  CHECK_MESSAGE(sent.exit == 0, sent.err);
  const auto held = nodes.office.meet("app");
  CHECK(held["code"] == 20);
  REQUIRE(held["errors"].size() == 1);
  CHECK(held["errors"][0]["hint"].get<std::string>().find(
            "abgleich --peer app sync --accept-mass-change visit --reason") != std::string::npos);
  CHECK(nodes.office.secondary.rows("SELECT count(*) FROM visit") == "54");
  const auto looked = nodes.office.run({"diff", "--peer", "app", "--stat"});
  CHECK(looked.exit == 0);
  const auto let = nodes.office.run({"sync", "--peer", "app", "--accept-mass-change", "visit",
                                     "--reason", "asked the app", "-q"});
  CHECK_MESSAGE(let.exit == 0, let.err);
  CHECK(nodes.office.secondary.rows("SELECT count(*) FROM visit") == "3");

  const auto run = nodes.office.run({"log", "--peer", "app", "-n", "1", "--json"});
  const auto id = nlohmann::json::parse(run.out)["run"].get<std::string>();
  const auto undone =
      nodes.office.run({"revert", "--peer", "app", id, "--reason", "too early", "-q"});
  CHECK_MESSAGE(undone.exit == 0, undone.err);
  CHECK(nodes.office.secondary.rows("SELECT count(*) FROM visit") == "54");
  CHECK(nodes.office.meet("app")["code"] == 13);
}

TEST_CASE("exchange: another version of a peer's schema is drift, and new columns are withheld") {
  TwoNodes nodes;
  nodes.meet();
  nodes.app.primary.run("ALTER TABLE visit ADD COLUMN name text");
  nodes.app.primary.run("UPDATE visit SET name = 'Ada' WHERE id = 1");
  const auto kept = nodes.app.meet("ga");
  CHECK(kept["code"] == 11);
  nodes.app.exchanges("ga", {.sends = std::string(TwoNodes::kSends) + "name = \"plain\"\n"});
  const auto decided =
      nodes.app.run({"contract", "accept", "--peer", "to:ga", "--reason", "agreed", "-q"});
  CHECK_MESSAGE(decided.exit == 0, decided.err);
  (void)nodes.app.meet("ga");
  const auto taken = nodes.office.meet("app");
  CHECK(taken["code"] == 11);  // the office's contract does not name it
  CHECK(nodes.office.secondary.rows("SELECT id FROM visit ORDER BY id") == "1\n2\n3");
  nodes.office.exchanges("app",
                         {.accepts = std::string(TwoNodes::kAccepts) + "name = \"plain\"\n"});
  const auto wanted =
      nodes.office.run({"contract", "accept", "--peer", "app", "--reason", "agreed", "-q"});
  CHECK_MESSAGE(wanted.exit == 0, wanted.err);
  nodes.meet();
  CHECK(nodes.office.secondary.rows("SELECT name FROM visit WHERE id = 1") == "Ada");
}

TEST_CASE("exchange: what a command about a peer lacks is said with what to do") {
  TwoNodes nodes;
  const auto early = nodes.office.run({"diff", "--peer", "app"});
  CHECK(early.exit == 78);
  CHECK(early.err.find("nothing was exchanged with peer 'app' yet\nhint: run: "
                       "abgleich --peer app sync") != std::string::npos);
  nodes.meet();
  CHECK(nodes.office.run({"diff", "--peer", "app"}).exit == 0);

  const auto unknown = nodes.office.run({"diff", "--peer", "nobody"});
  CHECK(unknown.exit == 64);
  CHECK(unknown.err.find("abgleich peer list") != std::string::npos);
  const auto whole = nodes.office.run({"status", "--peer", "app"});
  CHECK(whole.exit == 64);
  CHECK(whole.err.find("'status' is not about one peer") != std::string::npos);
  const auto page = nodes.office.run({"report", "--peer", "app", "--html", "-"});
  CHECK_MESSAGE(page.exit == 0, page.err);
  const auto wrong = nodes.office.run({"diff", "--peer", "Nobody!"});
  CHECK(wrong.exit == 64);
  const auto none = nodes.office.run({"diff", "--peer", "to:app"});
  CHECK(none.exit == 78);
  CHECK(none.err.find("nothing goes to peer 'app'") != std::string::npos);
  const auto unpaired = nodes.office.run({"diff"});
  CHECK(unpaired.exit == 78);
  CHECK(unpaired.err.find("does not pair the primary with the secondary") != std::string::npos);

  const auto all = nodes.office.run(
      {"sync", "--accept-mass-change", "visit", "--reason", "whose, it does not say"});
  CHECK(all.exit == 64);
  CHECK(all.err.find("say which: --peer NAME") != std::string::npos);
  const auto mistyped = nodes.office.run(
      {"sync", "--peer", "app", "--accept-mass-change", "vsit", "--reason", "a slip"});
  CHECK(mistyped.exit == 64);

  nodes.office.exchanges("stranger", {.accepts = TwoNodes::kAccepts});
  const auto unpinned = nodes.office.run({"sync"});
  CHECK(unpinned.exit == 78);
  CHECK(unpinned.err.find("abgleich peer add FILE --as stranger") != std::string::npos);
  CHECK(nodes.office.run({"sync", "--peer", "stranger"}).exit == 78);
}

TEST_CASE("exchange: a peer without a card stops only itself") {
  TwoNodes nodes;
  nodes.office.exchanges("\"*\"", {.accepts = TwoNodes::kAccepts,
                                   .more = "[peers.lost]\naccepts = \"accepts.toml\"\n"});
  for (int round = 0; round < 3; ++round) {
    (void)nodes.app.meet("ga");
    const auto ran = nodes.office.run({"sync", "--json"});
    CHECK(ran.exit == 78);
    const auto peers = nlohmann::json::parse(ran.out)["peers"];
    CHECK(peers["app"]["code"] == 0);
    CHECK(peers["lost"]["errors"][0]["message"] == "[peers.lost] has no pinned card");
  }
  CHECK(nodes.office.secondary.rows("SELECT count(*) FROM visit") == "3");
}

TEST_CASE("exchange: a mail tells a peer's conflict and a refused bundle once") {
  TwoNodes nodes;
  nodes.meet();
  nodes.office.secondary.run("UPDATE visit SET place = 'a café' WHERE id = 1");
  nodes.app.primary.run("UPDATE visit SET place = 'the café' WHERE id = 1");
  (void)nodes.app.meet("ga");
  const auto mail = nodes.office.run({"sync", "-q"});
  CHECK(mail.exit == 10);
  CHECK(mail.err.find("peer app: 1 row came\n") != std::string::npos);
  CHECK(mail.err.find("see them: abgleich --peer app conflicts") != std::string::npos);
  const auto again = nodes.office.run({"sync", "-q"});
  CHECK(again.exit == 10);
  CHECK(again.err == "");

  // from here on the office takes nothing from the app
  write_file(nodes.office.directory / "sends.toml", std::string("format = 1\n") + TwoNodes::kSends);
  nodes.office.primary.run(TwoNodes::kTable);
  nodes.office.exchanges("app", {.sends = TwoNodes::kSends});
  nodes.app.primary.run("UPDATE visit SET place = 'x' WHERE id = 2");
  (void)nodes.app.meet("ga");
  const auto refused = nodes.office.run({"sync", "-q"});
  CHECK(refused.exit == 27);
  CHECK(refused.err.find("peer 'app': a bundle was refused (not_accepted)") != std::string::npos);
}

TEST_CASE("exchange: a column that is withheld by now does not leave, whatever had waited") {
  TwoNodes nodes;
  nodes.meet();
  const auto box = nodes.mailbox.path().string();
  std::filesystem::rename(box, box + "-away");
  nodes.app.primary.run("UPDATE visit SET place = 'SECRET' WHERE id = 1");
  CHECK(nodes.app.meet("ga")["to"]["outcome"] == "applied");
  std::filesystem::rename(box + "-away", box);
  std::string withheld = TwoNodes::kSends;
  withheld.replace(withheld.find("place = \"plain\""), 15, "place = \"withhold\"");
  nodes.app.exchanges("ga", {.sends = withheld});
  const auto primary = nodes.app.directory / "primary.db";
  std::filesystem::rename(primary, primary.string() + "-away");
  const auto without = nodes.app.meet("ga");
  CHECK(without["code"] != 0);
  CHECK(without["rows_out"] == 0);
  (void)nodes.office.meet("app");
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "café");
  std::filesystem::rename(primary.string() + "-away", primary);
  (void)nodes.app.meet("ga");
  (void)nodes.office.meet("app");
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") != "SECRET");
}

TEST_CASE("exchange: no two peers can join the pseudonyms that they get") {
  TwoNodes nodes;
  const Node second(On::sqlite, On::sqlite, "zz", nodes.mailbox.path());
  nodes.app.knows(second);
  nodes.app.primary.run("CREATE TABLE guest (id integer PRIMARY KEY, visit_id integer)");
  nodes.app.primary.run("INSERT INTO guest VALUES (1, 1), (2, 1)");
  const std::string pseudonymous =
      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\n"
      "id = { class = \"pseudonym\", identity = \"visit\" }\nplace = \"plain\"\n"
      "[tables.guest]\nkey = [\"id\"]\n[tables.guest.columns]\n"
      "id = { class = \"pseudonym\", identity = \"guest\" }\n"
      "visit_id = { class = \"pseudonym\", identity = \"visit\" }\n";
  nodes.app.exchanges("\"*\"", {.sends = pseudonymous});
  (void)nodes.app.meet("ga");
  const auto peers = nodes.app.directory / "state" / "peers";
  Database ga(On::sqlite, peers / "ga" / "outbox.db");
  Database zz(On::sqlite, peers / "zz" / "outbox.db");
  const auto* const one = "SELECT id FROM visit WHERE place = 'school'";
  CHECK(ga.rows(one).starts_with("p1_"));
  CHECK(ga.rows(one) != zz.rows(one));
  for (auto* const outbox : {&ga, &zz}) {
    CHECK(outbox->rows("SELECT count(*) FROM guest JOIN visit ON visit.id = visit_id "
                       "WHERE place = 'café'") == "2");
  }
}

TEST_CASE("exchange: an outbox that is lost takes nothing back from the peer") {
  TwoNodes nodes;
  nodes.meet();
  const auto files = nodes.app.directory / "state" / "peers" / "ga";
  std::filesystem::remove(files / "outbox.db");
  const auto refused = nodes.app.meet("ga");
  CHECK(refused["code"] == 22);
  std::filesystem::remove_all(files / "to");
  const auto primary = nodes.app.directory / "primary.db";
  std::filesystem::rename(primary, primary.string() + "-away");
  CHECK(nodes.app.meet("ga")["code"] != 0);
  (void)nodes.office.meet("app");
  CHECK(nodes.office.secondary.rows("SELECT count(*) FROM visit") == "3");
  std::filesystem::rename(primary.string() + "-away", primary);
  nodes.meet();
  CHECK(nodes.app.meet("ga")["code"] == 0);
  CHECK(nodes.office.secondary.rows("SELECT count(*) FROM visit") == "3");
}

TEST_CASE("exchange: check looks at each peer's card, mailbox and contracts") {
  TwoNodes nodes;
  const auto lines_of = [](const Node& node, const std::vector<std::string>& words) {
    const auto ran = node.run(words);
    std::map<std::string, nlohmann::json> lines;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) {
      const auto parsed = nlohmann::json::parse(line);
      lines[parsed["check"]] = parsed;
    }
    return std::pair(ran.exit, lines);
  };
  const auto [first, before] = lines_of(nodes.app, {"check", "--json"});
  CHECK(first == 0);
  CHECK(before.at("configuration")["ok"] == true);
  CHECK(before.at("peer ga: mailbox")["ok"] == true);
  CHECK(before.at("peer to:ga: contract")["ok"] == true);
  CHECK(before.at("peer to:ga: primary")["ok"] == true);
  CHECK(before.contains("peer to:ga: pseudonyms"));
  CHECK(nodes.files().empty());
  const auto [waiting, none] = lines_of(nodes.office, {"check", "--json"});
  CHECK(waiting == 0);
  CHECK(none.at("peer app: contract")["result"].get<std::string>().find("nothing has come") !=
        std::string::npos);

  nodes.meet();
  const auto [met, all] = lines_of(nodes.office, {"check", "--json", "--peer", "app"});
  CHECK(met == 0);
  CHECK(all.at("peer app: secondary")["ok"] == true);
  for (const auto& [what, line] : all) {
    CHECK_MESSAGE(what.starts_with("peer app: "), what);
  }

  nodes.app.primary.run("ALTER TABLE visit RENAME COLUMN place TO spot");
  const auto [drifted, lines] = lines_of(nodes.app, {"check", "--json"});
  CHECK(drifted != 0);
  const auto& drift = lines.at("peer to:ga: contract and primary");
  CHECK(drift["ok"] == false);
  CHECK(drift["hint"] == "look at it: abgleich --peer to:ga drift");

  nodes.office.exchanges("stranger", {.accepts = TwoNodes::kAccepts});
  const auto [unpinned, card] = lines_of(nodes.office, {"check", "--json"});
  CHECK(unpinned == 78);
  CHECK(card.at("peer stranger: card")["ok"] == false);
  std::filesystem::remove_all(nodes.mailbox.path());
  const auto [gone, where] = lines_of(nodes.app, {"check", "--json"});
  CHECK(gone != 0);
  CHECK(where.at("peer ga: mailbox")["ok"] == false);
  CHECK(nodes.app.run({"check", "--peer", "nobody"}).exit == 64);
}

TEST_CASE("exchange: a node that no longer sends still answers") {
  TwoNodes nodes;
  nodes.office.primary.run("CREATE TABLE request (id integer PRIMARY KEY, what text)");
  const std::string requests =
      "[tables.request]\nkey = [\"id\"]\n[tables.request.columns]\nid = \"plain\"\n"
      "what = \"plain\"\n";
  nodes.office.exchanges("app", {.sends = requests, .accepts = TwoNodes::kAccepts});
  nodes.app.exchanges("ga", {.sends = TwoNodes::kSends, .accepts = requests});
  nodes.meet();
  nodes.office.primary.run("INSERT INTO request VALUES (7, 'who?')");
  const auto box = nodes.mailbox.path().string();
  std::filesystem::rename(box, box + "-away");
  (void)nodes.office.meet("app");
  std::filesystem::rename(box + "-away", box);
  nodes.office.exchanges("app", {.accepts = TwoNodes::kAccepts});
  nodes.app.primary.run("UPDATE visit SET place = 'x' WHERE id = 1");
  nodes.meet();
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "x");
  CHECK(nodes.office.meet("app")["code"] == 0);
  CHECK(nodes.app.meet("ga")["waiting_s"].is_null());
}

TEST_CASE("exchange: a mailbox that is gone stops only what goes through it") {
  TwoNodes nodes;
  nodes.meet();
  const auto box = nodes.mailbox.path().string();
  std::filesystem::rename(box, box + "-away");
  nodes.app.primary.run("UPDATE visit SET place = 'x' WHERE id = 1");
  const auto sent = nodes.app.meet("ga");
  CHECK(sent["code"] == 78);
  CHECK(sent["to"]["outcome"] == "applied");  // it waits in the outbox
  std::filesystem::rename(box + "-away", box);
  (void)nodes.app.meet("ga");
  (void)nodes.office.meet("app");
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "x");
}

}  // namespace abgleich::test
