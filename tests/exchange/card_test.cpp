#include "exchange/card.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"
#include "exchange/known_node.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <sys/stat.h>

namespace abgleich::exchange {
namespace {

std::optional<Error> refusal(std::string_view text) {
  try {
    (void)parse_card(text, "a.card");
    return std::nullopt;
  } catch (const Failure& failure) {
    return failure.error();
  }
}

/// The text with a right signature behind it: whoever has the key may write anything.
std::string signed_text(const Made& made, const std::string& lines) {
  const auto signature = made.key.sign("abgleich.card/1 signature\n", seal::hash_of(lines));
  return lines + "signature " + hex(signature) + "\n";
}

std::string lines_of(const std::string& card) {
  return card.substr(0, card.rfind("signature "));
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("card: the one on the page is made of the node on the page, with its fingerprint") {
  const auto node = Node::parse(known_node_text(), "node.key");
  CHECK(node.signed_card() == known_card_text());
  CHECK(fingerprint_of_card(known_card_text()) == known_fingerprint());
  CHECK(parse_card(known_card_text(), "a.card") == node.card());
}

TEST_CASE("card: it is read as it was written") {
  Made made(7, "a-1");
  made.card.serial = 4294967295;
  const auto card = parse_card(made.text(), "a.card");
  CHECK(card == made.card);
  CHECK(card_text(card, made.key) == made.text());
}

TEST_CASE("card: damage at any byte, a cut anywhere and a byte more are refused") {
  const auto text = known_card_text();
  REQUIRE_FALSE(refusal(text));
  std::set<std::string> fingerprints{fingerprint_of_card(text)};
  std::size_t changed = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    CAPTURE(at);
    for (const unsigned flip : {0x01U, 0x20U, 0x80U}) {
      auto damaged = text;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ flip);
      const auto error = refusal(damaged);
      REQUIRE(error);
      CHECK(error->code == Code::key_or_trust);
      fingerprints.insert(fingerprint_of_card(damaged));
      ++changed;
    }
    CHECK(refusal(text.substr(0, at)));
    CHECK(refusal(text.substr(at)).has_value() == (at > 0));
    CHECK(refusal(with(text, text.substr(0, at), text.substr(0, at) + "x")));
  }
  CHECK(refusal(text + "\n"));
  CHECK(fingerprints.size() == changed + 1);
}

TEST_CASE("card: a signature does not help against a field that is wrong") {
  const Made made(9);
  const auto lines = lines_of(made.text());
  REQUIRE_FALSE(refusal(signed_text(made, lines)));
  const std::string id = id_text(made.card.id);
  for (const auto& wrong : {
           with(lines, "serial 1", "serial 0"),
           with(lines, "serial 1", "serial 01"),
           with(lines, "serial 1", "serial 4294967296"),
           with(lines, "serial 1", "serial -1"),
           with(lines, "serial 1", "serial "),
           with(lines, "name ga-south", "name GA-south"),
           with(lines, "name ga-south", "name ../ga-south"),
           with(lines, "name ga-south", "name -ga"),
           with(lines, "name ga-south", "name \x1b[31m"),
           with(lines, "name ga-south", "name " + std::string(64, 'a')),
           with(lines, id, id.substr(1)),
           with(lines, id, "z" + id.substr(1) + "a"),
           with(lines, "seals age1", "seals AGE1"),
           with(lines, "seals age1", "seals AGE-SECRET-KEY-1"),
           with(lines, "id ", "ID "),
           with(lines, "id ", "id  "),
           with(lines, "name ga-south\n", ""),
           with(lines, "name ga-south\n", "name ga-south\nname ga-south\n"),
           with(lines, "name ga-south\n", "name ga-south\nmore of it\n"),
       }) {
    CAPTURE(wrong);
    const auto error = refusal(signed_text(made, wrong));
    REQUIRE(error);
    CHECK(error->message == "'a.card' is no card of abgleich");
  }
}

TEST_CASE("card: another's key in a card of one's own is refused") {
  const Made mine(1);
  const Made theirs(2);
  const auto text = with(lines_of(mine.text()), hex(mine.card.signs), hex(theirs.card.signs));
  const auto error = refusal(signed_text(mine, text));
  REQUIRE(error);
  CHECK(error->message == "'a.card' is a card whose signature is wrong");
}

TEST_CASE("card: one of another format is told as such") {
  const auto error = refusal(with(known_card_text(), "abgleich-card 1", "abgleich-card 2"));
  REQUIRE(error);
  CHECK(error->message == "'a.card' is a card of a format that this abgleich does not know");
}

TEST_CASE("card: no refusal repeats what stands in it") {
  for (const auto& text : {with(known_card_text(), "ga-north", "ga-nord1"),
                           with(known_card_text(), "abgleich-card 1", "abgleich-card ga-north"),
                           std::string("ga-north 29acbae1 age10xnrrmk7r")}) {
    const auto error = refusal(text);
    REQUIRE(error);
    for (const auto* part : {"ga-nor", "29acbae1", "age10x", "26533"}) {
      CHECK((error->message + error->hint).find(part) == std::string::npos);
    }
  }
}

TEST_CASE("card: a fingerprint may be typed with blanks and hyphens or without") {
  const auto known = known_fingerprint();
  CHECK(known.size() == 47);
  std::string plain = known;
  std::erase(plain, ' ');
  CHECK(fingerprint_typed(known) == known);
  CHECK(fingerprint_typed(plain) == known);
  CHECK(fingerprint_typed("  " + plain.substr(0, 3) + "-" + plain.substr(3) + " ") == known);
  CHECK_FALSE(fingerprint_typed(plain.substr(1)));
  CHECK_FALSE(fingerprint_typed(plain + "0"));
  CHECK_FALSE(fingerprint_typed(""));
  CHECK_FALSE(fingerprint_typed("x" + plain.substr(1)));
  CHECK_FALSE(fingerprint_typed(plain.substr(1) + "٣"));
}

TEST_CASE("card: what is too large for one is refused before it is read whole") {
  const test::TemporaryDirectory directory;
  const auto file = (directory / "large").string();
  std::ofstream(file) << known_card_text() << std::string(std::size_t{1} << 20U, '\n');
  const auto text = read_card_file(file);
  CHECK(text.size() == kMostCard + 1);
  CHECK(refusal(text));
}

TEST_CASE("card: what is no file is refused, and not waited for") {
  const test::TemporaryDirectory directory;
  const auto pipe = (directory / "pipe").string();
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  for (const auto& file :
       {pipe, directory.path().string(), (directory / "none").string(), std::string("/dev/zero")}) {
    CAPTURE(file);
    CHECK_THROWS_AS(read_card_file(file), Failure);
  }
}

}  // namespace
}  // namespace abgleich::exchange
