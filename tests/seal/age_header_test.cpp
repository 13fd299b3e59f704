#include "seal/age_header.hpp"

#include "seal/unopened.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich::seal {
namespace {

const std::string kMac = "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";
const std::string kIntro = "age-encryption.org/v1\n";

bool refused(const std::string& text) {
  try {
    (void)parse_age_header(text);
    return false;
  } catch (const Unopened& unopened) {
    return unopened.why() == Unopened::Why::malformed;
  }
}

TEST_CASE("age: a header is written as it was read, whatever the length of its bodies") {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::vector<Stanza> stanzas{
        {.arguments = {"X25519", "abc"}, .body = std::vector<std::uint8_t>(size, 0xfb)},
        {.arguments = {"~!"}, .body = {}}};
    HeaderMac mac{};
    mac[31] = 7;
    const auto covered = age_header_text(stanzas);
    const auto text = covered + age_header_end(mac);
    const auto header = parse_age_header(text + "what follows");
    CHECK(header.stanzas == stanzas);
    CHECK(header.mac == mac);
    CHECK(header.mac_covers == covered.size());
    CHECK(header.size == text.size());
  }
}

TEST_CASE("age: what is nearly a header is none") {
  CHECK_FALSE(refused(kIntro + "-> X\n\n" + kMac));
  CHECK(refused(""));
  CHECK(refused("age-encryption.org/v2\n-> X\n\n" + kMac));
  CHECK(refused(kIntro + kMac));                // no stanza
  CHECK(refused(kIntro + "-> X\n\n"));          // no end
  CHECK(refused(kIntro + "-> X\n" + kMac));     // no body
  CHECK(refused(kIntro + "-> X \n\n" + kMac));  // an empty argument
  CHECK(refused(kIntro + "->  X\n\n" + kMac));
  CHECK(refused(kIntro + "-> X\r\n\r\n" + kMac));
  CHECK(refused(kIntro + "-> \x80\n\n" + kMac));
  CHECK(refused(kIntro + "-> X\nAB\n" + kMac));    // bits behind the last byte
  CHECK(refused(kIntro + "-> X\nAA==\n" + kMac));  // padding
  CHECK(refused(kIntro + "-> X\nA\n" + kMac));
  CHECK(refused(kIntro + "-> X\nA\x8f\n" + kMac));  // no digit, whatever libsodium says
  CHECK(refused(kIntro + "-> X\n" + std::string(64, 'A') + "\n" + kMac));  // no last line
  CHECK(refused(kIntro + "-> X\n" + std::string(68, 'A') + "\n\n" + kMac));
  CHECK(refused(kIntro + "-> X\n\n---AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"));
}

TEST_CASE("age: a header that is too long is none, however right it is") {
  const auto text = [](std::size_t size) {
    return kIntro + "-> " + std::string(size, 'X') + "\n\n" + kMac;
  };
  const auto most = kMostHeader - text(0).size();
  CHECK_FALSE(refused(text(most)));
  CHECK(refused(text(most + 1)));
}

}  // namespace
}  // namespace abgleich::seal
