// Rows of several peers come into one table: each peer's rows are its own, and nobody touches those
// of another.
#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>

namespace abgleich::test {

namespace {

using Json = nlohmann::json;

constexpr const char* kVisits = "SELECT id, place, day FROM visit ORDER BY id";

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Applications that send their visits to one office, which knows them by one pattern.
class Office {
 public:
  Office(On secondary, int apps, const std::string& more = "")
      : node(On::sqlite, secondary, "ga", mailbox.path()) {
    for (int i = 0; i < apps; ++i) {
      const auto name = "app-" + std::to_string(i);
      senders.push_back(std::make_unique<Node>(On::sqlite, On::sqlite, name, mailbox.path()));
      auto& sender = *senders.back();
      sender.knows(node);
      node.knows(sender);
      write_file(sender.directory / "sends.toml", std::string("format = 1\n") + TwoNodes::kSends);
      sender.configure("[exchange]\nmailbox = \"" + mailbox.path().string() +
                       "\"\n[peers.ga]\nsends = \"sends.toml\"\n" + kNoLimits);
      sender.primary.run(TwoNodes::kTable);
    }
    write_file(node.directory / "accepts.toml", std::string("format = 1\n") + TwoNodes::kAccepts);
    node.configure("[exchange]\nmailbox = \"" + mailbox.path().string() +
                   "\"\n[peers.\"app-*\"]\naccepts = \"accepts.toml\"\n" + more + kNoLimits);
  }

  [[nodiscard]] Database& app(int i) const {
    return senders.at(static_cast<std::size_t>(i))->primary;
  }

  /// Everybody runs, so often that whatever is owed has arrived. Returns the office's last run.
  Json meet(int exit = 0) {
    Json last;
    for (int round = 0; round < kRounds; ++round) {
      for (const auto& sender : senders) {
        const auto sent = sender->run({"sync", "-q"});
        CHECK_MESSAGE(sent.exit == 0, sent.err);
      }
      last = run(round + 1 == kRounds ? std::optional(exit) : std::nullopt);
    }
    return last;
  }

  Json run(std::optional<int> exit) {
    const auto ran = node.run({"sync", "--json"});
    if (exit) {
      CHECK_MESSAGE(ran.exit == *exit, ran.out, ran.err);
    }
    return Json::parse(ran.out);
  }

  /// What `verify` counts of one peer's rows.
  [[nodiscard]] Json verified(const std::string& peer) const {
    const auto ran = node.run({"verify", "--peer", peer, "--json"});
    Json last;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      last = Json::parse(line);
    }
    last["exit_"] = ran.exit;
    return last;
  }

  static constexpr int kRounds = 3;  // until both have greeted each other and rows have arrived
  static constexpr const char* kNoLimits =
      "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

  TemporaryDirectory mailbox;
  Node node;
  std::vector<std::unique_ptr<Node>> senders;
};

}  // namespace

TEST_CASE("one table: every peer's rows arrive, and what one changes is nobody else's matter") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, 3);
    for (int i = 0; i < 3; ++i) {
      const auto n = std::to_string(i);
      office.app(i).run("INSERT INTO visit VALUES (1" + n + ", 'café', '2026-03-01'), (2" + n +
                        ", 'school', NULL)");
    }
    office.meet();
    CHECK(office.node.secondary.rows(kVisits) ==
          "10|café|2026-03-01\n11|café|2026-03-01\n12|café|2026-03-01\n"
          "20|school|NULL\n21|school|NULL\n22|school|NULL");

    // one empties its table, one changes a row, and people change one of the third and add another
    office.app(0).run("DELETE FROM visit WHERE id = 10");
    office.app(1).run("UPDATE visit SET place = 'choir' WHERE id = 21");
    office.app(2).run("UPDATE visit SET place = 'market' WHERE id = 22");
    office.node.secondary.run("UPDATE visit SET place = 'school 2' WHERE id = 22");
    office.node.secondary.run("INSERT INTO visit VALUES (99, 'ours', NULL)");
    const auto ran = office.meet(10);
    CHECK(ran["peers"]["app-0"]["code"] == 0);
    CHECK(ran["peers"]["app-1"]["code"] == 0);
    CHECK(ran["peers"]["app-2"]["code"] == 10);
    CHECK(office.node.secondary.rows(kVisits) ==
          "11|café|2026-03-01\n12|café|2026-03-01\n20|school|NULL\n21|choir|NULL\n"
          "22|school 2|NULL\n99|ours|NULL");

    // what is only in the secondary is what people have added, whichever peer is asked about
    for (const auto* const peer : {"app-0", "app-1", "app-2"}) {
      CAPTURE(peer);
      const auto counts = office.verified(peer)["tables"]["visit"];
      CHECK(counts["secondary_only"] == 1);
      CHECK(counts["agrees"] == (peer == std::string("app-1") ? 2 : 1));
    }
    // nothing new: nothing is written
    CHECK(office.node.run({"sync", "-q"}).exit == 10);
  }
}

