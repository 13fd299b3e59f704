// `abgleich peer revoke`: a peer is to be one no more, and stays none.
#include "support/json_schema.hpp"
#include "support/nodes.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kVisits = "SELECT id FROM visit ORDER BY id";

Ran revoke(const Node& node, const std::string& peer) {
  return node.run({"peer", "revoke", peer, "--reason", "its laptop was stolen", "--json"});
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("revoke: nothing comes from the peer any more or goes to it, and its rows stay") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    TwoNodes nodes(On::sqlite, engine);
    auto& office = nodes.office;
    nodes.meet();
    nodes.app.primary.run("INSERT INTO visit VALUES (4, 'market', NULL)");
    (void)nodes.app.meet("ga");
    REQUIRE_FALSE(nodes.files().empty());

    const auto ran = revoke(office, "app");
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    const auto told = Json::parse(ran.out);
    CHECK(JsonSchemas().complaint(told, "commands.schema.json#/$defs/peer_revoke") == "");
    CHECK(told["removed"] == 1);
    CHECK(nodes.files().empty());
    const auto state = office.directory / "state" / "peers" / "app";
    CHECK_FALSE(fs::exists(state / "channel.db"));
    CHECK_FALSE(fs::exists(state / "outbox.db"));

    // its section may stay: that is no error, and nothing is exchanged
    const auto synced = office.run({"sync", "--json"});
    CHECK_MESSAGE(synced.exit == 0, synced.err);
    CHECK(Json::parse(synced.out)["peers"].empty());
    CHECK(nodes.files().empty());
    CHECK(office.secondary.rows(kVisits) == "1\n2\n3");
    const auto asked = office.run({"sync", "--peer", "app"});
    CHECK(asked.exit == 64);
    CHECK_MESSAGE(has(asked.err, "was revoked"), asked.err);
    CHECK_MESSAGE(has(asked.err, "its laptop was stolen"), asked.err);

    const auto listed = Json::parse(office.run({"peer", "list", "--json"}).out);
    CHECK(listed["name"] == "app");
    CHECK(listed["revoked"]["reason"] == "its laptop was stolen");
    CHECK(JsonSchemas().complaint(listed, "commands.schema.json#/$defs/peer_list") == "");
    CHECK(has(office.run({"peer", "list"}).out, "app  revoked at "));
  }
}

TEST_CASE("revoke: the node does not come back under another name, but by a person's decision") {
  TwoNodes nodes;
  auto& office = nodes.office;
  nodes.meet();
  // what was on its way is captured
  nodes.app.primary.run("INSERT INTO visit VALUES (4, 'market', NULL)");
  (void)nodes.app.meet("ga");
  const auto files = nodes.files();
  REQUIRE(files.size() == 1);
  const auto captured = read_file(files.front());
  REQUIRE(revoke(office, "app").exit == 0);

  const auto card = (nodes.app.directory / "app.card").string();
  const auto shown = Json::parse(nodes.app.run({"peer", "card", "--json"}).out);
  const std::string digits = shown["fingerprint"];
  const std::vector<std::string> again{"peer", "add", card, "--fingerprint", digits};
  auto other = again;
  other.insert(other.end(), {"--as", "newcomer"});
  for (const auto& words : {again, other}) {
    const auto refused = office.run(words);
    CHECK(refused.exit == 25);
    CHECK_MESSAGE(has(refused.err, "is of a node that was revoked: peer 'app'"), refused.err);
    CHECK_MESSAGE(has(refused.err, "its laptop was stolen"), refused.err);
  }
  const Node stranger(On::sqlite, On::sqlite, "app", nodes.mailbox.path());
  const auto named = Json::parse(stranger.run({"peer", "card", "--json"}).out);
  const auto namesake =
      office.run({"peer", "add", named["file"], "--fingerprint", named["fingerprint"]});
  CHECK(namesake.exit == 25);
  CHECK_MESSAGE(has(namesake.err, "a peer that was revoked is called 'app'"), namesake.err);

  // done as the hint says
  const auto hint = office.run(again).err;
  const auto from = hint.find("`rm ");
  REQUIRE_MESSAGE(from != std::string::npos, hint);
  const auto file = hint.substr(from + 4, hint.find('`', from + 1) - from - 4);
  CHECK(fs::remove(file));
  CHECK(office.run(again).exit == 0);
  // what was captured can be opened by nobody: its key is destroyed
  write_file(files.front(), captured);
  (void)office.run({"sync", "-q"});
  CHECK(office.secondary.rows(kVisits) == "1\n2\n3");
  // when they greet each other again, the peer remembers what this node has forgotten
  (void)nodes.app.meet("ga", in_hours(2));
  CHECK(office.meet("app", in_hours(2))["code"] == 22);
  CHECK(office.run_with(in_hours(2), {"adopt", "--peer", "app", "--reason", "a peer again"}).exit ==
        0);
  for (int hour = 4; hour <= 8; hour += 2) {
    (void)nodes.app.meet("ga", in_hours(hour));
    (void)office.meet("app", in_hours(hour));
  }
  CHECK(office.secondary.rows(kVisits) == "1\n2\n3\n4");
}

