// Re-identification: reveal and token, their log and their limit.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <sys/stat.h>

namespace abgleich::test {

namespace {

/// Whether `text` has `word` as a word of its own: pseudonyms and hashes have every digit in them.
bool has_word(const std::string& text, const std::string& word) {
  const auto alone = [&](std::size_t at) {
    return at >= text.size() || std::isalnum(static_cast<unsigned char>(text[at])) == 0;
  };
  for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if ((at == 0 || alone(at - 1)) && alone(at + word.size())) {
      return true;
    }
  }
  return false;
}

const char* const kContract = R"(
[tables.person]
key = ["id"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
tag = "plain"
phone = { class = "pseudonym", identity = "phone", normalise = "phone" }
[tables.contact]
key = ["person_id", "n"]
[tables.contact.columns]
person_id = { class = "pseudonym", identity = "person" }
n = "plain"
[tables.sample]
key = ["number"]
[tables.sample.columns]
number = { class = "pseudonym", identity = "number", format = "integer" }
guid = { class = "pseudonym", identity = "number", format = "uuid" }
[tables.place]
key = ["id"]
[tables.place.columns]
id = "plain"
)";

struct Scene : Pairing {
  explicit Scene(On engine) : Pairing(engine, engine, kContract) {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, tag text, phone text);"
        "CREATE TABLE contact (person_id integer, n integer, PRIMARY KEY (person_id, n));"
        "CREATE TABLE sample (number bigint PRIMARY KEY, guid text);"
        "CREATE TABLE place (id integer PRIMARY KEY);"
        "INSERT INTO person VALUES (4711, 'a', '0531 123456'), (4712, 'b', NULL), (4713, 'c', "
        "'none');"
        "INSERT INTO contact VALUES (4711, 1), (4711, 2), (4712, 1);"
        "INSERT INTO sample VALUES (815, 'x');"
        "INSERT INTO place VALUES (1)");
    CHECK(sync()["exit"] == 11);
  }

  std::string id(const std::string& tag) {
    return secondary.rows("SELECT id FROM person WHERE tag = '" + tag + "'");
  }
  [[nodiscard]] Ran token(const std::string& identity, const std::string& value,
                          std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"token", "--identity", identity});
    return run_program(command(more), directory.path().string(), {}, value);
  }
  [[nodiscard]] Ran reveal(const std::string& table, const std::string& pseudonym) const {
    return run({"reveal", table, pseudonym, "--reason", "outbreak in ward 3"});
  }
  [[nodiscard]] std::string log() const { return read_file(directory / "state" / "reveal.log"); }
};

}  // namespace

TEST_CASE("reveal leads from a pseudonym to the key, and is logged before it answers") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    const auto id = scene.id("a");
    auto ran = scene.reveal("person", id);
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(ran.out == id + " id=4711\n");
    CHECK(ran.err.empty());
    // of part of a key, once
    CHECK(scene.reveal("contact", id).out == id + " person_id=4711\n");
    const auto number = scene.secondary.rows("SELECT number FROM sample");
    CHECK(scene.reveal("sample", number).out == number + " number=815\n");
    ran = scene.run({"reveal", "person", id, scene.id("b"), "--reason", "x", "--json"});
    CHECK(ran.exit == 0);
    CHECK(ran.out.find("{\"table\":\"person\",\"pseudonym\":\"" + id +
                       "\",\"column\":\"id\",\"value\":\"4711\"}") != std::string::npos);

    const auto log = scene.log();
    CHECK(std::ranges::count(log, '\n') == 4);
    CHECK(log.find("\"command\":\"reveal\",\"table\":\"person\",\"pseudonyms\":[\"" + id +
                   "\"],\"reason\":\"outbreak in ward 3\"") != std::string::npos);
    CHECK(!has_word(log, "4711"));
    struct stat status {};
    REQUIRE(::stat((scene.directory / "state" / "reveal.log").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600);
  }
}

TEST_CASE("a pseudonym that reveals nobody is told apart: epoch, identity, format, key") {
  Scene scene(On::sqlite);
  const auto expect = [&](const std::string& table, const std::string& pseudonym,
                          const std::string& message) {
    const auto ran = scene.reveal(table, pseudonym);
    CAPTURE(pseudonym);
    CHECK(ran.exit == 64);
    CHECK(ran.out.empty());
    CHECK_MESSAGE(ran.err.find(message) != std::string::npos, ran.err);
    CHECK(ran.err.find("hint: ") != std::string::npos);
  };
  const auto id = scene.id("a");
  const auto phone = scene.secondary.rows("SELECT phone FROM person WHERE tag = 'a'");
  expect("person", "p3" + id.substr(2), "is of epoch 3, and the key makes pseudonyms of epoch 1");
  expect("person", phone, "is no key of 'person', but of identity 'phone' ('person.phone')");
  expect("person", "p1_aaaaaaaaaaaaaaaaaaaaaaaaaa",
         "belongs to no row of 'person': it was made with another key, or the primary no "
         "longer has the row");
  expect("person", "4711", "is a pseudonym of the integer format, and no key column here has it");
  expect("sample", scene.secondary.rows("SELECT guid FROM sample"),
         "is a pseudonym of the uuid format, and no key column here has it");
  expect("person", "Müller", "'Müller' is no pseudonym");
  expect("person", "p1_", "is no pseudonym");
  expect("person", "p01" + id.substr(2), "is no pseudonym");
  expect("nobody", id, "the contract has no table 'nobody'");
  expect("place", id, "the key of 'place' is no pseudonym, so there is nothing to reveal");
  // those that are found are told of all the same
  const auto ran = scene.run({"reveal", "person", id, phone, "--reason", "x"});
  CHECK(ran.exit == 64);
  CHECK(ran.out == id + " id=4711\n");

  CHECK(scene.run({"reveal", "person", id}).exit == 64);  // without a reason
  CHECK(scene.run({"reveal", "person", "--reason", "x"}).exit == 64);
  CHECK(scene.run({"keys", "rotate", "-q"}).exit == 0);
  expect("person", id, "is of epoch 1, and the key makes pseudonyms of epoch 2");
  std::filesystem::remove(scene.directory / "abgleich.key");
  CHECK(scene.reveal("person", id).exit == 25);
}

