// `abgleich peer`, as strangers, colleagues and a relay would have it do what they want: nothing is
// trusted that nobody has vouched for by other means.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A node of its own, as on another machine.
struct Node : Pairing {
  explicit Node(const std::string& name)
      : Pairing(On::sqlite, On::sqlite,
                "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n") {
    const auto made = run({"peer", "init", "--name", name, "--json"});
    REQUIRE_MESSAGE(made.exit == 0, made.err);
    card = Json::parse(made.out);
  }

  [[nodiscard]] std::string file() const { return card["file"]; }
  [[nodiscard]] std::string fingerprint() const { return card["fingerprint"]; }
  [[nodiscard]] std::string text() const { return read_file(file()); }

  /// The other's card as somebody hands it over; the digits are said on the telephone.
  [[nodiscard]] Ran add(const std::string& text, const std::optional<std::string>& digits,
                        std::vector<std::string> more = {}) const {
    write_file(directory / "in.card", text);
    more.insert(more.begin(), {"peer", "add", (directory / "in.card").string()});
    if (digits) {
      more.insert(more.end(), {"--fingerprint", *digits});
    }
    return run(more);
  }
  void add(const Node& other) const {
    const auto ran = add(other.text(), other.fingerprint());
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  }

  [[nodiscard]] std::vector<Json> peers() const {
    const auto ran = run({"peer", "list", "--json"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    std::vector<Json> all;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      all.push_back(Json::parse(line));
    }
    return all;
  }

  Json card;
};

/// Refused with 25, a hint, and no digit of a fingerprint.
void check_refused(const Ran& ran, const std::string& why) {
  CAPTURE(ran.err);
  CHECK(ran.exit == 25);
  CHECK(ran.out.empty());
  CHECK(ran.err.find(why) != std::string::npos);
  CHECK(ran.err.find("\nhint: ") != std::string::npos);
  CHECK_FALSE(std::regex_search(ran.err, std::regex("[0-9]{5} [0-9]{5}")));
}

/// The command of that name that a hint has in backquotes.
std::string command_in(const Ran& ran, const std::string& name) {
  const auto from = ran.err.find("`" + name + " ");
  REQUIRE_MESSAGE(from != std::string::npos, ran.err);
  return ran.err.substr(from + 1, ran.err.find('`', from + 1) - from - 1);
}

}  // namespace

