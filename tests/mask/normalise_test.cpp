#include "mask/normalise.hpp"

#include "core/value.hpp"
#include "mask/phone.hpp"
#include "mask/white_space.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <phonenumbers/phonenumberutil.h>
#include <random>
#include <string>
#include <vector>

namespace abgleich::mask {
namespace {

using contract::Normaliser;

std::string normal(Normaliser how, std::string_view text) {
  std::string out = "left over";
  NormaliseScratch scratch;
  const auto why = normalise(how, text, out, scratch);
  INFO(std::string(why ? text_of(*why) : ""));
  REQUIRE_FALSE(why.has_value());
  return out;
}

Reason refusal(Normaliser how, std::string_view text) {
  std::string out;
  NormaliseScratch scratch;
  return normalise(how, text, out, scratch);
}

TEST_CASE("normalisers are named with their version") {
  CHECK(versioned_name(Normaliser::none) == "none@1");
  CHECK(versioned_name(Normaliser::text) == "text@1");
  CHECK(versioned_name(Normaliser::name) == "name@1");
  CHECK(versioned_name(Normaliser::phone) == "phone@1");
  CHECK(versioned_name(Normaliser::email) == "email@1");
}

TEST_CASE("none changes nothing") {
  CHECK(normal(Normaliser::none, "  Ä b\t") == "  Ä b\t");
  CHECK(normal(Normaliser::none, "").empty());
}

TEST_CASE("text folds case and compatibility forms") {
  CHECK(normal(Normaliser::text, "Bad Münder") == "bad münder");
  CHECK(normal(Normaliser::text, "BAD MU\u0308NDER") == "bad münder");
  CHECK(normal(Normaliser::text, "STRASSE") == normal(Normaliser::text, "Straße"));
  CHECK(normal(Normaliser::text, "ﬁn Ⅳ ①") == "fin iv 1");
  CHECK(normal(Normaliser::text, "ＡＢＣ") == "abc");
  CHECK(normal(Normaliser::text, "ΣΊΣΥΦΟΣ") == normal(Normaliser::text, "σίσυφος"));
  CHECK(normal(Normaliser::text, "Braun\u00adschweig\u200b") == "braunschweig");
}

TEST_CASE("text trims white space and makes inner runs of it one space") {
  CHECK(normal(Normaliser::text, "  a \t\n b  ") == "a b");
  CHECK(normal(Normaliser::text, "\u00a0a\u2003\u3000b\u2029") == "a b");
  CHECK(normal(Normaliser::text, " \t\u00a0 ").empty());
  CHECK(normal(Normaliser::text, "").empty());
}

TEST_CASE("ASCII text takes a short cut to the same result") {
  std::mt19937 random(11);
  for (int i = 0; i < 500; ++i) {
    std::string text;
    for (auto length = random() % 12; text.size() < length;) {
      text += static_cast<char>(random() % 128);
    }
    // the soft hyphen is not ASCII, and vanishes
    CHECK(normal(Normaliser::text, text) == normal(Normaliser::text, text + "\u00ad"));
    CHECK(normal(Normaliser::name, text) == normal(Normaliser::name, "\u00ad" + text));
  }
}

TEST_CASE("name spells German umlauts out and removes other marks") {
  CHECK(normal(Normaliser::name, "Müller-Lüdenscheidt") == "mueller-luedenscheidt");
  CHECK(normal(Normaliser::name, "MUELLER-LÜDENSCHEIDT") == "mueller-luedenscheidt");
  CHECK(normal(Normaliser::name, "Mu\u0308ller") == "mueller");
  CHECK(normal(Normaliser::name, "Groß Öhlmann Ärzte") == "gross oehlmann aerzte");
  CHECK(normal(Normaliser::name, "René François Žižek Çelik İpek") ==
        "rene francois zizek celik ipek");
  CHECK(normal(Normaliser::name, "Zoë Noël") == "zoe noel");
  CHECK(normal(Normaliser::name, "ǖ ü\u0301") == "ue ue");
  CHECK(normal(Normaliser::name, "u\u0308\u0308") == "ue");
  CHECK(normal(Normaliser::name, "Øre Łukasz") == "øre łukasz");  // letters, not marks
}

TEST_CASE("name keeps what is no diacritic in scripts that write vowels as marks") {
  CHECK(normal(Normaliser::name, "कि") != normal(Normaliser::name, "क"));
  CHECK(normal(Normaliser::name, "がぎ") == "がぎ");
  CHECK(normal(Normaliser::name, "김") == "김");
}

TEST_CASE("what was normalised stays as it is when normalised again") {
  std::mt19937 random(13);
  constexpr std::array<std::uint32_t, 12> kBlocks{0x20,  0x80,   0xc0,   0x300,  0x370,  0x400,
                                                  0x600, 0x1e00, 0x1f00, 0x2000, 0x3040, 0xff00};
  int compared = 0;
  for (int i = 0; i < 5000; ++i) {
    std::string text;
    for (auto length = 1 + random() % 6; length > 0; --length) {
      const auto point = kBlocks.at(random() % kBlocks.size()) + random() % 0x60;
      if (point < 0x80) {
        text += static_cast<char>(point);
      } else if (point < 0x800) {
        text += static_cast<char>(0xc0 | point >> 6U);
        text += static_cast<char>(0x80 | (point & 0x3fU));
      } else {
        text += static_cast<char>(0xe0 | point >> 12U);
        text += static_cast<char>(0x80 | (point >> 6U & 0x3fU));
        text += static_cast<char>(0x80 | (point & 0x3fU));
      }
    }
    for (const auto how : {Normaliser::text, Normaliser::name}) {
      if (refusal(how, text)) {
        continue;
      }
      const auto once = normal(how, text);
      CHECK(is_utf8(once));
      CHECK(normal(how, once) == once);
      ++compared;
    }
  }
  CHECK(compared > 2000);
}

TEST_CASE("a character that Unicode does not define is refused: it could fold otherwise tomorrow") {
  CHECK(refusal(Normaliser::text, "a\u0378") == Cause::unassigned);
  CHECK(refusal(Normaliser::name, "\uffff") == Cause::unassigned);
  CHECK_FALSE(refusal(Normaliser::text, "\ue000").has_value());  // private use is defined
}

TEST_CASE("email folds case and trims") {
  CHECK(normal(Normaliser::email, " Erika.Muster@Example.ORG\n") == "erika.muster@example.org");
  CHECK(normal(Normaliser::email, "JÖRG@BÜCHER.example") == "jörg@bücher.example");
  CHECK(normal(Normaliser::email, "a+b@c") == "a+b@c");
}

TEST_CASE("what is no address is refused by email, the empty text too") {
  for (const std::string_view text :
       {"", " ", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c", "a@@b", "a @ b"}) {
    CAPTURE(text);
    CHECK(refusal(Normaliser::email, text) == Cause::not_email);
  }
}

TEST_CASE("phone numbers become E.164") {
  for (const std::string_view text :
       {"0531 123456", "0531/123456", "(0531) 12 34-56", "+49531123456", "+49 (0) 531 123456",
        "+49 (0)531 / 123456", "0049 531 123456", "0049 (0) 531 123456", "+49 0531 123456",
        " 0531\u00a0123456 ", "(+49) 531.123456", "+4 9 5 3 1 1 2 3 4 5 6"}) {
    CAPTURE(text);
    CHECK(normal(Normaliser::phone, text) == "+49531123456");
  }
  CHECK(normal(Normaliser::phone, "+43 (0) 1 2345678") == "+4312345678");
  CHECK(normal(Normaliser::phone, "+39 06 1234567") == "+39061234567");  // Rome keeps its 0
  CHECK(normal(Normaliser::phone, "001 202-555-0100") == "+12025550100");
}

TEST_CASE("a bracketed zero is a trunk prefix behind a country code only") {
  CHECK(normal(Normaliser::phone, "+43 1234 (0) 56") == "+431234056");
  CHECK(normal(Normaliser::phone, "(0)531 123456") == "+49531123456");
}

TEST_CASE("a number without its country is one of the contract's country") {
  const auto in = [](std::string_view country, std::string_view text) -> std::string {
    std::string out;
    NormaliseScratch scratch;
    const auto why = normalise(Normaliser::phone, text, out, scratch, country);
    return why ? "!" + std::string(text_of(*why)) : out;
  };
  CHECK(in("DE", "0664 1234567") == "+496641234567");
  CHECK(in("AT", "0664 1234567") == "+436641234567");
  CHECK(in("AT", "0049 531 123456") == "+49531123456");
  CHECK(in("AT", "664 1234567") == "!not a phone number");  // without its trunk prefix
  CHECK(in("IT", "06 1234567") == "+39061234567");
  CHECK(in("ES", "612 345 678") == "+34612345678");  // which has no trunk prefix
  CHECK(in("US", "(202) 555-0100") == "+12025550100");
  CHECK(in("US", "1 202 555 0100") == "+12025550100");
  CHECK(in("US", "555-0100") == "!not a phone number");  // without its area code
  CHECK(in("US", "011 49 531 123456") == "+49531123456");
  for (const auto* country : {"DE", "AT", "US"}) {
    CHECK(in(country, "+49 531 123456") == "+49531123456");
    CHECK(in(country, "") == "!not a phone number");
  }
  CHECK(is_country("DE"));
  CHECK_FALSE(is_country("XX"));
  CHECK_FALSE(is_country(""));
}

TEST_CASE("the short cut for German numbers says what libphonenumber says") {
  const auto& numbers = *i18n::phonenumbers::PhoneNumberUtil::GetInstance();
  std::mt19937 random(17);
  int accepted = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string digits;
    const auto length = 5 + random() % 9;
    for (std::size_t k = 0; k < length; ++k) {
      digits += static_cast<char>('0' + (k == 0 ? 1 + random() % 9 : random() % 10));
    }
    const std::string text = (i % 3 == 0 ? "0" : i % 3 == 1 ? "+49" : "0049") + digits;
    i18n::phonenumbers::PhoneNumber number;
    REQUIRE(numbers.Parse(text, "DE", &number) ==
            i18n::phonenumbers::PhoneNumberUtil::NO_PARSING_ERROR);
    std::string expected;
    numbers.Format(number, i18n::phonenumbers::PhoneNumberUtil::E164, &expected);
    CAPTURE(text);
    CHECK(numbers.IsPossibleNumber(number));
    CHECK(normal(Normaliser::phone, text) == expected);
    ++accepted;
  }
  CHECK(accepted == 4000);
}

TEST_CASE("numbers have 7 to 15 digits, and as many as their country's have") {
  CHECK(refusal(Normaliser::phone, "+43 1") == Cause::not_phone);
  CHECK(refusal(Normaliser::phone, "+1 202 555 01") == Cause::not_phone);
  CHECK(refusal(Normaliser::phone, "+999 123456789") == Cause::not_phone);
  CHECK(normal(Normaliser::phone, "+4912345") == "+4912345");
  CHECK(refusal(Normaliser::phone, "+491234") == Cause::not_phone);
  CHECK(normal(Normaliser::phone, "+491234567890123") == "+491234567890123");
  CHECK(refusal(Normaliser::phone, "+4912345678901234") == Cause::not_phone);
}

TEST_CASE("phone numbers are read as people copy them: dashes of any kind, unseen marks, links") {
  for (const std::string_view text :
       {"0531\u2013123456", "0531 \u2014 123456", "0531\u2212123\u2011456",
        "\u202a0531123456\u202c", "\u200e+49 531 123456\u200f", "\ufeff0531\u00ad123456",
        "tel:+49531123456", " TEL:0531-123456", "\u200etel:0531 123456"}) {
    CAPTURE(text);
    CHECK(normal(Normaliser::phone, text) == "+49531123456");
  }
}

TEST_CASE("a phone number's normal form is its own normal form, whatever was read") {
  std::uint32_t seed = 1;
  const auto next = [&](std::uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8U) % below;
  };
  constexpr std::string_view kLetters = "0000123456789+-/(). ";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = next(2) == 0 ? "+49" : next(2) == 0 ? "00" : "0";
    for (auto size = 5 + next(12); size > 0; --size) {
      text += kLetters[next(static_cast<std::uint32_t>(kLetters.size()))];
    }
    std::string once;
    std::string twice;
    NormaliseScratch scratch;
    if (normalise(Normaliser::phone, text, once, scratch)) {
      continue;
    }
    CAPTURE(text);
    const auto refused = normalise(Normaliser::phone, once, twice, scratch);
    CHECK_FALSE(refused);
    CHECK(twice == once);
  }
}

