// Two nodes that exchange rows through a directory, as if each were on a machine of its own.
#pragma once

#include "support/pairing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

namespace abgleich::test {

/// The clock, so many hours from now.
inline std::vector<std::string> in_hours(std::int64_t hours) {
  return {std::string("LD_PRELOAD=") + kAnotherDay,
          "ABGLEICH_TEST_TIME=" + std::to_string(std::time(nullptr) + hours * 3'600),
          "ASAN_OPTIONS=verify_asan_link_order=0"};
}

/// What a node's configuration says of its peers.
struct Exchanging {
  std::string sends;    // a contract, without its format; empty: it sends nothing
  std::string accepts;  // a contract; empty: it takes nothing
  std::string more;     // ends the section of the peer
};

class Node : public Pairing {
 public:
  Node(On primary_on, On secondary_on, const std::string& name,
       const std::filesystem::path& mailbox)
      : Pairing(primary_on, secondary_on, ""), name_(name), mailbox_(mailbox) {
    const auto made = run({"peer", "init", "--name", name, "--json"});
    REQUIRE_MESSAGE(made.exit == 0, made.err);
    card_ = nlohmann::json::parse(made.out);
  }

  [[nodiscard]] const std::string& name() const { return name_; }

  /// Pins the other's card, whose digits were said on the telephone.
  void knows(const Node& other) const {
    const auto added = run(
        {"peer", "add", other.card_["file"], "--fingerprint", other.card_["fingerprint"], "-q"});
    REQUIRE_MESSAGE(added.exit == 0, added.err);
  }

  /// Writes the configuration for one peer. Primary and secondary are not paired with each other.
  void exchanges(const std::string& peer, const Exchanging& with,
                 const std::string& more = "") const {
    std::string section = "[peers." + peer + "]\n";
    if (!with.sends.empty()) {
      write_file(directory / "sends.toml", "format = 1\n" + with.sends);
      section += "sends = \"sends.toml\"\n";
    }
    if (!with.accepts.empty()) {
      write_file(directory / "accepts.toml", "format = 1\n" + with.accepts);
      section += "accepts = \"accepts.toml\"\n";
    }
    configure("[exchange]\nmailbox = \"" + mailbox_.string() + "\"\n" + more + "\n" + section +
              with.more);
  }

  /// A run of the program by itself, so that what `environment` preloads counts.
  [[nodiscard]] Ran run_with(const std::vector<std::string>& environment,
                             const std::vector<std::string>& words) const {
    return environment.empty()
               ? run(words)
               : run_program(command(words), directory.path().string(), environment);
  }

  /// One run of cron; the JSON of the peer.
  [[nodiscard]] nlohmann::json meet(const std::string& peer,
                                    const std::vector<std::string>& environment = {}) const {
    const auto ran = run_with(environment, {"sync", "--json"});
    const auto json = nlohmann::json::parse(ran.out, nullptr, false);
    REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
    CHECK_MESSAGE(json["exit"] == ran.exit, ran.err);
    REQUIRE_MESSAGE(json["peers"].contains(peer), ran.out);
    return json["peers"][peer];
  }

 private:
  std::string name_;
  std::filesystem::path mailbox_;
  nlohmann::json card_;
};

/// A mailbox with two nodes: one has cases in its primary, the other wants them in its secondary.
struct TwoNodes {
  static constexpr const char* kSends =
      "[tables.visit]\nkey = [\"id\"]\n[tables.visit.columns]\nid = \"plain\"\n"
      "place = \"plain\"\nday = \"plain\"\n";
  static constexpr const char* kAccepts = kSends;
  static constexpr const char* kTable =
      "CREATE TABLE visit (id integer PRIMARY KEY, place text, day date)";

  explicit TwoNodes(On from = On::sqlite, On to = On::sqlite)
      : app(from, On::sqlite, "app", mailbox.path()), office(On::sqlite, to, "ga", mailbox.path()) {
    app.knows(office);
    office.knows(app);
    app.exchanges("ga", {.sends = kSends});
    office.exchanges("app", {.accepts = kAccepts});
    app.primary.run(kTable);
    app.primary.run(
        "INSERT INTO visit VALUES (1, 'café', '2026-03-01'), (2, 'school', '2026-03-02'), "
        "(3, 'choir', '2026-03-03')");
  }

  /// Both run, in turn, so often that whatever is owed has arrived.
  void meet() const {
    for (int round = 0; round < 3; ++round) {
      (void)app.meet("ga");
      (void)office.meet("app");
    }
    (void)app.meet("ga");
  }

  [[nodiscard]] std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> all;
    for (const auto& entry : std::filesystem::directory_iterator(mailbox.path())) {
      all.push_back(entry.path());
    }
    std::ranges::sort(all);
    return all;
  }

  TemporaryDirectory mailbox;
  Node app;
  Node office;
};

}  // namespace abgleich::test
