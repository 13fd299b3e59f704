// Whoever hosts the mailbox, a colleague, and a copied disk: what each of them can do to the
// exchange of rows between two nodes (schemas/threats.md).
#include "support/nodes.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <ctime>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kVisits = "SELECT id, place, day FROM visit ORDER BY id";
constexpr const char* kAge = "/usr/bin/age";

/// The files that this has written, which were not there before.
template <class Writes>
std::vector<fs::path> written_by(const TwoNodes& nodes, const Writes& writes) {
  const auto before = nodes.files();
  writes();
  std::vector<fs::path> fresh;
  for (const auto& file : nodes.files()) {
    if (std::ranges::find(before, file) == before.end()) {
      fresh.push_back(file);
    }
  }
  return fresh;
}

/// A change of the app's rows, sealed and in its box.
fs::path bundle_with(TwoNodes& nodes, const std::string& change) {
  nodes.app.primary.run(change);
  const auto fresh =
      written_by(nodes, [&] { CHECK(nodes.app.meet("ga")["rows_out"].get<int>() > 0); });
  REQUIRE(fresh.size() == 1);
  return fresh.front();
}

/// Whether somebody who reads the file learns what it is about.
bool tells(const std::string& bytes) {
  return std::ranges::any_of(
      std::array{"visit", "place", "café", "school", "2026-03", "abgleich", "\"app\"", "format"},
      [&](const char* told) { return bytes.find(told) != std::string::npos; });
}

void make_old(const fs::path& file) {
  fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
}

Json status_of(const Node& node, const std::string& peer) {
  const auto ran = node.run({"status", "--json"});
  const auto json = Json::parse(ran.out, nullptr, false);
  REQUIRE_MESSAGE(json.is_object(), ran.out, ran.err);
  return json["peers"][peer];
}

/// What a node has besides its databases, put aside and brought back: a restored machine.
class CopyOfState {
 public:
  explicit CopyOfState(const Node& node) : node_(node) {
    fs::copy(node.directory / "state", node.directory / "copy", fs::copy_options::recursive);
  }
  void restore() const {
    fs::remove_all(node_.directory / "state");
    fs::copy(node_.directory / "copy", node_.directory / "state", fs::copy_options::recursive);
    for (const auto& entry : fs::recursive_directory_iterator(node_.directory / "state")) {
      fs::permissions(entry, entry.is_directory() ? fs::perms::owner_all
                                                  : fs::perms::owner_read | fs::perms::owner_write);
    }
    fs::permissions(node_.directory / "state", fs::perms::owner_all);
  }

 private:
  const Node& node_;
};

}  // namespace

TEST_CASE("relay: a bundle that was changed, cut, continued or replaced is not applied") {
  TwoNodes nodes;
  nodes.meet();
  const auto before = nodes.office.secondary.rows(kVisits);
  const auto box = bundle_with(nodes, "UPDATE visit SET place = 'x' WHERE id = 1");
  const auto genuine = read_file(box);
  auto flipped = genuine;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  auto hello = genuine;
  hello[10] = static_cast<char>(hello[10] ^ 1);
  for (const auto& forged :
       {flipped, hello, genuine.substr(0, genuine.size() - 1), genuine.substr(0, 100),
        genuine + "x", std::string("somebody's file"), std::string()}) {
    write_file(box, forged);
    const auto taken = nodes.office.meet("app");
    CHECK(taken["code"] == 0);
    CHECK(taken["rows_in"] == 0);
    CHECK(nodes.office.secondary.rows(kVisits) == before);
    CHECK(fs::exists(box));  // it may still be being written
  }
  make_old(box);
  CHECK(nodes.office.meet("app")["code"] == 0);
  CHECK_FALSE(fs::exists(box));
  CHECK(status_of(nodes.office, "app")["unsigned_files"] == 1);

  write_file(box, genuine);
  CHECK(nodes.office.meet("app")["rows_in"] == 1);
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "x");
}

TEST_CASE("relay: links, pipes and directories in the place of a bundle harm nothing") {
  TwoNodes nodes;
  nodes.meet();
  const auto before = nodes.office.secondary.rows(kVisits);
  const auto box = bundle_with(nodes, "UPDATE visit SET place = 'x' WHERE id = 1");
  const auto aside = nodes.mailbox / "aside";
  fs::rename(box, aside);
  fs::create_symlink(nodes.office.directory / "node.key", box);
  CHECK(nodes.office.meet("app")["code"] == 0);
  CHECK(fs::exists(nodes.office.directory / "node.key"));
  fs::remove(box);
  REQUIRE(::mkfifo(box.c_str(), 0600) == 0);
  CHECK(nodes.office.meet("app")["code"] == 0);
  fs::remove(box);
  fs::create_directory(box);
  CHECK(nodes.office.meet("app")["code"] == 0);
  fs::remove(box);
  CHECK(nodes.office.secondary.rows(kVisits) == before);
  fs::rename(aside, box);
  CHECK(nodes.office.meet("app")["rows_in"] == 1);
}

