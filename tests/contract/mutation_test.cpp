// Whatever the bytes, a parser of ours understands them or refuses them with a place.

#include "contract/config.hpp"
#include "contract/contract.hpp"
#include "core/error.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace abgleich;
using namespace abgleich::contract;

namespace {

constexpr std::string_view kGoodContract = R"(format = 1

[tables.person]
key       = ["id"]
target    = "persons"
on_delete = "erase"
together  = [["status", "status_date"]]
max_deleted = 3
max_updated = "12.5%"
was = "people"

[tables.person.columns]
id         = { class = "pseudonym", identity = "person", format = "uuid" }
phone      = { class = "pseudonym", identity = "phone", normalise = "phone" }
birth_date = { class = "generalise", to = "year" }
age        = { class = "generalise", to = "age-band:10", reference = "2024-02-29" }
plz        = { class = "generalise", to = "prefix:2", as = "region" }
sex        = { class = "plain", codes = ["F", "M"], was = "gender" }
note       = { class = "plain", owner = "secondary" }
status     = "plain"
status_date = "plain"
"first name" = "withhold"

[tables."Zürich.fälle"]
key = ["a", "b"]
columns = { a = "plain", b.class = "plain", c.class = "withhold" }
)";

constexpr std::string_view kGoodConfig = R"(contract = "contract.toml"
catalog  = "catalog.json"

[primary]
url = "postgresql://reader@db1/kpm?sslmode=verify-full"
password_file = "pass"
schema = "public"

[secondary]
url = "sqlite:second.db"
manage_schema = true

[keys]
file = "abgleich.key"

[state]
directory = "state"

[limits]
max_deleted = "5%"
max_updated = 50
)";

constexpr std::array<std::string_view, 46> kTokens{"\"",
                                                   "'",
                                                   "\"\"\"",
                                                   "'''",
                                                   "\\",
                                                   "\\u0000",
                                                   "\\U0010FFFF",
                                                   "\\ud800",
                                                   "[",
                                                   "]",
                                                   "[[",
                                                   "]]",
                                                   "{",
                                                   "}",
                                                   ".",
                                                   ",",
                                                   "=",
                                                   "#",
                                                   "\n",
                                                   "\r",
                                                   "\r\n",
                                                   "\t",
                                                   "0x",
                                                   "1e999",
                                                   "nan",
                                                   "-inf",
                                                   "true",
                                                   "1979-05-27",
                                                   "99999999999999999999",
                                                   "0.1",
                                                   "_",
                                                   "-",
                                                   "\xEF\xBB\xBF",
                                                   "\xC3",
                                                   "\xFF",
                                                   "ä",
                                                   "😀",
                                                   "withhold",
                                                   "class = ",
                                                   "key = []",
                                                   "tables.",
                                                   "columns",
                                                   "password=x",
                                                   "%",
                                                   ":",
                                                   "abgleich_"};

/// A text with one to four small accidents.
std::string mutated(std::string_view good, std::mt19937& random) {
  std::string text(good);
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::size_t accidents = 1 + below(4);
  for (std::size_t i = 0; i < accidents; ++i) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = below(std::min<std::size_t>(24, text.size() - at) + 1);
    switch (random() % 7) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kTokens.at(below(kTokens.size())));
        break;
      case 2:
        text.insert(below(text.size() + 1), text.substr(at, length));
        break;
      case 3:
        if (at < text.size()) {
          text[at] = static_cast<char>(random() % 256);
        }
        break;
      case 4:
        text.replace(at, length, kTokens.at(below(kTokens.size())));
        break;
      case 5:
        text.resize(at);
        break;
      default:
        text.replace(at, length, good.substr(below(good.size()), length));
        break;
    }
  }
  return text;
}

enum class Outcome : std::uint8_t { understood, refused };

/// Anything but a Failure{configuration} with place and hint fails the test.
template <class Parse>
Outcome outcome_of(const Parse& parse, std::string_view place) {
  try {
    parse();
    return Outcome::understood;
  } catch (const Failure& failure) {
    const Error& error = failure.error();
    REQUIRE(error.code == Code::configuration);
    REQUIRE(error.message.starts_with(place));
    REQUIRE(error.message.find_first_of("123456789") == place.size());
    REQUIRE(error.message.find('\n') == std::string::npos);
    REQUIRE_FALSE(error.hint.empty());
    REQUIRE(error.hint.find('\n') == std::string::npos);
    return Outcome::refused;
  }
}

}  // namespace

TEST_CASE("the texts that are mutated are good ones") {
  CHECK(parse_contract(kGoodContract, "c").tables.size() == 2);
  CHECK(parse_config(kGoodConfig, "c").primary.schema == "public");
}

TEST_CASE("a mutated contract is understood or refused with its place") {
  std::mt19937 random(1);
  int understood = 0;
  constexpr int kRounds = 6000;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = mutated(kGoodContract, random);
    CAPTURE(i);
    CAPTURE(text);
    const Outcome outcome = outcome_of(
        [&] { static_cast<void>(parse_contract(text, "contract.toml")); }, "contract.toml:");
    understood += outcome == Outcome::understood ? 1 : 0;
  }
  // Both happen, so that neither branch goes untested.
  CHECK(understood > kRounds / 100);
  CHECK(understood < kRounds / 2);
}

TEST_CASE("a mutated configuration is understood or refused with its place") {
  std::mt19937 random(2);
  int understood = 0;
  constexpr int kRounds = 6000;
  for (int i = 0; i < kRounds; ++i) {
    const std::string text = mutated(kGoodConfig, random);
    CAPTURE(i);
    CAPTURE(text);
    const Outcome outcome = outcome_of(
        [&] { static_cast<void>(parse_config(text, "abgleich.toml")); }, "abgleich.toml:");
    understood += outcome == Outcome::understood ? 1 : 0;
  }
  CHECK(understood > kRounds / 100);
  CHECK(understood < kRounds / 2);
}

TEST_CASE("the prefixes of a good file are understood or refused with their place") {
  for (std::size_t i = 0; i <= kGoodContract.size(); ++i) {
    CAPTURE(i);
    outcome_of([&] { static_cast<void>(parse_contract(kGoodContract.substr(0, i), "c")); }, "c:");
  }
  for (std::size_t i = 0; i <= kGoodConfig.size(); ++i) {
    CAPTURE(i);
    outcome_of([&] { static_cast<void>(parse_config(kGoodConfig.substr(0, i), "c")); }, "c:");
  }
}
