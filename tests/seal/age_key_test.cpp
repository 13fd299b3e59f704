#include "seal/age_key.hpp"

#include <doctest/doctest.h>

#include <array>

namespace abgleich::seal {
namespace {

std::string text_of(const Identity& identity) {
  std::array<char, Identity::kTextSize> text{};
  identity.write_text(text);
  return {text.data(), text.size()};
}

TEST_CASE("age: a key is read as age-keygen writes it, and its public key is the one it names") {
  // the public key as age-keygen 1.1.1 says
  const std::string secret =
      "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
  const auto identity = Identity::from_text(secret);
  REQUIRE(identity);
  CHECK(text_of(*identity) == secret);
  const auto recipient = recipient_text(identity->recipient());
  CHECK(recipient == "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef");
  CHECK(recipient_from(recipient) == identity->recipient());
}

TEST_CASE("age: two new keys differ, and agree with each other") {
  const auto one = Identity::generate();
  const auto other = Identity::generate();
  CHECK(text_of(one) != text_of(other));
  std::array<std::uint8_t, 32> here{};
  std::array<std::uint8_t, 32> there{};
  CHECK(one.agree(other.recipient(), here));
  CHECK(other.agree(one.recipient(), there));
  CHECK(here == there);
}

TEST_CASE("age: points of low order share no secret") {
  const auto identity = Identity::generate();
  for (const std::uint8_t first : {std::uint8_t{0}, std::uint8_t{1}}) {
    Recipient low{};
    low[0] = first;
    std::array<std::uint8_t, 32> shared{};
    CHECK_FALSE(identity.agree(low, shared));
  }
}

TEST_CASE("age: texts that are nearly a key are none") {
  for (const auto* text :
       {"", "age1", "AGE1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4Q47RYEF",
        "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryel",
        "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"}) {
    CAPTURE(text);
    CHECK_FALSE(recipient_from(text));
  }
  for (const auto* text :
       {"", "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef",
        "age-secret-key-1egtzvffv20835nwyv6270lxyvk2vknx2mmdkwyklmgr48uawx40q2p2lm0"}) {
    CAPTURE(text);
    CHECK_FALSE(Identity::from_text(text));
  }
}

}  // namespace
}  // namespace abgleich::seal
