#include "mask/pseudonym.hpp"

#include "core/error.hpp"
#include "mask/known_keyring.hpp"
#include "mask/masker.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Format;
using contract::Normaliser;

Value text(std::string bytes) {
  return {Kind::text, std::move(bytes)};
}
Value integer(std::string bytes) {
  return {Kind::integer, std::move(bytes)};
}

struct Recipes {
  std::string_view identity = "person";
  Format format = Format::text;
  Normaliser normaliser = Normaliser::none;
};

std::string made(const Value& value, const Recipes& recipe = {}) {
  return pseudonym(known_keyring(), recipe.identity, recipe.format, recipe.normaliser, value)
      .bytes();
}

TEST_CASE("pseudonyms are those of schemas/pseudonyms.md, for ever") {
  CHECK(made(text("42")) == "p1_g2tu6bwhi4fja6ma7bz26aqn5e");
  CHECK(made(text("")) == "p1_hemuibj4ktt4bdv6uqljedbqcm");
  CHECK(made({Kind::bytes, "42"}) == "p1_bfed7h2gdh2wpw3ljlx2yqdnwq");
  CHECK(made(text("42"), {.format = Format::uuid}) == "ae9aaec9-0927-855b-b280-42bd1fd1714c");
  CHECK(made(text("0531 / 12 34 56"), {.identity = "phone", .normaliser = Normaliser::phone}) ==
        "p1_udqrnlc6wuwr6wuoou4jgjcoqy");
  CHECK(made(text("Müller-Lüdenscheidt"), {.identity = "family", .normaliser = Normaliser::name}) ==
        "p1_jky5ry7k5dt2qk4obmqvi4s6ti");
  CHECK(made(text(" Erika@Example.org"), {.identity = "mail", .normaliser = Normaliser::email}) ==
        "p1_znbcojwg4oyb5wv62r4mp2ri3y");
  CHECK(made(text("Bad  Münder"), {.identity = "town", .normaliser = Normaliser::text}) ==
        "p1_ffoqskp4kkv2dggholy2pgxzsi");
  CHECK(made(integer("0"), {.format = Format::integer}) == "206845115");
  CHECK(made(integer("42"), {.format = Format::integer}) == "84677829");
  CHECK(made(integer("999999999"), {.format = Format::integer}) == "76307762");
  CHECK(made(integer("1000000000"), {.format = Format::integer}) == "323451687067810895");
  CHECK(made(integer("999999999999999999"), {.format = Format::integer}) == "544609884693360322");
}

TEST_CASE("a pseudonym's kind is its format's") {
  const auto keyring = known_keyring();
  const auto kind = [&](Format format, const Value& value) {
    return pseudonym(keyring, "person", format, Normaliser::none, value).kind();
  };
  CHECK(kind(Format::text, integer("42")) == Kind::text);
  CHECK(kind(Format::uuid, integer("42")) == Kind::uuid);
  CHECK(kind(Format::integer, integer("42")) == Kind::integer);
  CHECK(kind(Format::automatic, text("42")) == Kind::text);
  CHECK(kind(Format::automatic, {Kind::uuid, "00000000-0000-4000-8000-000000000000"}) ==
        Kind::uuid);
}

TEST_CASE("NULL has no pseudonym, the empty text and white space have one each") {
  const auto keyring = known_keyring();
  CHECK(pseudonym(keyring, "person", Format::text, Normaliser::none, Value()).is_null());
  CHECK(pseudonym(keyring, "person", Format::integer, Normaliser::phone, Value()).is_null());
  const std::set<std::string> seen{made(text("")), made(text(" ")), made(text("  ")),
                                   made(text("\t")), made({Kind::bytes, ""})};
  CHECK(seen.size() == 5);
}

TEST_CASE("where the normaliser makes nothing of white space, it is the empty text, not NULL") {
  for (const auto normaliser : {Normaliser::text, Normaliser::name}) {
    const Recipes recipe{.normaliser = normaliser};
    CHECK(made(text(" \t "), recipe) == made(text(""), recipe));
    CHECK_FALSE(made(text(""), recipe).empty());
  }
}

TEST_CASE("the same value has the same pseudonym in columns of different types") {
  CHECK(made(integer("42")) == made(text("42")));
  CHECK(made({Kind::decimal, "42"}) == made(text("42")));
  CHECK(made({Kind::uuid, "a0000000-0000-4000-8000-000000000000"}) ==
        made(text("a0000000-0000-4000-8000-000000000000")));
  CHECK(made({Kind::bytes, "42"}) != made(text("42")));
  CHECK(made({Kind::decimal, "42.0"}) != made(text("42")));
}

