#include "mask/key_text.hpp"

#include "core/error.hpp"
#include "mask/known_keyring.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>

namespace abgleich::mask {
namespace {

constexpr std::string_view kName = "abgleich.key";

/// The refusal's error; fails the test where the text is taken.
Error refusal(std::string_view text) {
  try {
    parse_key_text(text, std::string(kName));
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::key_or_trust);
    CHECK_FALSE(failure.error().hint.empty());
    return failure.error();
  }
  FAIL("the text was taken for a key file");
  return {};
}

/// Text with a true checksum behind it.
std::string sealed(const std::string& lines) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(lines.data()), lines.size());
  char hex[2 * 16 + 1];
  sodium_bin2hex(hex, sizeof hex, hash, 16);
  return lines + "checksum " + hex + "\n";
}

std::string epoch_line(const std::string& number) {
  return "epoch " + number + " " + std::string(64, 'a') + " " + std::string(64, 'b') + " " +
         std::string(64, 'c') + "\n";
}

constexpr auto kHeader = "abgleich-keyring 1\n";

TEST_CASE("a key file holds the roots in order: pseudonyms, digests, date shifts") {
  const auto roots = parse_key_text(kKnownKeyText, "known");
  REQUIRE(roots.bytes().size() == kEpochSize);
  for (std::size_t i = 0; i < kEpochSize; ++i) {
    CHECK(roots.bytes()[i] == i);
  }
}

TEST_CASE("the text of roots parses to the same roots, for any number of epochs") {
  CHECK(counting_key_text(1, 0) == kKnownKeyText);
  for (const std::size_t epochs : {1U, 2U, 9U, 10U, 11U, 100U}) {
    const auto text = counting_key_text(epochs, 3);
    const auto roots = parse_key_text(text, "many");
    REQUIRE(roots.bytes().size() == epochs * kEpochSize);
    const auto again = key_text(roots.bytes());
    CHECK(std::ranges::equal(again.bytes(), text, {}, {},
                             [](char c) { return static_cast<std::uint8_t>(c); }));
  }
}

TEST_CASE("sealed text is what a key file looks like") {
  CHECK_NOTHROW(parse_key_text(sealed(kHeader + epoch_line("1")), "sealed"));
  CHECK_NOTHROW(parse_key_text(sealed(kHeader + epoch_line("1") + epoch_line("2")), "sealed"));
}

TEST_CASE("an empty file is refused") {
  CHECK(refusal("").message == "key file 'abgleich.key' is empty");
}

TEST_CASE("another file, or another version of the format, is told apart from damage") {
  CHECK(refusal("-----BEGIN PRIVATE KEY-----\n").message ==
        "key file 'abgleich.key' is not a key file of abgleich");
  CHECK(refusal("abgleich-keyring 2\nwhatever\n").message ==
        "key file 'abgleich.key' has a version that this abgleich does not know");
  CHECK(refusal("\n" + kKnownKeyText).message ==
        "key file 'abgleich.key' is not a key file of abgleich");
  CHECK(refusal("\xef\xbb\xbf" + kKnownKeyText).message ==
        "key file 'abgleich.key' is not a key file of abgleich");
}

TEST_CASE("every truncation is refused") {
  for (std::size_t size = 0; size < kKnownKeyText.size(); ++size) {
    CAPTURE(size);
    refusal(std::string_view(kKnownKeyText).substr(0, size));
  }
  CHECK(refusal(kKnownKeyText.substr(0, 100)).message == "key file 'abgleich.key' is cut off");
  CHECK(refusal(kHeader + epoch_line("1")).message ==
        "key file 'abgleich.key' is cut off, or something follows its checksum");
}

TEST_CASE("whatever follows the checksum is refused") {
  for (const std::string_view rest : {"\n", " ", "x", "x\n", "\n\n", "epoch 2\n"}) {
    CAPTURE(rest);
    refusal(kKnownKeyText + std::string(rest));
  }
  refusal(kKnownKeyText + std::string(1, '\0'));
  refusal(kKnownKeyText + kKnownKeyText);
}

TEST_CASE("a wrong checksum is refused, and the hint warns of a new key") {
  auto text = kKnownKeyText;
  text[text.find("0001")] = '1';
  const auto error = refusal(text);
  CHECK(error.message == "key file 'abgleich.key' is damaged: its checksum is wrong");
  CHECK(error.hint ==
        "restore the file from your backup; a new key would give everybody a new pseudonym");
}