TEST_CASE("a link to an address is the address") {
  CHECK(normal(Normaliser::email, "mailto:Erika@Example.org") == "erika@example.org");
  CHECK(normal(Normaliser::email, " MAILTO: erika@example.org?subject=A%20B") ==
        "erika@example.org");
  CHECK(refusal(Normaliser::email, "mailto:") == Cause::not_email);
}

TEST_CASE("what is not plainly a phone number is refused") {
  for (const std::string_view text : {"",
                                      " ",
                                      "-",
                                      "+",
                                      "0",
                                      "00",
                                      "unbekannt",
                                      "531123456",
                                      "49531123456",
                                      "000531123456",
                                      "+0531123456",
                                      "0531 123456 App. 7",
                                      "0531 123456, privat",
                                      "++49531123456",
                                      "0531+123456",
                                      "+49531123456a",
                                      "٠٥٣١١٢٣٤٥٦",
                                      "tel:",
                                      "fax:0531123456",
                                      "0531tel:123456",
                                      "tel:+49-531-123456;ext=7",
                                      "+49 00)3 ( / 123-456"}) {
    CAPTURE(text);
    CHECK(refusal(Normaliser::phone, text) == Cause::not_phone);
  }
}

TEST_CASE("white space is what Unicode calls so") {
  for (const std::string_view space :
       {" ", "\t", "\n", "\v", "\f", "\r", "\u0085", "\u00a0", "\u1680", "\u2000", "\u200a",
        "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"}) {
    CHECK(leading_white_space(space) == space.size());
    CHECK(leading_white_space(std::string(space) + "x") == space.size());
  }
  for (const std::string_view other : {"", "x", "\b", "\x0e", "\u200b", "\u2060", "\u00ad"}) {
    CHECK(leading_white_space(other) == 0);
  }
}

}  // namespace
}  // namespace abgleich::mask