TEST_CASE("one table: a key that is another peer's is held back until that peer gives it up") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, 2);
    office.app(0).run("INSERT INTO visit VALUES (1, 'first', NULL), (2, 'same', NULL)");
    office.meet();
    // the same key with the same values is another row all the same
    office.app(1).run(
        "INSERT INTO visit VALUES (1, 'second', NULL), (2, 'same', NULL), (3, 'third', NULL)");
    auto ran = office.meet(11);
    CHECK(ran["peers"]["app-0"]["code"] == 0);
    CHECK(ran["peers"]["app-1"]["code"] == 11);
    CHECK(ran["peers"]["app-1"]["from"]["tables"]["visit"]["quarantined"] == 2);
    CHECK(office.node.secondary.rows(kVisits) == "1|first|NULL\n2|same|NULL\n3|third|NULL");
    const auto listed = office.node.run({"quarantine", "--peer", "app-1"});
    CHECK_MESSAGE(has(listed.out, "the row with this key is another peer's"), listed.out);
    CHECK(office.verified("app-1")["tables"]["visit"]["quarantined"] == 2);
    CHECK(office.verified("app-0")["tables"]["visit"]["agrees"] == 2);

    // neither its changes nor its deletes reach the other's rows
    office.app(1).run("UPDATE visit SET place = 'stolen' WHERE id = 1");
    office.app(1).run("DELETE FROM visit WHERE id = 2");
    ran = office.meet(11);
    CHECK(ran["peers"]["app-1"]["from"]["tables"]["visit"]["quarantined"] == 1);
    CHECK(office.node.secondary.rows(kVisits) == "1|first|NULL\n2|same|NULL\n3|third|NULL");

    // also where people have deleted the row: it is still the first one's
    office.node.secondary.run("DELETE FROM visit WHERE id = 1");
    office.meet(11);
    CHECK(office.node.secondary.rows(kVisits) == "2|same|NULL\n3|third|NULL");

    office.app(0).run("DELETE FROM visit WHERE id = 1");
    office.meet(0);
    CHECK(office.node.secondary.rows(kVisits) == "1|stolen|NULL\n2|same|NULL\n3|third|NULL");
    office.app(0).run("INSERT INTO visit VALUES (1, 'back', NULL)");
    ran = office.meet(11);
    CHECK(ran["peers"]["app-0"]["code"] == 11);
    CHECK(office.node.secondary.rows("SELECT place FROM visit WHERE id = 1") == "stolen");
  }
}