TEST_CASE("token gives the pseudonym that the secondary has, from standard input") {
  for (const auto engine : kEngines) {
    CAPTURE(name_of(engine));
    Scene scene(engine);
    // whether the catalogue has been accepted or not
    CHECK(scene.token("person", "4711\n").out == scene.id("a") + "\n");
    CHECK(scene.run({"drift", "accept", "-q"}).exit == 0);
    auto ran = scene.token("person", "4711\n");
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    CHECK(ran.out == scene.id("a") + "\n");
    CHECK(scene.token("person", "4711").out == ran.out);
    CHECK(scene.token("phone", "+49 (0)531 / 12 34 56").out ==
          scene.secondary.rows("SELECT phone FROM person WHERE tag = 'a'") + "\n");
    // an identity of two formats has two pseudonyms
    ran = scene.token("number", "815");
    CHECK(ran.out.find(scene.secondary.rows("SELECT number FROM sample") + " integer none\n") !=
          std::string::npos);
    CHECK(std::ranges::count(ran.out, '\n') == 2);
    ran = scene.token("person", "4711", {"--json", "--reason", "why"});
    CHECK(ran.out == "{\"identity\":\"person\",\"pseudonym\":\"" + scene.id("a") +
                         "\",\"format\":\"text\",\"normalise\":\"none\"}\n");
    const auto log = scene.log();
    CHECK(log.find("\"command\":\"token\",\"identity\":\"person\",\"pseudonyms\":[\"" +
                   scene.id("a") + "\"],\"reason\":\"why\"") != std::string::npos);
    CHECK(!has_word(log, "4711"));
    CHECK(!has_word(log, "815"));
    CHECK(has_word(log, "why"));
  }
}

TEST_CASE("token refuses what has no pseudonym, without repeating it") {
  Scene scene(On::sqlite);
  const auto expect = [&](const std::string& identity, const std::string& value,
                          const std::string& message) {
    const auto ran = scene.token(identity, value);
    CAPTURE(value);
    CHECK(ran.exit == 64);
    CHECK_MESSAGE(ran.err.find(message) != std::string::npos, ran.err);
    if (value.size() > 3) {
      CHECK(ran.err.find(value) == std::string::npos);
    }
  };
  expect("nobody", "4711", "the contract has no identity 'nobody'");
  expect("phone", "secret",
         "the value has no pseudonym of identity 'phone': it is not a phone "
         "number");
  expect("number", "secret", "it is not an integer");
  expect("person", "a\nb\n", "there are several lines on standard input");
  CHECK(scene.run({"token"}).exit == 64);
}

TEST_CASE("more than a hundred pseudonyms an hour are refused, whoever asks and however") {
  Scene scene(On::sqlite);
  std::vector<std::string> words{"reveal", "person"};
  for (int i = 0; i < 98; ++i) {
    words.push_back(scene.id("a"));
  }
  words.insert(words.end(), {"--reason", "x"});
  CHECK(scene.run(words).exit == 0);
  CHECK(scene.token("person", "1").exit == 0);
  CHECK(scene.reveal("person", scene.id("b")).exit == 0);
  for (const auto& ran : {scene.reveal("person", scene.id("b")), scene.token("person", "1")}) {
    CHECK(ran.exit == 30);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("100 were asked for within the last hour, and 1 more are too many: 100 an "
                       "hour may be") != std::string::npos);
  }
  // an hour later
  auto log = scene.log();
  for (auto at = log.find("\"time\":\"20"); at != std::string::npos;
       at = log.find("\"time\":\"20", at + 1)) {
    log.replace(at + 8, 4, "2020");
  }
  write_file(scene.directory / "state" / "reveal.log", log);
  CHECK(scene.reveal("person", scene.id("b")).exit == 0);
}

TEST_CASE("nothing is revealed that cannot be logged") {
  Scene scene(On::sqlite);
  std::filesystem::create_directory(scene.directory / "state" / "reveal.log");
  const auto ran = scene.reveal("person", scene.id("a"));
  CHECK(ran.exit == 78);  // nothing is short: the name is taken
  CHECK(ran.out.empty());
  CHECK(ran.err.find("cannot be opened") != std::string::npos);
}

}  // namespace abgleich::test
