// The node on the page of cards (schemas/cards.md, section 6), and others: for tests.
#pragma once

#include "exchange/node.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace abgleich::exchange {

/// What stands indented on the page, paragraph by paragraph, without the indentation.
inline std::vector<std::string> paragraphs_of_page(const std::string& name = "cards.md") {
  std::ifstream page(std::string(test::kSourceTree) + "/schemas/" + name);
  std::vector<std::string> paragraphs;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    const bool indented = line.starts_with("    ");
    if (indented) {
      if (!inside) {
        paragraphs.emplace_back();
      }
      paragraphs.back() += line.substr(4) + "\n";
    }
    inside = indented;
  }
  REQUIRE(paragraphs.size() >= 6);
  return paragraphs;
}

/// The page's vectors are its last three paragraphs.
inline std::string known_node_text() {
  const auto all = paragraphs_of_page();
  return all[all.size() - 3];
}
inline std::string known_card_text() {
  const auto all = paragraphs_of_page();
  return all[all.size() - 2];
}
inline std::string known_fingerprint() {
  auto text = paragraphs_of_page().back();
  text.pop_back();
  return text;
}

/// A key and a card that say `number`.
struct Made {
  explicit Made(std::uint8_t number, const std::string& name = "ga-south")
      : key(seed_of(number)),
        card{.name = name,
             .seals = seal::Identity::generate().recipient(),
             .signs = key.verifier()} {
    card.id.fill(number);
  }
  [[nodiscard]] std::string text() const { return card_text(card, key); }

  seal::SigningKey key;
  Card card;

 private:
  static seal::SigningKey seed_of(std::uint8_t number) {
    std::array<std::uint8_t, seal::SigningKey::kSeedSize> seed{};
    seed.fill(number);
    return seal::SigningKey(seed);
  }
};

}  // namespace abgleich::exchange