TEST_CASE("identities, formats, normalisers and keys share no pseudonym") {
  const std::vector<Recipes> recipes{
      {.identity = "person"},
      {.identity = "persons"},
      {.identity = ""},
      {.identity = "person", .normaliser = Normaliser::text},
      {.identity = "person", .normaliser = Normaliser::name},
  };
  std::set<std::string> seen;
  for (const auto& recipe : recipes) {
    seen.insert(made(text("42"), recipe));
  }
  seen.insert(
      pseudonym(other_keyring(), "person", Format::text, Normaliser::none, text("42")).bytes());
  CHECK(seen.size() == recipes.size() + 1);
  // the uuid is no rewriting of the text: it has another key
  CHECK(made(text("42")).substr(3, 4) != "v2nk");  // base32 of ae9a…
  const Recipes integers{.format = Format::integer};
  const Recipes other_integers{.identity = "case", .format = Format::integer};
  CHECK(made(integer("42"), integers) != made(integer("42"), other_integers));
}

TEST_CASE("two keyrings share no pseudonym, in any format") {
  const auto one = known_keyring();
  const auto two = other_keyring();
  for (const auto format : {Format::text, Format::uuid, Format::integer}) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
      seen.insert(
          pseudonym(one, "p", format, Normaliser::none, integer(std::to_string(i))).bytes());
      seen.insert(
          pseudonym(two, "p", format, Normaliser::none, integer(std::to_string(i))).bytes());
    }
    CHECK(seen.size() == 200);
  }
}

TEST_CASE("a text pseudonym names its epoch") {
  const auto keyring = Keyring::parse(counting_key_text(12, 0), "twelve");
  const auto value = pseudonym(keyring, "person", Format::text, Normaliser::none, text("42"));
  CHECK(value.bytes().starts_with("p12_"));
  CHECK(value.bytes().size() == 4 + 26);
}

TEST_CASE("a uuid pseudonym is of version 8 and of the standard's variant") {
  for (int i = 0; i < 200; ++i) {
    const auto uuid = made(integer(std::to_string(i)), {.format = Format::uuid});
    REQUIRE(uuid.size() == 36);
    CHECK(uuid[14] == '8');
    CHECK(std::string_view("89ab").find(uuid[19]) != std::string_view::npos);
    CHECK(uuid[8] == '-');
    CHECK(uuid[23] == '-');
  }
}

