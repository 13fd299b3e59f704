// [exchange] and [peers.…]: what is written is understood, and what cannot be meant is refused.
#include "contract/peers.hpp"

#include "contract/refusal.hpp"
#include "contract/trust.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <initializer_list>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

const std::string kDatabases =
    "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:b.db\"\n";
const std::string kMailbox = "[exchange]\nmailbox = \"/srv/iris\"\n";
const std::string kNorth = "[peers.ga-north]\nsends = \"guests.toml\"\n";

/// The databases take the first four lines.
Config config_with(const std::string& text) {
  return parse_config(kDatabases + text, "/etc/abgleich/abgleich.toml");
}

Error refused(const std::string& text) {
  return config_refusal(kDatabases + text);
}

/// Sections of these patterns. What each sends is named by its number, from 0.
Exchange exchange_with(std::initializer_list<std::string> patterns) {
  Exchange exchange{.mailbox = "/srv/iris"};
  for (const auto& pattern : patterns) {
    exchange.peers.push_back(
        {.pattern = pattern, .sends = std::to_string(exchange.peers.size()) + ".toml"});
  }
  return exchange;
}

std::string chosen(const Exchange& exchange, std::string_view peer) {
  const auto* section = section_of(exchange, peer);
  return section == nullptr ? "none" : section->pattern;
}

/// A configuration with its contracts, in a directory that nobody else can enter.
struct Files {
  explicit Files(const std::string& peers) {
    write("abgleich.toml", kDatabases + peers);
    write("guests.toml", "format = 1\n");
  }
  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((directory / name).parent_path());
    std::ofstream(directory / name) << text;
    set_mode(name, 0600);
  }
  void set_mode(const std::string& name, mode_t mode) const {
    REQUIRE(::chmod((directory / name).c_str(), mode) == 0);
  }
  [[nodiscard]] std::string named(const std::string& name) const {
    return "'" + (directory / name).string() + "'";
  }
  /// Why the files are not trusted; empty: they are.
  [[nodiscard]] std::string mistrusted() const {
    try {
      expect_own_files(read_config(directory / "abgleich.toml"));
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::key_or_trust);
      CHECK(contains(failure.error().hint, "chmod go-w"));
      return failure.error().message;
    }
    return {};
  }

  test::TemporaryDirectory directory;
};

}  // namespace

