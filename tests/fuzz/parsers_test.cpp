// Whatever the bytes, a parser of ours understands them or refuses them, and keeps its promises.
#include "fuzz/parser.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

using namespace abgleich::fuzz;

namespace {

using namespace std::string_view_literals;

constexpr std::array kTokens{"\""sv,
                             "'"sv,
                             "\"\"\""sv,
                             "\\"sv,
                             "\\u0000"sv,
                             "\\U0010FFFF"sv,
                             "\\ud800"sv,
                             "\\N"sv,
                             "\\x"sv,
                             "["sv,
                             "]"sv,
                             "[["sv,
                             "{"sv,
                             "}"sv,
                             "("sv,
                             ")"sv,
                             "."sv,
                             ","sv,
                             "="sv,
                             "#"sv,
                             ":"sv,
                             "%"sv,
                             "\n"sv,
                             "\r\n"sv,
                             "\t"sv,
                             " "sv,
                             "\0"sv,
                             "0x"sv,
                             "1e999"sv,
                             "1e-999"sv,
                             "nan"sv,
                             "-inf"sv,
                             "true"sv,
                             "null"sv,
                             "1979-05-27"sv,
                             "0000-00-00"sv,
                             "99999999999999999999"sv,
                             "-9223372036854775808"sv,
                             "0.1"sv,
                             "_"sv,
                             "-"sv,
                             "+"sv,
                             " BC"sv,
                             "+14:59:59"sv,
                             "24:00:00"sv,
                             "\xEF\xBB\xBF"sv,
                             "\xC3"sv,
                             "\xFF"sv,
                             "ä"sv,
                             "😀"sv,
                             "\xED\xA0\x80"sv,
                             "\xCC\x81"sv,
                             "withhold"sv,
                             "class = "sv,
                             "key = []"sv,
                             "tables."sv,
                             "columns"sv,
                             "password=s3cr3t"sv,
                             ":s3cr3t@"sv,
                             "abgleich_"sv,
                             "epoch"sv};

/// A text with one to four small accidents.
std::string mutated(const std::vector<std::string>& seeds, std::mt19937& random) {
  const auto below = [&random](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  std::string text = seeds[below(seeds.size())];
  const std::size_t accidents = 1 + below(4);
  for (std::size_t i = 0; i < accidents; ++i) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = below(std::min<std::size_t>(24, text.size() - at) + 1);
    const auto& other = seeds[below(seeds.size())];
    switch (random() % 8) {
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
      case 6:
        text.insert(at, 1 + below(400), text.empty() ? '[' : text[below(text.size())]);
        break;
      default:
        text.replace(at, length, other.substr(below(other.size()), length));
        break;
    }
  }
  return text;
}

/// What went wrong, or nothing.
std::string broken(const Parser& parser, std::string_view bytes, Outcome& outcome) {
  try {
    outcome = parser.take(bytes);
    return {};
  } catch (const std::exception& error) {
    return std::string(typeid(error).name()) + ": " + error.what();
  }
}

std::string shown(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte >= 0x20 && byte < 0x7f && c != '\\'
                ? std::string(1, c)
                : std::string("\\x") + kHex[byte >> 4U] + kHex[byte & 15U];
  }
  return text;
}

}  // namespace

TEST_CASE("every text that is mutated is understood as it is, and so is no text a crash") {
  for (const auto& parser : all_parsers()) {
    CAPTURE(parser.name);
    for (const auto& seed : parser.seeds) {
      CAPTURE(shown(seed));
      auto outcome = Outcome::refused;
      CHECK(broken(parser, seed, outcome) == "");
      CHECK(outcome == Outcome::understood);
      for (std::size_t i = 0; i < seed.size(); ++i) {
        if (const auto what = broken(parser, std::string_view(seed).substr(0, i), outcome);
            !what.empty()) {
          FAIL_CHECK(what << " of the first " << i << " bytes");
        }
      }
    }
  }
}

TEST_CASE("a mutated text is understood or refused, by every parser of outside bytes") {
  constexpr int kRounds = 4000;
  for (const auto& parser : all_parsers()) {
    CAPTURE(parser.name);
    std::mt19937 random(1);
    int understood = 0;
    int failures = 0;
    for (int i = 0; i < kRounds && failures < 3; ++i) {
      const auto text = mutated(parser.seeds, random);
      auto outcome = Outcome::refused;
      if (const auto what = broken(parser, text, outcome); !what.empty()) {
        ++failures;
        FAIL_CHECK(what << "\n" << shown(text));
      }
      understood += outcome == Outcome::understood ? 1 : 0;
    }
    // so that neither way goes untested
    CHECK(understood > kRounds / 400);
  }
}