TEST_CASE("revoke: what was interrupted is finished by the same command") {
  const TwoNodes nodes;
  const auto& office = nodes.office;
  nodes.meet();
  const auto card = office.directory / "cards" / "app.card";
  const auto kept = read_file(card);
  REQUIRE(revoke(office, "app").exit == 0);
  CHECK_FALSE(fs::exists(card));
  // as if the process had been killed after its first step: it counts already
  write_file(card, kept);
  fs::permissions(card, fs::perms::owner_read | fs::perms::owner_write);
  const auto synced = office.run({"sync", "--json"});
  CHECK_MESSAGE(synced.exit == 0, synced.err);
  CHECK(Json::parse(synced.out)["peers"].empty());
  CHECK(revoke(office, "app").exit == 0);
  CHECK_FALSE(fs::exists(card));
  // a damaged note holds the peer off as well
  write_file(office.directory / "cards" / "app.revoked", "{}");
  CHECK(office.run({"sync", "-q"}).exit == 25);
}

TEST_CASE("revoke: without the mailbox it is revoked all the same, and what is wrong is said") {
  TwoNodes nodes;
  nodes.meet();
  // a file of the office's lies there, which the peer can open
  nodes.app.primary.run("INSERT INTO visit VALUES (4, 'market', NULL)");
  (void)nodes.app.meet("ga");
  (void)nodes.office.meet("app");
  REQUIRE_FALSE(nodes.files().empty());
  fs::rename(nodes.mailbox.path(), nodes.mailbox.path().string() + "-away");
  const auto ran = revoke(nodes.office, "app");
  fs::rename(nodes.mailbox.path().string() + "-away", nodes.mailbox.path());
  CHECK_MESSAGE(ran.exit == 30, ran.err);
  const auto told = Json::parse(ran.out);
  CHECK(told["problem"].is_string());
  CHECK(told["exit"] == 30);
  CHECK(JsonSchemas().complaint(told, "commands.schema.json#/$defs/peer_revoke") == "");
  CHECK(nodes.office.run({"sync", "-q"}).exit == 0);  // it is revoked

  // the same once more, now that the mailbox is there
  const auto again = revoke(nodes.office, "app");
  CHECK_MESSAGE(again.exit == 0, again.err);
  CHECK_FALSE(Json::parse(again.out).contains("problem"));
  CHECK_FALSE(fs::exists(nodes.office.directory / "state" / "peers" / "app" / "channel.db"));
  CHECK(nodes.files().empty());

  CHECK(revoke(nodes.office, "nobody").exit == 64);
  const auto wordy = nodes.app.run({"peer", "revoke", "ga", "--reason", std::string(1001, 'x')});
  CHECK(wordy.exit == 64);
  CHECK(fs::exists(nodes.app.directory / "cards" / "ga.card"));
}

}  // namespace abgleich::test