TEST_CASE("relay: a bundle that is put back is removed, and changes nothing") {
  TwoNodes nodes;
  nodes.meet();
  const auto box = bundle_with(nodes, "UPDATE visit SET place = 'old' WHERE id = 1");
  const auto old = read_file(box);
  CHECK(nodes.office.meet("app")["rows_in"] == 1);
  (void)nodes.app.meet("ga");
  (void)bundle_with(nodes, "UPDATE visit SET place = 'new' WHERE id = 1");
  CHECK(nodes.office.meet("app")["rows_in"] == 1);
  write_file(box, old);
  const auto again = nodes.office.meet("app");
  CHECK(again["code"] == 0);
  CHECK(again["rows_in"] == 0);
  CHECK_FALSE(fs::exists(box));
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "new");
  nodes.meet();
  CHECK(nodes.app.meet("ga")["waiting_s"].is_null());
}

TEST_CASE("relay: what it drops is sent again, and what it withholds is noticed on both sides") {
  TwoNodes nodes;
  nodes.meet();
  fs::remove(bundle_with(nodes, "UPDATE visit SET place = 'x' WHERE id = 1"));
  CHECK(nodes.office.meet("app")["rows_in"] == 0);
  const auto drop_all = [&] {
    for (const auto& file : nodes.files()) {
      fs::remove(file);
    }
  };
  // every file that is written in two days is dropped
  for (std::int64_t hour = 2; hour <= 50; hour += 6) {
    (void)nodes.app.meet("ga", in_hours(hour));
    drop_all();
    (void)nodes.office.meet("app", in_hours(hour));
    drop_all();
  }
  CHECK(nodes.app.meet("ga", in_hours(54))["code"] == 14);
  drop_all();
  CHECK(nodes.office.meet("app", in_hours(54))["code"] == 14);
  for (std::int64_t hour = 56; hour <= 66; hour += 2) {
    (void)nodes.app.meet("ga", in_hours(hour));
    (void)nodes.office.meet("app", in_hours(hour));
  }
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "x");
  CHECK(nodes.app.meet("ga", in_hours(66))["code"] == 0);
  CHECK(nodes.app.meet("ga", in_hours(66))["waiting_s"].is_null());
}

TEST_CASE("relay: a colleague cannot hand another's message on to us as if it were for us") {
  REQUIRE_MESSAGE(fs::exists(kAge), "apt-get install age");
  TwoNodes nodes;
  const Node colleague(On::sqlite, On::sqlite, "eve", nodes.mailbox.path());
  colleague.knows(nodes.app);
  nodes.app.knows(colleague);
  nodes.app.exchanges("\"*\"", {.sends = TwoNodes::kSends});
  // the app's first words to both are hellos, sealed to the keys on their cards
  const auto fresh = written_by(nodes, [&] { (void)nodes.app.meet("ga"); });
  REQUIRE(fresh.size() == 2);
  const auto key = nodes.mailbox / "key";
  const auto node = read_file(colleague.directory / "node.key");
  write_file(key, node.substr(node.find("AGE-SECRET-KEY-1"), 74) + "\n");
  const auto card = read_file(nodes.office.directory / "ga.card");
  const auto recipient = card.substr(card.find("age1"), 62);
  const auto plain = nodes.mailbox / "plain";
  std::size_t opened = 0;
  for (const auto& file : fresh) {
    const auto open =
        run_program({kAge, "--decrypt", "-i", key.string(), "-o", plain.string(), file.string()});
    if (open.exit != 0) {
      continue;
    }
    ++opened;
    const auto other = file == fresh.front() ? fresh.back() : fresh.front();
    const auto seal =
        run_program({kAge, "--encrypt", "-r", recipient, "-o", other.string(), plain.string()});
    REQUIRE_MESSAGE(seal.exit == 0, seal.err);
  }
  REQUIRE(opened == 1);
  const auto taken = nodes.office.meet("app");
  CHECK(taken["code"] == 27);
  REQUIRE(taken["refused"].size() == 1);
  CHECK(taken["refused"][0]["reason"] == "not_for_us");
}

