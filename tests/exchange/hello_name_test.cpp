#include "exchange/hello_name.hpp"

#include "core/hex.hpp"
#include "exchange/mailbox.hpp"
#include "seal/bech32.hpp"

#include <doctest/doctest.h>

#include <array>
#include <numeric>
#include <set>
#include <utility>

namespace abgleich::exchange {
namespace {

constexpr std::int64_t kDay = 20'782;

/// The key with these 32 bytes.
seal::Identity identity_of(std::string_view digits) {
  std::array<std::uint8_t, 32> secret{};
  REQUIRE(read_hex(digits, secret));
  constexpr std::string_view kPrefix = "age-secret-key-";
  std::string text(seal::bech32_size(kPrefix, secret.size()), '\0');
  seal::write_bech32(kPrefix, secret, seal::Letters::capital, text);
  auto identity = seal::Identity::from_text(text);
  REQUIRE(identity);
  return std::move(*identity);
}

PeerId id_from(std::uint8_t first) {
  PeerId id{};
  std::iota(id.begin(), id.end(), first);
  return id;
}

/// The keys of RFC 7748, section 6.1, for two nodes.
struct Nodes {
  seal::Identity alice =
      identity_of("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  seal::Identity bob =
      identity_of("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  PeerId alices = id_from(0x00);
  PeerId bobs = id_from(0x10);

  /// The name that Alice, and that Bob finds for a hello from Alice to Bob.
  [[nodiscard]] std::optional<std::string> by_alice(std::int64_t day) const {
    return hello_name(alice, bob.recipient(), alices, bobs, day);
  }
  [[nodiscard]] std::optional<std::string> by_bob(std::int64_t day) const {
    return hello_name(bob, alice.recipient(), alices, bobs, day);
  }
};

TEST_CASE("hello: its name is what other tools compute") {
  // Python: HKDF-SHA-256 by hmac and hashlib, with the shared secret that the RFC prints (4a5d…)
  const Nodes nodes;
  CHECK(nodes.by_alice(kDay) == "edocpbxo4eigcg4qoke37vusxm");
  CHECK(nodes.by_alice(kDay + 1) == "pfipylqnctqhxd6hiqdmllj5g4");
  CHECK(nodes.by_alice(0) == "2i7kpfxyg5n45lzp4xlacsagcy");
  CHECK(hello_name(nodes.alice, nodes.bob.recipient(), nodes.bobs, nodes.alices, kDay) ==
        "mqtoz2mnodbaybdw7yx52pfhrm");
}

TEST_CASE("hello: both nodes find the same name") {
  const Nodes nodes;
  for (const std::int64_t day : {kDay, kDay + 1, std::int64_t{-1}}) {
    const auto name = nodes.by_alice(day);
    REQUIRE(name);
    CHECK(name == nodes.by_bob(day));
    BoxName box;
    CHECK(read_box(*name, box));
  }
}

TEST_CASE("hello: every day, direction, pair of ids and pair of keys has a name of its own") {
  const Nodes nodes;
  const auto carol = seal::Identity::generate();
  std::set<std::optional<std::string>> names;
  for (std::int64_t day = kDay; day < kDay + 10; ++day) {
    names.insert(nodes.by_alice(day));
    names.insert(hello_name(nodes.alice, nodes.bob.recipient(), nodes.bobs, nodes.alices, day));
    names.insert(hello_name(nodes.alice, nodes.bob.recipient(), nodes.alices, id_from(0x20), day));
    names.insert(hello_name(nodes.alice, carol.recipient(), nodes.alices, nodes.bobs, day));
  }
  CHECK(names.size() == 40);
}

TEST_CASE("hello: with a key of low order there is none") {
  const Nodes nodes;
  CHECK_FALSE(hello_name(nodes.alice, seal::Recipient{}, nodes.alices, nodes.bobs, kDay));
  CHECK_FALSE(hello_name(nodes.alice, seal::Recipient{1}, nodes.alices, nodes.bobs, kDay));
}

}  // namespace
}  // namespace abgleich::exchange
