#include "exchange/pinned_cards.hpp"

#include "core/error.hpp"
#include "exchange/known_node.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <sys/stat.h>
#include <thread>

namespace abgleich::exchange {
namespace {

struct Scene {
  test::TemporaryDirectory directory;
  std::filesystem::path cards = directory / "cards";

  [[nodiscard]] Pin pin(const std::string& text, std::optional<std::string> name = {},
                        const std::optional<Card>& own = {}) const {
    return pin_card(cards, {.text = text, .file = "new.card", .name = std::move(name)}, own);
  }

  [[nodiscard]] Error refusal(const std::string& text, std::optional<std::string> name = {},
                              const std::optional<Card>& own = {}) const {
    try {
      (void)pin(text, std::move(name), own);
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::key_or_trust);
      CHECK_FALSE(failure.error().hint.empty());
      return failure.error();
    }
    FAIL("not refused");
    return {};
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& pinned : pinned_cards(cards)) {
      names.push_back(pinned.name);
    }
    return names;
  }
};

using Names = std::vector<std::string>;

TEST_CASE("pinned: none, where nobody has been added") {
  CHECK(Scene().names().empty());
}

TEST_CASE("pinned: a card lies there as it came, under the name that it is given here") {
  const Scene scene;
  const Made one(1, "b");
  const Made other(2, "b");
  CHECK(scene.pin(one.text()).pinning == Pinning::added);
  CHECK(scene.pin(other.text(), "a").card.name == "a");
  CHECK(scene.names() == Names{"a", "b"});
  const auto pinned = pinned_cards(scene.cards);
  CHECK(pinned[0].card == other.card);
  CHECK(pinned[0].fingerprint == fingerprint_of_card(other.text()));
  CHECK(read_card_file(pinned[1].file.string()) == one.text());
  struct stat status {};
  REQUIRE(::stat(scene.cards.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0700);
}

TEST_CASE("pinned: the same card again changes nothing") {
  const Scene scene;
  const Made one(1, "b");
  (void)scene.pin(one.text());
  const auto again = scene.pin(one.text(), "c");
  CHECK(again.pinning == Pinning::was_there);
  CHECK(again.card.name == "b");
  CHECK(scene.names() == Names{"b"});
}

TEST_CASE("pinned: a second node with one name needs another one, and touches nothing") {
  const Scene scene;
  const Made one(1, "b");
  (void)scene.pin(one.text());
  CHECK(scene.refusal(Made(2, "b").text()).message == "another peer is pinned as 'b'");
  CHECK(pinned_cards(scene.cards).front().card == one.card);
  CHECK(scene.pin(Made(2, "b").text(), "b2").card.name == "b2");
}

TEST_CASE("pinned: another card of a pinned peer is refused, whatever it shares and is called") {
  const Scene scene;
  const Made one(1, "b");
  (void)scene.pin(one.text());
  Made same_id(2, "c");
  same_id.card.id = one.card.id;
  same_id.card.serial = 2;
  Made same_seal(3, "d");
  same_seal.card.seals = one.card.seals;
  Made same_sign(1, "e");  // its key signs other things as well
  same_sign.card.id.fill(9);
  for (const auto* other : {&same_id, &same_seal, &same_sign}) {
    const auto error = scene.refusal(other->text());
    CHECK(error.message.find("as the pinned peer 'b', and is another card") != std::string::npos);
    CHECK(error.hint.find("`rm " + (scene.cards / "b.card").string() + "`") != std::string::npos);
  }
  CHECK(scene.names() == Names{"b"});
  // as the hint says
  std::filesystem::remove(scene.cards / "b.card");
  CHECK(scene.pin(same_id.text(), "b").pinning == Pinning::added);
}

TEST_CASE("pinned: this node's own card is nobody else's") {
  const Scene scene;
  const Made own(1, "b");
  CHECK(scene.refusal(own.text(), {}, own.card).message ==
        "'new.card' is this node's own card, or has one of its keys");
  Made thief(2, "c");
  thief.card.seals = own.card.seals;
  (void)scene.refusal(thief.text(), {}, own.card);
  CHECK(scene.names().empty());
}

TEST_CASE("pinned: what others can write, what is damaged and what is misnamed is refused") {
  const Scene scene;
  const Made one(1, "b");
  (void)scene.pin(one.text());
  const auto refused = [&] {
    try {
      (void)scene.names();
      return std::string();
    } catch (const Failure& failure) {
      CHECK(failure.error().code == Code::key_or_trust);
      return failure.error().message;
    }
  };
  const auto file = scene.cards / "b.card";
  REQUIRE(::chmod(file.c_str(), 0664) == 0);
  CHECK(refused().find("may be written by others (mode 0664)") != std::string::npos);
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  REQUIRE(::chmod(scene.cards.c_str(), 0770) == 0);
  CHECK(refused().find("may be written by others (mode 0770)") != std::string::npos);
  REQUIRE(::chmod(scene.cards.c_str(), 0700) == 0);
  CHECK(refused().empty());

  std::ofstream(scene.cards / "c.card") << one.text().substr(1);
  CHECK(refused() == "'" + (scene.cards / "c.card").string() + "' is no card of abgleich");
  std::ofstream(scene.cards / "c.card") << one.text();  // one peer under two names
  CHECK(refused().find("is of the same node as") != std::string::npos);
  std::filesystem::remove(scene.cards / "c.card");

  std::ofstream(scene.cards / "C D.card") << Made(3).text();
  CHECK(refused().find("is not named as a peer can be") != std::string::npos);
  std::filesystem::remove(scene.cards / "C D.card");
  std::ofstream(scene.cards / "README") << "who is who";
  CHECK(scene.names() == Names{"b"});
}

TEST_CASE("pinned: two that are added at once are both there, or one is refused") {
  const Scene scene;
  std::atomic<int> added = 0;
  {
    std::vector<std::jthread> threads;
    for (std::uint8_t number = 1; number <= 8; ++number) {
      threads.emplace_back([&scene, &added, text = Made(number, "b").text()] {
        try {
          (void)pin_card(scene.cards, {.text = text, .file = "new.card", .name = {}}, {});
          ++added;
        } catch (const Failure&) {
          // another one was first
        }
      });
    }
  }
  CHECK(added == 1);
  CHECK(scene.names() == Names{"b"});
}

}  // namespace
}  // namespace abgleich::exchange