TEST_CASE("one table: over random changes each row is that of one peer, and stays with it") {
  constexpr int kApps = 3;
  constexpr int kKeys = 8;
  std::mt19937 random(20261201);
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, kApps);
    std::map<int, std::map<int, std::string>> sent;  // by app, then by key
    std::map<int, int> owner;                        // by key
    office.meet();
    int value = 0;
    const auto change = [&] {
      const int app = static_cast<int>(random() % kApps);
      const int key = static_cast<int>(random() % kKeys);
      const auto id = std::to_string(key);
      if (sent[app].erase(key) > 0 && random() % 2 == 0) {
        office.app(app).run("DELETE FROM visit WHERE id = " + id);
        return;
      }
      const auto place = "p" + std::to_string(++value);
      office.app(app).run("INSERT INTO visit VALUES (" + id + ", '" + place +
                          "', NULL) ON CONFLICT (id) DO UPDATE SET place = excluded.place");
      sent[app][key] = place;
    };
    for (int round = 0; round < 12; ++round) {
      for (int i = 0; i < 6; ++i) {
        change();
      }
      for (const auto& sender : office.senders) {
        REQUIRE(sender->run({"sync", "-q"}).exit == 0);
      }
      // the second run gives what was given up in the first to whoever wants it
      for (int again = 0; again < 2; ++again) {
        const auto code = office.node.run({"sync", "-q"}).exit;
        CHECK((code == 0 || code == 11));
      }
      std::map<int, std::string> rows;
      std::istringstream lines(office.node.secondary.rows("SELECT id, place FROM visit"));
      for (std::string line; std::getline(lines, line);) {
        const auto bar = line.find('|');
        rows[std::stoi(line.substr(0, bar))] = line.substr(bar + 1);
      }
      for (int key = 0; key < kKeys; ++key) {
        CAPTURE(key);
        const auto wanted =
            std::ranges::count_if(sent, [&](const auto& app) { return app.second.contains(key); });
        CHECK(rows.contains(key) == (wanted > 0));
        const auto last = owner.find(key);
        if (last != owner.end() && sent[last->second].contains(key)) {
          CHECK(rows[key] == sent[last->second][key]);  // whoever had it sent it still
          continue;
        }
        owner.erase(key);
        for (const auto& [app, values] : sent) {
          if (const auto found = values.find(key);
              found != values.end() && rows.contains(key) && rows[key] == found->second) {
            owner[key] = app;
          }
        }
        CHECK(owner.contains(key) == (wanted > 0));
      }
    }
    std::int64_t agree = 0;
    for (int app = 0; app < kApps; ++app) {
      const auto counts = office.verified("app-" + std::to_string(app));
      CHECK((counts["exit_"] == 0 || counts["exit_"] == 11));
      agree += counts["tables"]["visit"].value("agrees", 0);
    }
    CHECK(std::to_string(agree) == office.node.secondary.rows("SELECT count(*) FROM visit"));
  }
}

TEST_CASE("one table: a peer with a later version has a contract of its own, with the same key") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, 2, "[peers.app-1]\naccepts = \"later.toml\"\n");
    const std::string later =
        std::string("format = 1\n") + TwoNodes::kAccepts + "room = \"plain\"\n";
    office.app(1).run("ALTER TABLE visit ADD COLUMN room text");
    write_file(office.senders[1]->directory / "sends.toml", later);
    write_file(office.node.directory / "later.toml", later);
    office.app(0).run("INSERT INTO visit VALUES (1, 'café', NULL)");
    office.app(1).run("INSERT INTO visit VALUES (2, 'school', NULL, 'gym')");
    office.meet();
    const auto* const rooms = "SELECT id, place, room FROM visit ORDER BY id";
    CHECK(office.node.secondary.rows(rooms) == "1|café|NULL\n2|school|gym");
    office.app(0).run("UPDATE visit SET place = 'choir'");
    office.app(1).run("UPDATE visit SET room = 'hall'");
    office.meet();
    CHECK(office.node.secondary.rows(rooms) == "1|choir|NULL\n2|school|hall");

    // the key's column may be called otherwise in the peer's database
    Office renamed(engine, 2, "[peers.app-1]\naccepts = \"renamed.toml\"\n");
    auto sends = std::string("format = 1\n") + TwoNodes::kSends;
    for (auto at = sends.find("id"); at != std::string::npos; at = sends.find("id", at + 2)) {
      sends.replace(at, 2, "nr");
    }
    write_file(renamed.senders[1]->directory / "sends.toml", sends);
    auto accepts = sends;
    accepts.replace(accepts.find("nr = \"plain\""), 12, "nr = { class = \"plain\", as = \"id\" }");
    write_file(renamed.node.directory / "renamed.toml", accepts);
    renamed.app(1).run("ALTER TABLE visit RENAME COLUMN id TO nr");
    renamed.app(0).run("INSERT INTO visit VALUES (1, 'café', NULL)");
    renamed.app(1).run("INSERT INTO visit VALUES (2, 'school', NULL)");
    renamed.meet();
    CHECK(renamed.node.secondary.rows(kVisits) == "1|café|NULL\n2|school|NULL");

    // another key could not tell whose row is whose
    auto other = later;
    other.replace(other.find("[\"id\"]"), 6, "[\"id\", \"place\"]");
    Office two(engine, 2, "[peers.app-1]\naccepts = \"other.toml\"\n");
    write_file(two.senders[1]->directory / "sends.toml", later);
    two.app(1).run("ALTER TABLE visit ADD COLUMN room text");
    write_file(two.node.directory / "other.toml", other);
    two.app(0).run("INSERT INTO visit VALUES (1, 'café', NULL)");
    two.app(1).run("INSERT INTO visit VALUES (2, 'school', NULL, 'gym')");
    const auto ran = two.meet(78);  // of the one that came second
    const auto told = ran["error"]["message"].get<std::string>();
    CHECK_MESSAGE(has(told, "and have another key there"), told);
    const int codes[] = {ran["peers"]["app-0"]["code"], ran["peers"]["app-1"]["code"]};
    CHECK(codes[0] + codes[1] == 78);
    CHECK(two.node.secondary.rows("SELECT count(*) FROM visit") == "1");
  }
}

