#include "contract/identities.hpp"

#include <algorithm>
#include <set>

namespace abgleich::contract {

Identities::Identities(const Catalog& catalog, const Keys& keys) {
  std::set<Node> pointing;
  for (const CatalogTable& table : catalog.tables) {
    const auto key = keys.find(table.name);
    if (key == keys.end()) {
      continue;
    }
    for (const std::string& column : key->second) {
      parents_.try_emplace({table.name, column}, Node{table.name, column});
    }
    for (const CatalogForeignKey& foreign_key : table.foreign_keys) {
      if (!keys.contains(foreign_key.table)) {
        continue;
      }
      const std::size_t pairs = std::min(foreign_key.columns.size(), foreign_key.referenced.size());
      for (std::size_t i = 0; i < pairs; ++i) {
        const Node from{table.name, foreign_key.columns[i]};
        const Node to{foreign_key.table, foreign_key.referenced[i]};
        link(from, to);
        if (from != to) {
          pointing.insert(from);
        }
      }
    }
  }
  // First the columns in which a chain ends; then, for circles, any column.
  for (const bool circles : {false, true}) {
    for (const auto& [node, parent] : parents_) {
      if (circles || !pointing.contains(node)) {
        names_.try_emplace(root(node), node.first);
      }
    }
  }
}

std::optional<std::string> Identities::of(std::string_view table, std::string_view column) const {
  const Node node{table, column};
  if (!parents_.contains(node)) {
    return std::nullopt;
  }
  return names_.at(root(node));
}

void Identities::rename(std::string_view was, const std::string& name) {
  for (auto& [root, called] : names_) {
    called = called == was ? name : called;
  }
}

Identities::Node Identities::root(Node node) const {
  while (true) {
    const Node& parent = parents_.at(node);
    if (parent == node) {
      return node;
    }
    node = parent;
  }
}

void Identities::link(const Node& a, const Node& b) {
  parents_.try_emplace(a, a);
  parents_.try_emplace(b, b);
  const Node first = root(a);
  const Node second = root(b);
  if (first != second) {
    parents_[std::max(first, second)] = std::min(first, second);
  }
}

}  // namespace abgleich::contract