TEST_CASE("relay: a peer that was restored from a copy is noticed, and nothing older is applied") {
  TwoNodes nodes;
  const std::string no_limits = "[limits]\nmax_updated = \"100%\"\n";
  nodes.app.exchanges("ga", {.sends = TwoNodes::kSends}, no_limits);
  nodes.office.exchanges("app", {.accepts = TwoNodes::kAccepts}, no_limits);
  nodes.meet();
  const CopyOfState copy(nodes.app);
  (void)bundle_with(nodes, "UPDATE visit SET place = 'new' WHERE id = 1");
  (void)nodes.office.meet("app");
  nodes.meet();
  copy.restore();
  nodes.app.primary.run("UPDATE visit SET place = 'lost' WHERE id = 2");
  const auto office_before = nodes.office.secondary.rows(kVisits);
  // the app learns it from what the office knows, and says so
  bool refused = false;
  for (std::int64_t hour = 2; hour <= 20 && !refused; hour += 2) {
    const auto told = nodes.app.meet("ga", in_hours(hour));
    refused = told["code"] == 22;
    if (!refused) {
      const auto heard = nodes.office.meet("app", in_hours(hour));
      CHECK((heard["code"] == 0 || heard["code"] == 21));
    }
  }
  CHECK(refused);
  CHECK(nodes.office.secondary.rows(kVisits) == office_before);
  const auto adopted = nodes.app.run_with(
      in_hours(22), {"adopt", "--peer", "ga", "--reason", "restored on Monday", "-q"});
  CHECK_MESSAGE(adopted.exit == 0, adopted.err);
  for (std::int64_t hour = 24; hour <= 34; hour += 2) {
    (void)nodes.office.meet("app", in_hours(hour));
    (void)nodes.app.meet("ga", in_hours(hour));
  }
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id <= 2 ORDER BY id") ==
        "new\nlost");
  CHECK(nodes.app.meet("ga", in_hours(36))["code"] == 0);
}

TEST_CASE("relay: a recipient that was restored from a copy puts no old row over a newer one") {
  TwoNodes nodes;
  const std::string no_limits = "[limits]\nmax_updated = \"100%\"\n";
  nodes.app.exchanges("ga", {.sends = TwoNodes::kSends}, no_limits);
  nodes.office.exchanges("app", {.accepts = TwoNodes::kAccepts}, no_limits);
  nodes.meet();
  const CopyOfState copy(nodes.office);
  (void)bundle_with(nodes, "UPDATE visit SET place = 'new' WHERE id = 1");
  CHECK(nodes.office.meet("app")["rows_in"] == 1);
  nodes.meet();
  copy.restore();
  const auto refused = nodes.office.meet("app");
  CHECK(refused["code"] == 22);
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "new");
  REQUIRE(refused["errors"].size() == 1);
  CHECK(refused["errors"][0]["hint"].get<std::string>().find("abgleich --peer app adopt") !=
        std::string::npos);
  const auto adopted = nodes.office.run_with(
      in_hours(2), {"--peer", "app", "adopt", "--reason", "restored on Monday", "-q"});
  CHECK_MESSAGE(adopted.exit == 0, adopted.err);
  nodes.app.primary.run("UPDATE visit SET place = 'newer' WHERE id = 2");
  int refusals = 0;
  for (std::int64_t hour = 4; hour <= 24; hour += 2) {
    (void)nodes.app.meet("ga", in_hours(hour));
    const auto code = nodes.office.meet("app", in_hours(hour))["code"].get<int>();
    if (code == 22) {  // the app has heard more of this node than it knows itself
      ++refusals;
      const auto again = nodes.office.run_with(
          in_hours(hour), {"adopt", "--peer", "app", "--reason", "restored on Monday", "-q"});
      CHECK_MESSAGE(again.exit == 0, again.err);
    }
    CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id = 1") == "new");
  }
  CHECK(refusals <= 1);
  CHECK(nodes.office.secondary.rows("SELECT place FROM visit WHERE id <= 2 ORDER BY id") ==
        "new\nnewer");
}

TEST_CASE("relay: it sees no value, name or key, no file name twice, and sizes of powers of two") {
  TwoNodes nodes;
  std::vector<std::string> names;
  for (int round = 0; round < 4; ++round) {
    nodes.app.primary.run("UPDATE visit SET place = 'place ' || id || '" + std::to_string(round) +
                          "'");
    for (const auto* node : {&nodes.app, &nodes.office}) {
      for (const auto& file :
           written_by(nodes, [&] { (void)node->meet(node == &nodes.app ? "ga" : "app"); })) {
        names.push_back(file.filename().string());
        const auto bytes = read_file(file);
        CHECK_FALSE(tells(bytes));
        // 64 KiB or the next power of two, with age's header, nonce and a tag for each 64 KiB
        const auto chunks = bytes.size() / 65'552;
        const auto plain = bytes.size() - 200 - 16 - 16 * chunks;
        CHECK(plain < 65'536 * chunks + 100);
      }
    }
  }
  // the search is not blind: what the sender has of these rows, unsealed, is caught
  CHECK(tells(read_file(nodes.app.directory / "state" / "peers" / "ga" / "outbox.db")));
  std::ranges::sort(names);
  for (const auto& name : names) {
    CHECK(name.size() == 26);
    CHECK(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") == std::string::npos);
  }
  CHECK(std::ranges::adjacent_find(names) == names.end());
}

}  // namespace abgleich::test