TEST_CASE("without a word about peers there are none, and the two databases are a pairing") {
  const auto config = config_with("");
  CHECK(config.exchange.mailbox.empty());
  CHECK(config.exchange.resend_after == seconds(3'600));
  CHECK(config.exchange.heartbeat == seconds(86'400));
  CHECK(config.exchange.overdue == seconds(172'800));
  CHECK(config.exchange.peers.empty());
  CHECK(config.pairs);
  CHECK(section_of(config.exchange, "ga-north") == nullptr);
}

TEST_CASE("the exchange with peers is understood, with paths relative to its file") {
  const auto config = config_with(R"(
[exchange]
identity = "secret/node.key"
mailbox = "iris"
resend_after = "1s"
heartbeat = "12h"
overdue = "12h"
[peers."ga-*"]
sends = "guests.toml"
accepts = "/etc/requests.toml"
[peers.centre]
accepts = "slots.toml"
mailbox = "../centre"
)");
  const auto& exchange = config.exchange;
  CHECK(config.identity == "/etc/abgleich/secret/node.key");
  CHECK(exchange.mailbox == "/etc/abgleich/iris");
  CHECK(exchange.resend_after == seconds(1));
  CHECK(exchange.heartbeat == seconds(43'200));
  CHECK(exchange.overdue == seconds(43'200));  // as long as a heartbeat is long enough
  REQUIRE(exchange.peers.size() == 2);
  CHECK(exchange.peers[0].pattern == "ga-*");
  CHECK(exchange.peers[0].sends == fs::path("/etc/abgleich/guests.toml"));
  CHECK(exchange.peers[0].accepts == fs::path("/etc/requests.toml"));
  CHECK_FALSE(exchange.peers[0].mailbox);
  CHECK(exchange.peers[1].pattern == "centre");
  CHECK_FALSE(exchange.peers[1].sends);
  CHECK(exchange.peers[1].accepts == fs::path("/etc/abgleich/slots.toml"));
  CHECK(exchange.peers[1].mailbox == fs::path("/etc/abgleich/../centre"));
}

TEST_CASE("every name and pattern that a peer can fit is taken") {
  for (const std::string& pattern :
       {std::string("a"), std::string("7"), std::string("ga-north"), std::string("*"),
        std::string("*-north"), std::string("ga-*"), std::string("a*b*c"), std::string("**"),
        std::string(63, 'x'), std::string(62, 'x') + "*"}) {
    CAPTURE(pattern);
    const auto config =
        config_with(kMailbox + "[peers.\"" + pattern + "\"]\naccepts = \"a.toml\"\n");
    REQUIRE(config.exchange.peers.size() == 1);
    CHECK(config.exchange.peers.front().pattern == pattern);
  }
}

TEST_CASE("a section whose name no peer can have is refused") {
  for (const std::string& pattern :
       {std::string(), std::string("Ga"), std::string("ga north"), std::string("ga.north"),
        std::string("ga_north"), std::string("ga-?"), std::string("-ga"), std::string("ga-"),
        std::string("-*"), std::string("*-"), std::string("grün"), std::string("../ga"),
        std::string(64, 'x')}) {
    CAPTURE(pattern);
    const auto error = refused(kMailbox + "[peers.\"" + pattern + "\"]\naccepts = \"a.toml\"\n");
    CHECK(error.message ==
          "abgleich.toml:7:8: '" + pattern + "' is neither a peer's name nor a pattern");
    CHECK(error.hint ==
          "write 1 to 63 small letters, digits and hyphens, no hyphen at either end, and '*' for "
          "any of them: [peers.ga-north] or [peers.\"ga-*\"]");
  }
  // what a terminal would obey is not repeated
  CHECK(refused("[peers.\"\\u001b[31m\"]\naccepts = \"a.toml\"\n").message ==
        "abgleich.toml:5:8: '\\x1b[31m' is neither a peer's name nor a pattern");
}

TEST_CASE("every error about peers says where it is, what is wrong and what to write") {
  struct Case {
    std::string text;
    std::string message;  // whole, behind the file
    std::string hint;     // a part
  };
  const std::string any = "[peers.\"ga-*\"]\n";
  const std::vector<Case> cases{
      {kMailbox + any, "7:8: [peers.\"ga-*\"] has neither 'sends' nor 'accepts'",
       "name the contract of what the peer gets, sends = \"guests.toml\", or of what is taken from "
       "it, accepts = \"requests.toml\""},
      {any + "mailbox = \"m\"\n", "5:8: [peers.\"ga-*\"] has neither 'sends' nor 'accepts'",
       "sends = "},
      {kNorth, "5:8: [peers.ga-north] has no mailbox",
       "write the directory that both can reach, mailbox = \"/srv/iris\", below [peers.ga-north] "
       "or, for all peers, below [exchange]"},
      {kNorth + "mailbox = \"m\"\n" + any + "sends = \"guests.toml\"\n",
       "8:8: [peers.\"ga-*\"] has no mailbox", "below [peers.\"ga-*\"] or"},
      {kMailbox + kNorth + "send = \"x\"\n", "9:1: unknown key 'send' in [peers.ga-north]",
       "did you mean 'sends'? [peers.ga-north] takes sends, takes, accepts or mailbox"},
      {kMailbox + any + "gives = \"x\"\n", "8:1: unknown key 'gives' in [peers.\"ga-*\"]",
       "[peers.\"ga-*\"] takes sends, takes, accepts or mailbox"},
      {kMailbox + any + "sends = 1\n", "8:9: 'sends' is an integer, but must be a string",
       "write sends = \"guests.toml\""},
      {kMailbox + any + "accepts = \"\"\n", "8:11: 'accepts' is empty", "write a name"},
      {any + "sends = \"g.toml\"\nmailbox = \"\"\n", "7:11: 'mailbox' is empty", "write a name"},
      {kMailbox + "[peers]\nsends = \"guests.toml\"\n",
       "8:9: 'sends' is a string, but must be a table",
       "write [peers.\"ga-*\"] and below it sends = \"guests.toml\" or accepts = "
       "\"requests.toml\""},
      {kMailbox + "[[peers]]\nsends = \"guests.toml\"\n",
       "7:1: 'peers' is a list, but must be a table", "write [peers.\"ga-*\"]"},
      {kMailbox + "[peer.ga-north]\n", "7:2: unknown key 'peer' in the configuration",
       "did you mean 'peers'?"},
      {"[exchange]\nmailbix = \"/srv\"\n", "6:1: unknown key 'mailbix' in [exchange]",
       "did you mean 'mailbox'? [exchange] takes identity, cards, mailbox, resend_after, heartbeat "
       "or overdue"},
      {"[exchange]\nmailbox = [\"/srv\"]\n", "6:11: 'mailbox' is a list, but must be a string",
       "write mailbox = \"/srv/iris\""},
      {"[exchange]\nmailbox = \"\"\n", "6:11: 'mailbox' is empty", "write a name"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const auto error = refused(one.text);
    CHECK(error.message == "abgleich.toml:" + one.message);
    CHECK_MESSAGE(contains(error.hint, one.hint), error.hint);
  }
}

TEST_CASE("one name has one section") {
  CHECK(
      contains(refused(kMailbox + kNorth + "[peers.\"ga-north\"]\nsends = \"more.toml\"\n").message,
               "abgleich.toml:9:1: not valid TOML"));
}

TEST_CASE("times of the exchange are longer than nothing, and a heartbeat is heard in time") {
  const std::vector<std::pair<std::string, std::string>> times{
      {"resend_after", "1h"}, {"heartbeat", "24h"}, {"overdue", "48h"}};
  for (const auto& [name, standard] : times) {
    CAPTURE(name);
    const auto at = "abgleich.toml:6:" + std::to_string(name.size() + 4) + ": ";
    for (const std::string zero : {"0", "0s", "0d"}) {
      const auto error = refused("[exchange]\n" + name + " = \"" + zero + "\"\n");
      CHECK(error.message == at + "'" + name + "' has to be longer than 0");
      CHECK(error.hint == "write a time of at least a second: " + name + " = \"" + standard + "\"");
    }
    CHECK(refused("[exchange]\n" + name + " = 60\n").message ==
          at + "'" + name + "' is not a text");
    CHECK(refused("[exchange]\n" + name + " = \"soon\"\n").message ==
          at + "'" + name + "' is no length of time");
  }
  const std::string hint =
      "a peer with nothing to send is heard from once in a heartbeat: write both, for example "
      "heartbeat = \"12h\" and overdue = \"24h\"; what is not written is 24h and 48h";
  const auto both = refused("[exchange]\noverdue = \"59s\"\nheartbeat = \"1m\"\n");
  CHECK(both.message == "abgleich.toml:7:13: 'heartbeat' is longer than 'overdue'");
  CHECK(both.hint == hint);
  const auto one = refused("[exchange]\nheartbeat = \"3d\"\n");
  CHECK(one.message == "abgleich.toml:6:13: 'heartbeat' is longer than 'overdue'");
  const auto other = refused("[exchange]\noverdue = \"23h\"\n");
  CHECK(other.message == "abgleich.toml:6:11: 'overdue' is shorter than 'heartbeat'");
  CHECK(other.hint == hint);
}

TEST_CASE("primary and secondary are paired by a contract at the top, and without peers always") {
  CHECK(config_with(kMailbox).pairs);
  CHECK(config_with(kMailbox + "[peers]\n").pairs);
  const auto alone = config_with(kMailbox + kNorth);
  CHECK_FALSE(alone.pairs);
  CHECK(alone.contract == "/etc/abgleich/contract.toml");
  const auto both = parse_config("contract = \"own.toml\"\n" + kDatabases + kMailbox + kNorth,
                                 "/etc/abgleich/abgleich.toml");
  CHECK(both.pairs);
  CHECK(both.contract == "/etc/abgleich/own.toml");
}

TEST_CASE("primary and secondary may be one database only where no contract pairs them") {
  const std::string same =
      "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:./a.db\"\n";
  CHECK_NOTHROW(parse_config(same + kMailbox + kNorth, "abgleich.toml"));
  CHECK(config_refusal(same + kMailbox).message ==
        "abgleich.toml:4:7: the primary and the secondary are the same database");
  CHECK(config_refusal("contract = \"c.toml\"\n" + same + kMailbox + kNorth).message ==
        "abgleich.toml:5:7: the primary and the secondary are the same database");
}

TEST_CASE("a pattern fits whole names, and '*' stands for any characters and for none") {
  const auto fits = [](const std::string& pattern, std::string_view name) {
    return section_of(exchange_with({pattern}), name) != nullptr;
  };
  for (const auto& [pattern, name] :
       std::vector<std::pair<std::string, std::string>>{{"ga-north", "ga-north"},
                                                        {"*", "x"},
                                                        {"ga-*", "ga-n"},
                                                        {"ga*", "ga"},
                                                        {"*north", "ga-north"},
                                                        {"*-*", "ga-north"},
                                                        {"g*n*h", "ga-north"},
                                                        {"a*b", "aab-b"},
                                                        {"a*bb*b", "abbb"},
                                                        {"**a**", "a"},
                                                        {"a*ba*ba", "ababaxba"}}) {
    CAPTURE(pattern);
    CHECK(fits(pattern, name));
  }
  for (const auto& [pattern, name] :
       std::vector<std::pair<std::string, std::string>>{{"ga-north", "ga-north-2"},
                                                        {"ga-north", "ga"},
                                                        {"ga-*", "ga"},
                                                        {"ga-*", "xga-north"},
                                                        {"*north", "north-2"},
                                                        {"a*a", "a"},
                                                        {"ab*ba", "aba"},
                                                        {"a*bb*b", "abb"},
                                                        {"g*s*h", "ga-north"},
                                                        {"*x*", "ga-north"}}) {
    CAPTURE(pattern);
    CHECK_FALSE(fits(pattern, name));
  }
}

TEST_CASE("of the sections that fit a peer, the most exact one is taken, wherever it stands") {
  const auto exchange =
      exchange_with({"*", "ga-*", "ga-n*", "*-north", "ga-north", "*-sou*", "ga-*h"});
  CHECK(chosen(exchange, "ga-north") == "ga-north");  // exactly this name
  CHECK(chosen(exchange, "ga-north-2") == "ga-n*");   // four characters of it
  CHECK(chosen(exchange, "gb-north") == "*-north");
  CHECK(chosen(exchange, "ga-west") == "ga-*");
  CHECK(chosen(exchange, "centre") == "*");
  // as many characters: fewer '*'
  CHECK(chosen(exchange, "ga-south") == "ga-*h");
  CHECK(chosen(exchange_with({"*-sou*", "ga-*h"}), "ga-south") == "ga-*h");
  // a name is more exact than a pattern with the same characters
  CHECK(chosen(exchange_with({"ga-north*", "*ga-north", "ga-north"}), "ga-north") == "ga-north");
  // as many of both: the first
  CHECK(chosen(exchange_with({"ga*", "*ga"}), "ga-ga") == "ga*");
  CHECK(chosen(exchange_with({"*ga", "ga*"}), "ga-ga") == "*ga");
  CHECK(chosen(exchange_with({"gb-*", "gc"}), "ga-north") == "none");
  // it is the section itself
  const auto* section = section_of(exchange, "ga-north");
  REQUIRE(section != nullptr);
  CHECK(section->sends == fs::path("4.toml"));
  CHECK(section == &exchange.peers[4]);
}

TEST_CASE("sections are read in the order of the file, which decides between equals") {
  const std::string first = "[peers.\"ga*\"]\nsends = \"1.toml\"\n";
  const std::string second = "[peers.\"*ga\"]\nsends = \"2.toml\"\n";
  CHECK(chosen(config_with(kMailbox + first + second).exchange, "ga-ga") == "ga*");
  CHECK(chosen(config_with(kMailbox + second + first).exchange, "ga-ga") == "*ga");
}

TEST_CASE("a section of the including file replaces that of the included one as a whole") {
  const Files files("include = \"unused\"");
  files.write("shared/common.toml",
              "contract = \"theirs.toml\"\n" + kDatabases +
                  "[exchange]\nmailbox = \"iris\"\nheartbeat = \"6h\"\n"
                  "[peers.ga-north]\nsends = \"guests.toml\"\nmailbox = \"north\"\n"
                  "[peers.\"ga-*\"]\nsends = \"guests.toml\"\n");
  files.write("abgleich.toml",
              "include = \"shared/common.toml\"\n[exchange]\noverdue = \"12h\"\n"
              "[peers.ga-north]\naccepts = \"requests.toml\"\n");
  const auto here = fs::absolute(files.directory.path());
  const auto config = read_config(here / "abgleich.toml");
  const auto& exchange = config.exchange;
  // [exchange] is shared key by key, as every other section
  CHECK(exchange.mailbox == here / "shared/iris");
  CHECK(exchange.heartbeat == seconds(21'600));
  CHECK(exchange.overdue == seconds(43'200));
  REQUIRE(exchange.peers.size() == 2);
  const auto* north = section_of(exchange, "ga-north");
  REQUIRE(north != nullptr);
  CHECK_FALSE(north->sends);  // it gets nothing because of another file
  CHECK_FALSE(north->mailbox);
  CHECK(north->accepts == here / "requests.toml");
  const auto* south = section_of(exchange, "ga-south");
  REQUIRE(south != nullptr);
  CHECK(south->sends == here / "shared/guests.toml");
  // a contract at the top of either file pairs the two databases
  CHECK(config.pairs);
  CHECK(config.contract == here / "shared/theirs.toml");
}

TEST_CASE("what is wrong with a peer of an included file is told with that file") {
  const Files files("include = \"unused\"");
  files.write("common.toml", kDatabases + "[peers.ga-north]\n");
  files.write("abgleich.toml", "include = \"common.toml\"\n" + kMailbox);
  const auto error =
      refusal_of([&] { static_cast<void>(read_config(files.directory / "abgleich.toml")); });
  CHECK(error.message == (files.directory / "common.toml").string() +
                             ":5:8: [peers.ga-north] has neither 'sends' nor 'accepts'");
}

TEST_CASE("contracts of peers that others can write are not trusted, and mailboxes are not asked") {
  for (const std::string key : {"sends", "accepts"}) {
    CAPTURE(key);
    const Files files("[exchange]\nmailbox = \"box\"\n[peers.\"ga-*\"]\n" + key +
                      " = \"rules/guests.toml\"\n");
    CHECK(files.mistrusted().empty());  // a contract that is not there is no reason
    files.write("rules/guests.toml", "format = 1\n");
    fs::create_directory(files.directory / "box");
    files.set_mode("box", 0777);
    files.set_mode("rules", 0700);
    CHECK(files.mistrusted().empty());
    files.set_mode("rules/guests.toml", 0620);
    CHECK(files.mistrusted() == "the contract of [peers.\"ga-*\"] " +
                                    files.named("rules/guests.toml") +
                                    " may be written by others (mode 0620)");
    files.set_mode("rules/guests.toml", 0600);
    files.set_mode("rules", 0702);
    CHECK(files.mistrusted() ==
          files.named("rules") + ", on the way to the contract of [peers.\"ga-*\"] " +
              files.named("rules/guests.toml") + ", may be written by others (mode 0702)");
  }
}

TEST_CASE("the contract of every peer is looked at, not only of the first") {
  const Files files(kMailbox + kNorth + "accepts = \"requests.toml\"\n" +
                    "[peers.ga-south]\nsends = \"south.toml\"\n");
  files.write("requests.toml", "format = 1\n");
  files.write("south.toml", "format = 1\n");
  CHECK(files.mistrusted().empty());
  files.set_mode("south.toml", 0606);
  CHECK(contains(files.mistrusted(), "the contract of [peers.ga-south] "));
  files.set_mode("requests.toml", 0606);
  CHECK(contains(files.mistrusted(),
                 "the contract of [peers.ga-north] " + files.named("requests.toml")));
}

TEST_CASE("a contract of a peer is no configuration, where there are several") {
  const Files files(kMailbox + kNorth);
  CHECK(all_profiles(files.directory.path()) ==
        std::vector<fs::path>{files.directory / "abgleich.toml"});
}

}  // namespace abgleich::contract