TEST_CASE("Windows line ends are refused with the command that removes them") {
  std::string text;
  for (const char c : kKnownKeyText) {
    text += c == '\n' ? "\r\n" : std::string(1, c);
  }
  const auto error = refusal(text);
  CHECK(error.message == "key file 'abgleich.key' has Windows line ends");
  CHECK(error.hint == "run `sed -i 's/\\r$//' abgleich.key`");
}

TEST_CASE("epochs that are missing, twice, out of order or not from 1 are refused") {
  CHECK(refusal(sealed(kHeader)).message == "key file 'abgleich.key' has no epoch");
  CHECK(refusal(sealed(kHeader + epoch_line("1") + epoch_line("1"))).message ==
        "key file 'abgleich.key' is wrong in line 3: it should be epoch 2");
  CHECK(refusal(sealed(kHeader + epoch_line("1") + epoch_line("3"))).message ==
        "key file 'abgleich.key' is wrong in line 3: it should be epoch 2");
  refusal(sealed(kHeader + epoch_line("2") + epoch_line("1")));
  refusal(sealed(kHeader + epoch_line("2")));
  refusal(sealed(kHeader + epoch_line("0")));
  refusal(sealed(kHeader + epoch_line("01")));
  refusal(sealed(kHeader + epoch_line("-1")));
  refusal(sealed(kHeader + epoch_line("")));
}

TEST_CASE("an epoch's line has three keys of 64 lower-case digits and nothing else") {
  const auto good = epoch_line("1");
  const auto line = good.substr(0, good.size() - 1);
  const std::string expected =
      "key file 'abgleich.key' is wrong in line 2: an epoch has 3 keys of 64 hexadecimal digits";
  auto upper = line;
  upper[20] = 'A';
  CHECK(refusal(sealed(kHeader + upper + "\n")).message == expected);
  auto other = line;
  other[20] = 'g';
  CHECK(refusal(sealed(kHeader + other + "\n")).message == expected);
  auto colon = line;
  colon[20] = ':';
  CHECK(refusal(sealed(kHeader + colon + "\n")).message == expected);
  CHECK(refusal(sealed(kHeader + line.substr(0, line.size() - 1) + "\n")).message == expected);
  CHECK(refusal(sealed(kHeader + line.substr(0, line.size() - 65) + "\n")).message == expected);
  CHECK(refusal(sealed(kHeader + line + "0\n")).message ==
        "key file 'abgleich.key' is wrong in line 2: something follows the keys");
  refusal(sealed(kHeader + line + " \n"));
  refusal(sealed(kHeader + std::string(" ") + line + "\n"));
  refusal(sealed(kHeader + std::string("\n") + good));
  refusal(sealed(kHeader + std::string("# a remark\n") + good));
  refusal(sealed(kHeader + line + std::string(1, '\0') + "\n"));
  auto two_spaces = line;
  two_spaces.insert(7, " ");
  refusal(sealed(kHeader + two_spaces + "\n"));
}

TEST_CASE("every file that differs in one byte is refused") {
  std::mt19937 random(17);
  for (std::size_t at = 0; at < kKnownKeyText.size(); ++at) {
    auto text = kKnownKeyText;
    do {
      text[at] = static_cast<char>(random() % 256);
    } while (text[at] == kKnownKeyText[at]);
    CAPTURE(at);
    refusal(text);
  }
}

TEST_CASE("random mutations of a key file are refused, never half taken") {
  std::mt19937 random(19);
  const auto original = counting_key_text(3, 5);
  for (int i = 0; i < 3000; ++i) {
    auto text = original;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text.erase(at, 1 + random() % 70);
          break;
        case 1:
          text.insert(at, text.substr(random() % text.size(), random() % 300));
          break;
        case 2:
          text.insert(at, 1, static_cast<char>(random() % 256));
          break;
        case 3:
          text[at] = "0123456789abcdef \n"[random() % 18];
          break;
        default:
          std::swap(text[at], text[random() % text.size()]);
      }
      if (text.empty()) {
        break;
      }
    }
    if (text != original) {
      refusal(text);
    }
  }
}

TEST_CASE("no message or hint holds a digit of a key") {
  auto text = kKnownKeyText;
  text.insert(text.find(" 2021"), "zz");
  const auto error = refusal(text);
  CHECK((error.message + error.hint).find("0001") == std::string::npos);
}

}  // namespace
}  // namespace abgleich::mask