TEST_CASE("100,000 values have 100,000 pseudonyms in each format") {
  const auto keyring = known_keyring();
  for (const auto format : {Format::text, Format::uuid, Format::integer}) {
    Pseudonymiser pseudonymiser(keyring, {.identity = "person", .format = format});
    std::unordered_set<std::string> seen;
    Value value;
    Value out;
    for (int i = 0; i < 100'000; ++i) {
      value.set(Kind::integer, std::to_string(i));
      REQUIRE_FALSE(pseudonymiser.make(value, out).has_value());
      seen.insert(out.bytes());
    }
    CHECK(seen.size() == 100'000);
  }
}

TEST_CASE("integers outside the domain have no integer pseudonym") {
  const auto keyring = known_keyring();
  const auto refusal = [&](IntegerDomain domain, const Value& value) {
    Value out;
    return Pseudonymiser(keyring,
                         {.identity = "person", .format = Format::integer, .domain = domain})
        .make(value, out);
  };
  for (const auto domain : {IntegerDomain::digits_9, IntegerDomain::digits_18}) {
    for (const std::string_view digits :
         {"-1", "-42", "1000000000000000000", "9223372036854775807", "-9223372036854775808",
          "18446744073709551616", "100000000000000000000000000"}) {
      CAPTURE(digits);
      CHECK(refusal(domain, integer(std::string(digits))) == Cause::outside_domain);
    }
    for (const std::string_view other : {"", " ", "x", "042", "4.2", "+42", "-", "-0", " 42"}) {
      CAPTURE(other);
      CHECK(refusal(domain, text(std::string(other))) == Cause::not_integer);
    }
    CHECK(refusal(domain, {Kind::bytes, "42"}) == Cause::not_integer);
    CHECK_FALSE(refusal(domain, integer("0")).has_value());
    CHECK_FALSE(refusal(domain, integer("999999999")).has_value());
  }
  CHECK(refusal(IntegerDomain::digits_9, integer("1000000000")) == Cause::outside_domain);
  CHECK(refusal(IntegerDomain::digits_9, integer("2147483647")) == Cause::outside_domain);
  CHECK_FALSE(refusal(IntegerDomain::digits_18, integer("999999999999999999")).has_value());
}

TEST_CASE("integer pseudonyms stay in the domain, lead back, and join across 32 and 64 bits") {
  const auto key = known_keyring().pseudonym_key("a test");
  const IntegerPseudonym narrow(key.bytes(), "person", IntegerDomain::digits_9);
  const IntegerPseudonym wide(key.bytes(), "person", IntegerDomain::digits_18);
  std::mt19937_64 random(23);
  for (int i = 0; i < 2000; ++i) {
    const bool is_short = i % 2 == 0;
    const auto number =
        is_short ? random() % 1'000'000'000
                 : 1'000'000'000 + random() % (1'000'000'000'000'000'000 - 1'000'000'000);
    std::uint64_t pseudonym = 0;
    std::uint64_t back = 0;
    REQUIRE_FALSE(wide.make(std::to_string(number), pseudonym).has_value());
    CHECK((pseudonym < 1'000'000'000) == is_short);
    CHECK(pseudonym < 1'000'000'000'000'000'000);
    REQUIRE_FALSE(wide.find(std::to_string(pseudonym), back).has_value());
    CHECK(back == number);
    if (is_short) {
      std::uint64_t same = 0;
      REQUIRE_FALSE(narrow.make(std::to_string(number), same).has_value());
      CHECK(same == pseudonym);
    }
  }
}

TEST_CASE("a long number that FF1 makes a short one goes on until it is long again") {
  const auto key = known_keyring().pseudonym_key("a test");
  const IntegerPseudonym wide(key.bytes(), "person", IntegerDomain::digits_18);
  // backwards from a short number to the long one that would have become it
  const Ff1 cipher(key.bytes(), {.radix = 10, .length = 18});
  // SHA-256 of "person"
  const std::array<std::uint8_t, 8> tweak{0x38, 0xa8, 0x1e, 0x87, 0xe7, 0x96, 0x31, 0xe6};
  std::array<std::uint8_t, 18> numerals{};
  numerals.back() = 7;
  cipher.decrypt(tweak, numerals);
  std::string number;
  for (const auto numeral : numerals) {
    number += static_cast<char>('0' + numeral);
  }
  REQUIRE(number.front() != '0');
  std::uint64_t pseudonym = 0;
  std::uint64_t back = 0;
  REQUIRE_FALSE(wide.make(number, pseudonym).has_value());
  CHECK(pseudonym >= 1'000'000'000);
  REQUIRE_FALSE(wide.find(std::to_string(pseudonym), back).has_value());
  CHECK(std::to_string(back) == number);
}

TEST_CASE("a value without a pseudonym is the asker's mistake, and is not repeated") {
  const auto error_of = [](const Value& value, const Recipes& recipe) {
    try {
      made(value, recipe);
    } catch (const Failure& failure) {
      return failure.error();
    }
    return Error{};
  };
  const Recipes phone{.identity = "phone", .normaliser = Normaliser::phone};
  const auto error = error_of(text("secret"), phone);
  CHECK(error.code == Code::usage);
  CHECK(error.message == "the value has no pseudonym of identity 'phone': not a phone number");
  CHECK(error_of(text("\xff"), {}).message == "the value is not valid UTF-8");
  CHECK(error_of(text("secret"), {.format = Format::integer}).code == Code::usage);
}

TEST_CASE("normalisers take text and integers only, text anything but bytes") {
  const auto keyring = known_keyring();
  const auto refusal = [&](Normaliser normaliser, const Value& value) {
    Value out;
    return Pseudonymiser(keyring, {.identity = "p", .normaliser = normaliser}).make(value, out);
  };
  for (const auto normaliser : {Normaliser::name, Normaliser::email, Normaliser::phone}) {
    CHECK(refusal(normaliser, {Kind::bytes, "0531123456"}) == Cause::not_text);
    CHECK(refusal(normaliser, {Kind::real, "0.5"}) == Cause::not_text);
    CHECK(refusal(normaliser, {Kind::date, "1980-05-17"}) == Cause::not_text);
  }
  CHECK(refusal(Normaliser::text, {Kind::bytes, "a"}) == Cause::not_text);
  CHECK_FALSE(refusal(Normaliser::text, {Kind::date, "1980-05-17"}).has_value());
  CHECK_FALSE(refusal(Normaliser::none, {Kind::bytes, "\xff"}).has_value());
}

}  // namespace
}  // namespace abgleich::mask
