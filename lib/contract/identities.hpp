// Whose identity the key columns of a catalogue carry: the table that a chain of foreign keys ends
// in.
#pragma once

#include "core/catalog.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::contract {

/// Columns that are linked by foreign keys among the given tables share one identity, so that their
/// pseudonyms join. The identity has the name of the table in whose key the chain ends (where there
/// are several, or in a circle, of the first by name).
class Identities {
 public:
  /// `keys`: the key columns of every table that is exported.
  using Keys = std::map<std::string, std::vector<std::string>, std::less<>>;
  Identities(const Catalog& catalog, const Keys& keys);

  /// The identity of a column of a key, of a foreign key between the tables, or of a column that
  /// such a foreign key points to; empty for other columns.
  [[nodiscard]] std::optional<std::string> of(std::string_view table,
                                              std::string_view column) const;

  /// Renames the identity `was`.
  void rename(std::string_view was, const std::string& name);

 private:
  using Node = std::pair<std::string, std::string>;  // table, column

  Node root(Node node) const;
  void link(const Node& a, const Node& b);

  std::map<Node, Node> parents_;
  std::map<Node, std::string> names_;  // by root
};

}  // namespace abgleich::contract