TEST_CASE("peer: two nodes that have read their digits out to each other know each other") {
  const Node north("ga-north");
  const Node south("ga-south");
  CHECK(std::regex_match(north.fingerprint(), std::regex("[0-9]{5}( [0-9]{5}){7}")));
  CHECK(north.fingerprint() != south.fingerprint());
  north.add(south);
  south.add(north);
  for (const auto* node : {&north, &south}) {
    const auto& other = node == &north ? south : north;
    REQUIRE(node->peers().size() == 1);
    const auto peer = node->peers().front();
    CHECK(peer["name"] == other.card["name"]);
    CHECK(peer["id"] == other.card["id"]);
    CHECK(peer["fingerprint"] == other.fingerprint());
    CHECK(read_file(peer["file"].get<std::string>()) == other.text());
    // what `peer card` says later is what the other has pinned
    const auto again = node->run({"peer", "card", "--json"});
    CHECK(Json::parse(again.out)["fingerprint"] == node->fingerprint());
  }
  struct stat status {};
  REQUIRE(::stat((north.directory / "node.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
}

TEST_CASE("peer: no card is trusted because it is the first") {
  const Node north("ga-north");
  const Node south("ga-south");
  check_refused(north.add(south.text(), std::nullopt), "can be anybody's card");
  CHECK_FALSE(fs::exists(north.directory / "cards"));
  CHECK(north.peers().empty());
}

TEST_CASE("peer: another card in the place of a peer's is refused, and its digits are not told") {
  const Node north("ga-north");
  const Node south("ga-south");
  const Node stranger("ga-south");  // by the same name
  check_refused(north.add(stranger.text(), south.fingerprint()),
                "is not the card whose fingerprint you have typed");
  CHECK(north.peers().empty());
}

TEST_CASE("peer: a card that was changed at any byte is refused") {
  const Node north("ga-north");
  const Node south("ga-south");
  const auto text = south.text();
  for (std::size_t at = 0; at < text.size(); at += 5) {
    auto changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    check_refused(north.add(changed, south.fingerprint()), "is not the card");
  }
  check_refused(north.add(text + "\n", south.fingerprint()), "is not the card");
  check_refused(north.add(text.substr(0, text.size() - 1), south.fingerprint()), "is not the card");
  check_refused(north.add("", south.fingerprint()), "is not the card");
  check_refused(north.add(std::string(100'000, 'x'), south.fingerprint()), "is no card");
  CHECK(north.peers().empty());
}

TEST_CASE("peer: a card with Windows line ends is refused with the command that helps") {
  const Node north("ga-north");
  const Node south("ga-south");
  auto text = south.text();
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
    text.insert(at, 1, '\r');
  }
  const auto refused = north.add(text, south.fingerprint());
  check_refused(refused, "has Windows line ends");
  CHECK(refused.err.find("sed -i 's/\\r$//' ") != std::string::npos);
}

TEST_CASE("peer: a card of another format is told as such, once it is known to be meant") {
  const Node north("ga-north");
  // the digits of this text are anybody's to compute; here a program of the future has
  const std::string later = "abgleich-card 2\nwhatever comes\n";
  const auto digits = north.add(later, std::string(40, '0'));
  check_refused(digits, "is not the card");
  const auto sum = run_program(
      {"/bin/sh", "-c",
       "{ printf 'abgleich.card/1 fingerprint\\n'; cat \"$1\"; } | openssl dgst -sha512 -binary | "
       "od -An -v -tu1 -w5 | head -8 | while read a b c d e; do "
       "printf %05d $(( ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) % 100000 )); done",
       "sh", (north.directory / "in.card").string()});
  REQUIRE(sum.out.size() == 40);
  check_refused(north.add(later, sum.out),
                "is a card of a format that this abgleich does not know");
}

TEST_CASE("peer: openssl, as the page says, computes the digits and verifies the card") {
  const Node north("ga-north");
  const auto text = north.text();
  const auto script = [&](const std::string& commands) {
    return run_program({"/bin/sh", "-ec", commands, "sh", north.file()},
                       north.directory.path().string());
  };
  const auto digits = script(
      "{ printf 'abgleich.card/1 fingerprint\\n'; cat \"$1\"; } | openssl dgst -sha512 -binary | "
      "od -An -v -tu1 -w5 | head -8 | while read a b c d e; do "
      "printf ' %05d' $(( ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) % 100000 )); done");
  CHECK(digits.out == " " + north.fingerprint());
  const auto verified = script(
      "line() { sed -n \"s/^$1 //p\" card | tr -d '\\n' | perl -ne 'print pack q(H*), $_'; };"
      "cp \"$1\" card; sed '$d' card >covered;"
      "{ printf 'abgleich.card/1 signature\\n'; openssl dgst -sha512 -binary covered; } >message;"
      "line signature >signature;"
      "{ printf '\\060\\052\\060\\005\\006\\003\\053\\145\\160\\003\\041\\000'; line signs; } >key;"
      "openssl pkeyutl -verify -pubin -keyform DER -inkey key -rawin -in message "
      "-sigfile signature");
  CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
}

TEST_CASE("peer: two nodes with one name get along under two") {
  const Node north("ga-north");
  const Node one("office");
  const Node other("office");
  north.add(one);
  check_refused(north.add(other.text(), other.fingerprint()), "another peer is pinned as 'office'");
  CHECK(north.add(other.text(), other.fingerprint(), {"--as", "office-2"}).exit == 0);
  REQUIRE(north.peers().size() == 2);
  CHECK(north.peers()[0]["id"] == one.card["id"]);
  CHECK(north.peers()[1]["id"] == other.card["id"]);
  CHECK(north.peers()[1]["name"] == "office-2");
  CHECK(north.peers()[1]["calls_itself"] == "office");
  CHECK(north.run({"peer", "list"}).out.find("office-2 (calls itself office)") !=
        std::string::npos);
  CHECK(north.add(one.text(), one.fingerprint(), {"--as", "../office"}).exit == 64);
}

TEST_CASE("peer: a node with new keys has to be added again, by a person, with new digits") {
  const Node north("ga-north");
  const Node south("ga-south");
  north.add(south);
  const auto before = south.text();
  // it has lost its keys
  fs::remove(south.directory / "node.key");
  fs::remove(south.file());
  const auto made = south.run({"peer", "init", "--name", "ga-south", "--json"});
  REQUIRE_MESSAGE(made.exit == 0, made.err);
  const auto fresh = Json::parse(made.out)["fingerprint"].get<std::string>();
  check_refused(north.add(south.text(), std::nullopt), "can be anybody's card");
  check_refused(north.add(south.text(), south.fingerprint()), "is not the card");
  check_refused(north.add(south.text(), fresh), "another peer is pinned as 'ga-south'");
  CHECK(read_file(north.directory / "cards/ga-south.card") == before);
  fs::remove(north.directory / "cards/ga-south.card");
  CHECK(north.add(south.text(), fresh).exit == 0);
  CHECK(north.peers().front()["fingerprint"] == fresh);
}

TEST_CASE("peer: a node's own card is nobody else's") {
  const Node north("ga-north");
  check_refused(north.add(north.text(), north.fingerprint(), {"--as", "somebody"}),
                "is this node's own card");
}

TEST_CASE(
    "peer: what others may write vouches for nobody, and secrets that others may read are none") {
  const Node north("ga-north");
  const Node south("ga-south");
  north.add(south);
  const auto cards = north.directory / "cards";
  REQUIRE(::chmod(cards.c_str(), 0777) == 0);
  check_refused(north.run({"peer", "list"}), "may be written by others (mode 0777)");
  REQUIRE(::chmod(cards.c_str(), 0700) == 0);
  REQUIRE(::chmod((cards / "ga-south.card").c_str(), 0666) == 0);
  check_refused(north.run({"peer", "list"}), "may be written by others (mode 0666)");
  REQUIRE(::chmod((cards / "ga-south.card").c_str(), 0644) == 0);
  CHECK(north.run({"peer", "list"}).exit == 0);

  REQUIRE(::chmod((north.directory / "node.key").c_str(), 0644) == 0);
  check_refused(north.run({"peer", "card"}), "is open to others (mode 0644)");
  fs::rename(north.directory / "node.key", north.directory / "real.key");
  fs::create_symlink("real.key", north.directory / "node.key");
  check_refused(north.run({"peer", "card"}), "is a symbolic link");
}

TEST_CASE("peer: keys and cards are never overwritten") {
  const Node north("ga-north");
  const auto key = read_file(north.directory / "node.key");
  check_refused(north.run({"peer", "init", "--name", "other"}), "exists already");
  CHECK(read_file(north.directory / "node.key") == key);
  write_file(north.directory / "precious", "precious");
  check_refused(north.run({"peer", "card", "precious"}),
                "exists already, and is not this node's card");
  CHECK(read_file(north.directory / "precious") == "precious");
  // the same again is the same file
  CHECK(north.run({"peer", "card"}).exit == 0);
  CHECK(north.run({"peer", "card", "elsewhere.card"}).exit == 0);
  CHECK(read_file(north.directory / "elsewhere.card") == north.text());
}

TEST_CASE("peer: where keys and cards lie is the configuration's word") {
  const Node north("ga-north");
  const Node south("ga-south");
  fs::create_directory(north.directory / "secret");
  fs::rename(north.directory / "node.key", north.directory / "secret/n.key");
  north.configure("[exchange]\nidentity = \"secret/n.key\"\ncards = \"known\"");
  north.add(south);
  CHECK(fs::exists(north.directory / "known/ga-south.card"));
  CHECK(Json::parse(north.run({"peer", "card", "--json"}).out)["fingerprint"] ==
        north.fingerprint());
  north.configure("[exchange]\nidentity = \"\"");
  CHECK(north.run({"peer", "list"}).exit == 78);
  north.configure("[exchange]\nmailbix = \"box\"");
  CHECK(north.run({"peer", "list"}).exit == 78);
}

TEST_CASE("peer: a pinned card that is damaged is taken away and pinned again, as the hint says") {
  const Node north("ga-north");
  const Node south("ga-south");
  north.configure("[exchange]\ncards = \"peers' cards\"");
  REQUIRE(north.add(south.text(), south.fingerprint(), {"--as", "south"}).exit == 0);
  const auto pinned = north.directory / "peers' cards/south.card";
  auto wrong_signature = south.text();
  auto& digit = wrong_signature[wrong_signature.size() - 2];
  digit = digit == '0' ? '1' : '0';
  for (const auto& [text, why] : {std::pair<std::string, std::string>("", "is no card of abgleich"),
                                  {south.text().substr(0, 100), "is no card of abgleich"},
                                  {std::string(5000, 'x'), "is no card of abgleich"},
                                  {wrong_signature, "is a card whose signature is wrong"},
                                  {"abgleich-card 2\n", "is a card of a format"}}) {
    CAPTURE(why);
    write_file(pinned, text);
    const auto refused = north.run({"peer", "list"});
    check_refused(refused, why);
    check_refused(north.add(south.text(), south.fingerprint(), {"--as", "south"}), why);
    CHECK(command_in(refused, "abgleich") ==
          "abgleich peer add FILE --fingerprint DIGITS --as south");
    const auto taken = run_program({"/bin/sh", "-c", command_in(refused, "rm")});
    REQUIRE_MESSAGE(taken.exit == 0, taken.err);
    CHECK(north.add(south.text(), south.fingerprint(), {"--as", "south"}).exit == 0);
    CHECK(north.peers().size() == 1);
  }
  // one peer in two files, and a file that no peer can have: each is a command away
  for (const auto* other : {"other.card", "An other.card"}) {
    fs::copy_file(pinned, pinned.parent_path() / other);
    const auto refused = north.run({"peer", "list"});
    CHECK(refused.exit == 25);
    REQUIRE(run_program({"/bin/sh", "-c", command_in(refused, "rm")}).exit == 0);
    CHECK(north.peers().size() == 1);
    fs::rename(fs::directory_iterator(pinned.parent_path())->path(), pinned);
  }
  fs::create_directory(pinned.parent_path() / "more.card");
  check_refused(north.run({"peer", "list"}), "move it elsewhere");
}

TEST_CASE("peer: keys of a node with Windows line ends, or of a later version, are told as such") {
  const Node north("ga-north");
  const auto file = north.directory / "node.key";
  const auto text = read_file(file);
  write_file(file, "abgleich-node 2" + text.substr(text.find('\n')));
  const auto later = north.run({"peer", "card"});
  check_refused(later, "has a version that this abgleich does not know");
  CHECK(later.err.find("hint: use the version of abgleich that wrote it, or a newer one") !=
        std::string::npos);
  std::string windows;
  for (const char c : text) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  write_file(file, windows);
  const auto refused = north.run({"peer", "card"});
  check_refused(refused, "has Windows line ends");
  REQUIRE(run_program({"/bin/sh", "-c", command_in(refused, "sed")}).exit == 0);
  CHECK(north.run({"peer", "card"}).exit == 0);
}

TEST_CASE("peer: hints about keys quote what a shell would take apart") {
  const Node north("ga-north");
  north.configure(
      "[exchange]\nidentity = \"the node's/n.key\"\n"
      "[keys]\nfile = \"our key's\"");
  const auto refused = north.run({"peer", "init", "--name", "again"});
  check_refused(refused, "its directory does not exist");
  REQUIRE(run_program({"/bin/sh", "-c", command_in(refused, "mkdir")}).exit == 0);
  CHECK(north.run({"peer", "init", "--name", "again"}).exit == 0);

  REQUIRE(north.run({"keys", "generate", "-q"}).exit == 0);
  const auto key = north.directory / "our key's";
  std::string windows;
  for (const char c : read_file(key)) {
    windows += c == '\n' ? "\r\n" : std::string(1, c);
  }
  write_file(key, windows);
  const auto keys = north.run({"keys", "check"});
  check_refused(keys, "has Windows line ends");
  REQUIRE(run_program({"/bin/sh", "-c", command_in(keys, "sed")}).exit == 0);
  CHECK(north.run({"keys", "check"}).exit == 0);
}

TEST_CASE("peer: check looks at the node and the cards, where there are any") {
  Node north("ga-north");
  const Node south("ga-south");
  north.primary.run("CREATE TABLE t (id integer PRIMARY KEY)");
  north.add(south);
  CHECK(north.run({"check"}).out.find("this node is 'ga-north'; pinned: 1") != std::string::npos);
  write_file(north.directory / "cards/ga-south.card", "damaged");
  const auto checked = north.run({"check"});
  CHECK(checked.exit == 25);
  CHECK((checked.out + checked.err).find("is no card of abgleich") != std::string::npos);
}

}  // namespace abgleich::test
