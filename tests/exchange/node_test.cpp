#include "exchange/node.hpp"

#include "core/error.hpp"
#include "exchange/known_node.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

namespace abgleich::exchange {
namespace {

std::string text_of(const LockedMemory& memory) {
  return {reinterpret_cast<const char*>(memory.bytes().data()), memory.bytes().size()};
}

Error refusal(std::string_view text) {
  try {
    (void)Node::parse(text, "node.key");
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::key_or_trust);
    CHECK_FALSE(failure.error().hint.empty());
    return failure.error();
  }
  FAIL("not refused");
  return {};
}

TEST_CASE("node: its file is read as it was written, as on the page") {
  const auto node = Node::parse(known_node_text(), "node.key");
  CHECK(text_of(node.text()) == known_node_text());
  CHECK(node.card().name == "ga-north");
}

TEST_CASE("node: a new one has a file with mode 0600, and another's nothing in common with it") {
  const test::TemporaryDirectory directory;
  const auto made = Node::generate("a", directory / "node.key");
  const auto other = Node::generate("a", directory / "other.key");
  struct stat status {};
  REQUIRE(::stat((directory / "node.key").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  const auto read = Node::read(directory / "node.key");
  CHECK(read.card() == made.card());
  CHECK(read.signed_card() == made.signed_card());
  CHECK(made.card().serial == 1);
  CHECK(other.card().id != made.card().id);
  CHECK(other.card().seals != made.card().seals);
  CHECK(other.card().signs != made.card().signs);
  CHECK_THROWS_AS(Node::generate("a", directory / "node.key"), Failure);
}

TEST_CASE("node: one that others can read is refused with the chmod to run") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "node.key";
  (void)Node::generate("a", file);
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  try {
    (void)Node::read(file);
    FAIL("not refused");
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::key_or_trust);
    CHECK(failure.error().message ==
          "node key '" + file.string() + "' is open to others (mode 0640)");
    CHECK(failure.error().hint == "run `chmod 600 " + file.string() + "`");
  }
}

TEST_CASE("node: damage at any byte is noticed, and no refusal repeats a byte of a key") {
  const auto text = known_node_text();
  for (std::size_t at = 0; at < text.size(); ++at) {
    CAPTURE(at);
    for (const unsigned flip : {0x01U, 0x20U, 0x80U}) {
      auto damaged = text;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      const auto error = refusal(damaged);
      const auto said = error.message + error.hint;
      CHECK(said.find("GPQ5YS") == std::string::npos);
      CHECK(said.find("2021222") == std::string::npos);
    }
    (void)refusal(text.substr(0, at));
  }
  (void)refusal(text + "\n");
}

TEST_CASE("node: a file of a later version, and one that is none, are told apart") {
  auto later = known_node_text();
  later[14] = '2';
  CHECK(refusal(later).message ==
        "node key 'node.key' has a version that this abgleich does not know");
  CHECK(refusal(later).hint == "use the version of abgleich that wrote it, or a newer one");
  CHECK(refusal("abgleich-keyring 1\n").message == "node key 'node.key' is not the key of a node");
}

TEST_CASE("node: Windows line ends are refused with the command that removes them") {
  const test::TemporaryDirectory directory;
  const auto file = directory / "our node's.key";
  auto text = known_node_text();
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 2)) {
    text.insert(at, 1, '\r');
  }
  try {
    (void)Node::parse(text, file.string());
    FAIL("not refused");
  } catch (const Failure& failure) {
    CHECK(failure.error().message == "node key '" + file.string() + "' has Windows line ends");
    CHECK(failure.error().hint ==
          "run `sed -i 's/\\r$//' '" + directory.path().string() + "/our node'\\''s.key'`");
  }
}

}  // namespace
}  // namespace abgleich::exchange
