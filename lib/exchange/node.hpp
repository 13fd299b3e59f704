// This node: its secret keys, and the card that its peers pin. Its file is as secret as the key
// file; schemas/cards.md describes every byte.
#pragma once

#include "core/locked_memory.hpp"
#include "exchange/card.hpp"
#include "seal/age_key.hpp"
#include "seal/secret_file.hpp"
#include "seal/signature.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace abgleich::exchange {

/// What messages say of the file of a node's keys.
inline constexpr seal::SecretFile kNodeFile{.called = "node key",
                                            .setting = "[exchange] identity",
                                            .made_by = "abgleich peer init --name NAME",
                                            .changed_by = "",
                                            .checked_by = "abgleich peer card"};

/// Movable, not copyable: its secrets are in locked memory.
class Node {
 public:
  /// Makes new keys and an id, and writes them into a new file with mode 0600; never overwrites.
  /// REQUIRES: `is_peer_name(name)`. Throws Failure{key_or_trust}.
  static Node generate(const std::string& name, const std::filesystem::path& file);

  /// Throws Failure{key_or_trust} under the same conditions as for the key file.
  static Node read(const std::filesystem::path& file);

  /// Parses the text of such a file; `file` is for messages, which repeat nothing of it.
  static Node parse(std::string_view text, const std::string& file);

  [[nodiscard]] const Card& card() const { return card_; }
  /// The text of this node's card: always the same bytes.
  [[nodiscard]] std::string signed_card() const { return card_text(card_, signs_); }
  /// The secret key that opens what is sealed to the card's key.
  [[nodiscard]] const seal::Identity& seals() const { return seals_; }
  /// The secret key that signs for this node.
  [[nodiscard]] const seal::SigningKey& signs() const { return signs_; }
  /// The text of the node's own file.
  [[nodiscard]] LockedMemory text() const;

 private:
  Node(Card card, seal::Identity seals, seal::SigningKey signs);

  Card card_;
  seal::Identity seals_;
  seal::SigningKey signs_;
};

}  // namespace abgleich::exchange
