#include "mask/rekey.hpp"

#include "core/base32.hpp"
#include "mask/known_keyring.hpp"
#include "mask/masker.hpp"
#include "mask/uuid.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Format;
using contract::Normaliser;

Keyring two_epochs() {
  return Keyring::parse(counting_key_text(2, 0), "two epochs");
}

std::string made(const Keyring& keyring, Format format, const std::string& value,
                 Normaliser normaliser = Normaliser::none) {
  return pseudonym(keyring, "person", format, normaliser, {Kind::text, value}).bytes();
}

std::string rekeyed(Rekeying& rekeying, const std::string& pseudonym, Kind kind = Kind::text) {
  Value value(kind, pseudonym);
  rekeying.rekey(value);
  CHECK(value.kind() == kind);
  return value.bytes();
}

bool form_matches(Format format, const std::string& text) {
  std::array<std::uint8_t, 16> bytes{};
  return format == Format::uuid ? read_uuid8(text, bytes)
                                : text.starts_with("p2_") && read_base32(text.substr(3), bytes);
}

TEST_CASE("what was learned gets the pseudonym that its value has in the new epoch") {
  const auto now = two_epochs();
  const auto before = now.until(1);
  for (const auto format : {Format::text, Format::uuid}) {
    Rekeying rekeying(before, now, {.identity = "person", .format = format});
    REQUIRE(rekeying.learns());
    for (int i = 0; i < 300'000; ++i) {
      rekeying.learn({Kind::integer, std::to_string(i % 1000)}, text_type());
    }
    rekeying.learn(RawValue(), text_type());
    rekeying.learn({Kind::text, "\xff"}, text_type());
    rekeying.finish();
    for (int i = 0; i < 1000; ++i) {
      const auto value = std::to_string(i);
      CHECK(rekeyed(rekeying, made(before, format, value)) == made(now, format, value));
    }
    CHECK(rekeying.orphans() == 0);
  }
}

TEST_CASE("padded and normalised values are learned as they are masked") {
  const auto now = two_epochs();
  const auto before = now.until(1);
  auto padded = text_type();
  padded.padded = true;
  Rekeying rekeying(before, now, {.identity = "person"});
  rekeying.learn({Kind::text, "42   "}, padded);
  rekeying.finish();
  CHECK(rekeyed(rekeying, made(before, Format::text, "42")) == made(now, Format::text, "42"));

  Rekeying phones(before, now, {.identity = "person", .normaliser = Normaliser::phone});
  phones.learn({Kind::text, "0531 123456"}, text_type());
  phones.learn({Kind::text, "none"}, text_type());
  phones.finish();
  CHECK(rekeyed(phones, made(before, Format::text, "+49531123456", Normaliser::phone)) ==
        made(now, Format::text, "+49531123456", Normaliser::phone));
}

TEST_CASE("an orphan's pseudonym is that of schemas/pseudonyms.md") {
  const auto now = two_epochs();
  Rekeying rekeying(now.until(1), now, {.identity = "person"});
  rekeying.finish();
  CHECK(rekeyed(rekeying, "p1_g2tu6bwhi4fja6ma7bz26aqn5e") == "p2_ui6buw2ntx7u4nzjxsv3itvktu");
  CHECK(rekeying.orphans() == 1);
}

TEST_CASE("orphans stay apart from each other and from everybody who is known") {
  const auto now = two_epochs();
  const auto before = now.until(1);
  for (const auto format : {Format::text, Format::uuid}) {
    Rekeying rekeying(before, now, {.identity = "person", .format = format});
    for (int i = 0; i < 500; ++i) {
      rekeying.learn({Kind::integer, std::to_string(i)}, text_type());
    }
    rekeying.finish();
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
      const auto fresh = rekeyed(rekeying, made(before, format, std::to_string(i)));
      seen.insert(fresh);
      CHECK(form_matches(format, fresh));
    }
    CHECK(seen.size() == 1000);
    CHECK(rekeying.orphans() == 500);
  }
}

TEST_CASE("integers lead back, without learning, and stay a permutation") {
  const auto now = two_epochs();
  const auto before = now.until(1);
  Rekeying rekeying(before, now, {.identity = "person", .format = Format::integer});
  CHECK_FALSE(rekeying.learns());
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    const auto number = std::to_string(i % 2 == 0 ? random() % 1'000'000'000
                                                  : random() % 1'000'000'000'000'000'000);
    CHECK(rekeyed(rekeying, made(before, Format::integer, number), Kind::integer) ==
          made(now, Format::integer, number));
  }
  for (const auto* other : {"-1", "1000000000000000000", "x", "", "042"}) {
    CHECK(rekeyed(rekeying, other) == other);
  }
}

TEST_CASE("what is no pseudonym of the old epoch stays what it is") {
  const auto now = two_epochs();
  const auto before = now.until(1);
  Rekeying texts(before, now, {.identity = "person"});
  texts.finish();
  const auto pseudonym = made(before, Format::text, "42");
  for (const auto& other :
       {std::string(), std::string(" "), std::string("X-17"), "p2" + pseudonym.substr(2),
        pseudonym + "a", pseudonym.substr(0, 28), "P1" + pseudonym.substr(2), pseudonym + " "}) {
    CAPTURE(other);
    CHECK(rekeyed(texts, other) == other);
  }
  Value null;
  texts.rekey(null);
  CHECK(null.is_null());
  Rekeying uuids(before, now, {.identity = "person", .format = Format::uuid});
  uuids.finish();
  for (const auto* other :
       {"00000000-0000-4000-8000-000000000000", "AE9AAEC9-0927-855B-B280-42BD1FD1714C", "x"}) {
    CHECK(rekeyed(uuids, other) == other);
  }
  CHECK(uuids.orphans() == 0);
}

TEST_CASE("base32 and UUIDs of version 8 are read back, and nothing else is") {
  std::mt19937 random(3);
  for (int i = 0; i < 500; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    for (auto& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
    std::string text;
    append_base32(bytes, text);
    std::array<std::uint8_t, 16> back{};
    CHECK(read_base32(text, back));
    CHECK(back == bytes);
    text.clear();
    append_uuid8(bytes, text);
    CHECK(read_uuid8(text, back));
    stamp_uuid8(bytes);
    CHECK(back == bytes);
  }
  std::array<std::uint8_t, 16> bytes{};
  for (const std::string_view bad :
       {"", "a", "aaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaab", "Aaaaaaaaaaaaaaaaaaaaaaaaaa", "1aaaaaaaaaaaaaaaaaaaaaaaaa"}) {
    CHECK_FALSE(read_base32(bad, bytes));
  }
  for (const std::string_view bad :
       {"", "ae9aaec9-0927-455b-b280-42bd1fd1714c", "ae9aaec9-0927-855b-c280-42bd1fd1714c",
        "ae9aaec90-927-855b-b280-42bd1fd1714c", "ge9aaec9-0927-855b-b280-42bd1fd1714c"}) {
    CHECK_FALSE(read_uuid8(bad, bytes));
  }
}

}  // namespace
}  // namespace abgleich::mask