TEST_CASE(
    "one table: a run is taken back, a conflict is decided, and no other peer's row is touched") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, 2);
    auto& node = office.node;
    office.app(0).run("INSERT INTO visit VALUES (1, 'same', NULL), (2, 'first', NULL)");
    office.meet();
    office.app(1).run("INSERT INTO visit VALUES (1, 'same', NULL)");
    office.meet(11);
    office.app(0).run("DELETE FROM visit WHERE id = 1");
    office.meet(0);
    office.run(0);
    const auto runs = node.run({"log", "--peer", "app-0", "--json"});
    const auto last = Json::parse(runs.out.substr(0, runs.out.find('\n')));
    const std::string run = last["run"];
    // the row that the first peer gave up is the second one's by now
    const auto reverted = node.run({"revert", run, "--peer", "app-0", "--reason", "a mistake"});
    CHECK_MESSAGE(reverted.exit == 0, reverted.out, reverted.err);
    CHECK_MESSAGE(has(reverted.out + reverted.err, "another peer's now"), reverted.out,
                  reverted.err);
    CHECK(node.run({"resume", "--peer", "app-0", "--reason", "go on", "-q"}).exit == 0);
    office.meet(0);
    CHECK(node.secondary.rows(kVisits) == "1|same|NULL\n2|first|NULL");
    CHECK(office.verified("app-1")["tables"]["visit"]["agrees"] == 1);

    // people have a row, and both peers send another one under its key
    node.secondary.run("INSERT INTO visit VALUES (7, 'ours', NULL)");
    office.app(0).run("INSERT INTO visit VALUES (7, 'a', NULL)");
    office.app(1).run("INSERT INTO visit VALUES (7, 'b', NULL)");
    office.meet(10);
    const auto id_of = [&](const std::string& peer) {
      const auto listed = node.run({"conflicts", "--peer", peer, "--json"});
      return Json::parse(listed.out)["id"].get<std::string>();
    };
    const auto second = id_of("app-1");
    CHECK(node.run({"resolve", "--peer", "app-0", id_of("app-0"), "--take", "secondary"}).exit ==
          0);
    const auto late = node.run({"resolve", "--peer", "app-1", second, "--take", "primary"});
    CHECK_MESSAGE(has(late.out + late.err, "another peer's now"), late.out, late.err);
    CHECK(node.secondary.rows("SELECT place FROM visit WHERE id = 7") == "ours");
    const auto ran = office.meet(11);
    CHECK(ran["peers"]["app-0"]["code"] == 0);
    CHECK(ran["peers"]["app-1"]["code"] == 11);
  }
}

TEST_CASE("one table: what is dropped, renamed or damaged makes nobody's row another peer's") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, 2);
    auto& node = office.node;
    office.app(0).run("INSERT INTO visit VALUES (1, 'same', NULL)");
    office.meet();
    office.app(1).run("INSERT INTO visit VALUES (1, 'same', NULL), (2, 'second', NULL)");
    office.meet(11);

    // another name for the table: the key is still the first peer's
    auto contract = std::string("format = 1\n") + TwoNodes::kAccepts;
    contract.insert(contract.find("key = "), "target = \"visits\"\n");
    write_file(node.directory / "accepts.toml", contract);
    const auto renaming = office.meet(78)["error"];
    CHECK_MESSAGE(has(renaming["message"], "so it is not renamed for one of them"),
                  renaming.dump());
    // done as the hint says
    const std::string hint = renaming["hint"];
    const auto at = hint.find("ALTER TABLE ");
    REQUIRE_MESSAGE(at != std::string::npos, hint);
    node.secondary.run(hint.substr(at, hint.find(". Nothing was changed") - at));
    office.meet(11);
    CHECK(node.secondary.rows("SELECT id, place FROM visits ORDER BY id") == "1|same\n2|second");
    CHECK(office.verified("app-0")["tables"]["visit"]["agrees"] == 1);
    CHECK(office.verified("app-1")["tables"]["visit"]["quarantined"] == 1);

    // a table that is gone is made again only when nobody's rows count as deleted
    node.secondary.run("DROP TABLE visits");
    auto ran = office.meet(22);
    CHECK(ran["peers"]["app-0"]["code"] == 22);
    CHECK(ran["peers"]["app-1"]["code"] == 22);
    CHECK(node.run({"adopt", "--peer", "app-0", "--reason", "dropped by mistake"}).exit == 0);
    office.meet(22);
    CHECK(node.run({"adopt", "--peer", "app-1", "--reason", "dropped by mistake"}).exit == 0);
    office.meet(11);
    CHECK(node.secondary.rows("SELECT id, place FROM visits ORDER BY id") == "1|same\n2|second");

    // where it cannot be told whose rows are in it, nobody else writes
    const auto card = Json::parse(office.senders[0]->run({"peer", "card", "--json"}).out);
    const auto books = "abgleich_" + card["id"].get<std::string>();
    const auto name = [&](const std::string& table) {
      return books + (engine == On::sqlite ? "_" : ".") + table;
    };
    const auto rename = [&](const std::string& from, const std::string& to) {
      node.secondary.run("ALTER TABLE " + name(from) + " RENAME TO " +
                         (engine == On::sqlite ? name(to) : to));
    };
    office.app(0).run("INSERT INTO visit VALUES (5, 'own', NULL)");
    office.meet(11);
    office.app(1).run("UPDATE visit SET place = 'changed' WHERE id = 2");
    for (const auto& [part, away] : std::map<std::string, std::string>{
             {"base_1", "away_1"}, {"tracked", "away_2"}, {"fact", "away_3"}}) {
      CAPTURE(part);
      rename(part, away);
      ran = office.meet(41);
      CHECK(ran["peers"]["app-1"]["code"] == 41);
      rename(away, part);
    }
    (void)node.run({"verify", "--peer", "app-0", "-q"});
    (void)node.run({"verify", "--peer", "app-1", "-q"});
    office.meet(11);
    CHECK(node.secondary.rows("SELECT id, place FROM visits ORDER BY id") ==
          "1|same\n2|changed\n5|own");
  }
}

TEST_CASE("one table: its key is not changed for one of several peers") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Office office(engine, 2);
    office.app(0).run("INSERT INTO visit VALUES (1, 'café', '2026-03-01')");
    office.app(1).run("INSERT INTO visit VALUES (2, 'school', '2026-03-02')");
    office.meet();
    auto contract = std::string("format = 1\n") + TwoNodes::kAccepts;
    contract.replace(contract.find("[\"id\"]"), 6, "[\"place\"]");
    write_file(office.node.directory / "accepts.toml", contract);
    const auto ran = office.node.run({"rekey", "--peer", "app-0", "visit", "--reason", "better"});
    CHECK_MESSAGE(ran.exit == 78, ran.out, ran.err);
    CHECK_MESSAGE(has(ran.err, "so its key cannot be changed for one of them"), ran.err);
    // done as the hint says
    write_file(office.node.directory / "accepts.toml",
               std::string("format = 1\n") + TwoNodes::kAccepts);
    office.meet();
    CHECK(office.node.secondary.rows(kVisits) == "1|café|2026-03-01\n2|school|2026-03-02");
  }
}

}  // namespace abgleich::test
