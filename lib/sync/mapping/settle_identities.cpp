#include "sync/mapping/settle_identities.hpp"

#include "db/secondary/target.hpp"
#include "mask/canonical_form.hpp"
#include "mask/masker.hpp"
#include "sync/mapping/column_history.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/mapping/table_matches.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace abgleich::sync {

namespace {

using contract::CanonicalForm;
using Group = std::pair<std::string, contract::Normaliser>;  // an identity: its columns can join

/// A pseudonym column of the contract.
struct Member {
  contract::Table* table = nullptr;
  contract::Column* column = nullptr;
  const CatalogColumn* source = nullptr;  // null where the primary does not have it
  std::optional<MadeWith> before;         // as the last run left it
  bool read_as_before = false;            // its type is the same as then
  /// Whose form and format come first within an identity: a column that is a table's whole key, one
  /// that is a part of a key, any other.
  enum class Weight : std::uint8_t { key, part_of_key, other } weight = Weight::other;
  std::optional<std::size_t> parent;  // the member that it refers to
};

constexpr std::array kWeights{Member::Weight::key, Member::Weight::part_of_key,
                              Member::Weight::other};

/// What the pseudonyms of a group were first made with, as far as that is known.
struct Memory {
  std::optional<contract::Format> format;
  std::optional<CanonicalForm> form;
};

const Remembered* find(const std::vector<Remembered>& layout, const contract::Column& column) {
  const auto is = [&](const auto& same) {
    const auto found = std::ranges::find_if(layout, same);
    return found == layout.end() ? nullptr : &*found;
  };
  const auto* found = is([&](const Remembered& old) {
    return old.source == column.name && old.was == column.was && old.pseudonym;
  });
  if (found == nullptr && !column.was.empty()) {
    found = is([&](const Remembered& old) { return old.source == column.was && old.pseudonym; });
  }
  return found != nullptr ? found : is([&](const Remembered& old) {
    return old.source == column.name && old.pseudonym;
  });
}

class Settling {
 public:
  Settling(contract::Contract& contract, const Catalog& primary,
           const std::vector<db::TrackedRow>& tracked)
      : primary_(primary) {
    const TableMatches known(contract, primary, tracked);
    for (auto& table : contract.tables) {
      gather(table, known.of(table));
    }
    link();
    for (const auto weight : kWeights) {
      for (const auto& member : members_) {
        if (member.weight == weight && member.before) {
          learn(member);
        }
      }
    }
    for (const auto& row : tracked) {
      for (const auto& column : read_column_history(row)) {
        if (column.pseudonym) {
          recall({column.pseudonym->identity, column.pseudonym->normaliser},
                 column.pseudonym->format, column.pseudonym->form);
        }
      }
    }
  }

  void settle() {
    for (const auto weight : kWeights) {
      for (std::size_t i = 0; i < members_.size(); ++i) {
        if (members_[i].weight == weight && root_of(i) == i) {
          settle_root(members_[i]);
        }
      }
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (const auto root = root_of(i); root != i) {
        follow(members_[root], members_[i]);
      }
    }
  }

 private:
  void gather(contract::Table& table, const db::TrackedRow* known) {
    const auto* there = primary_.find_table(table.name);
    const auto layout = known != nullptr ? read_column_history(*known) : std::vector<Remembered>{};
    for (auto& column : table.columns) {
      if (column.cls != contract::Class::pseudonym) {
        continue;
      }
      Member member{.table = &table,
                    .column = &column,
                    .source = there == nullptr ? nullptr : there->find_column(column.name),
                    .weight = std::ranges::find(table.key, column.name) == table.key.end()
                                  ? Member::Weight::other
                              : table.key.size() == 1 ? Member::Weight::key
                                                      : Member::Weight::part_of_key};
      const auto* old = find(layout, column);
      if (old != nullptr && old->pseudonym->identity == column.identity &&
          old->pseudonym->normaliser == column.normaliser) {
        member.before = old->pseudonym;
        member.read_as_before =
            member.source != nullptr && old->read_as == reading_of(member.source->type);
      }
      members_.push_back(std::move(member));
    }
  }

  [[nodiscard]] std::optional<std::size_t> find_member(std::string_view table,
                                                       std::string_view column) const {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if (members_[i].table->name == table && members_[i].column->name == column) {
        return i;
      }
    }
    return std::nullopt;
  }

  /// Finds for every member the one of its group that it refers to by a foreign key.
  void link() {
    for (auto& member : members_) {
      const auto* there = primary_.find_table(member.table->name);
      if (there == nullptr) {
        continue;
      }
      for (const auto& key : there->foreign_keys) {
        for (std::size_t i = 0; i < key.columns.size() && !member.parent; ++i) {
          const auto parent = key.columns[i] == member.column->name
                                  ? find_member(key.table, key.referenced[i])
                                  : std::nullopt;
          if (parent && members_[*parent].column != member.column &&
              group_of(members_[*parent]) == group_of(member)) {
            member.parent = parent;
          }
        }
      }
    }
  }

  static Group group_of(const Member& member) {
    return {member.column->identity, member.column->normaliser};
  }

  /// The member in which the chain of foreign keys ends; of a cycle, the first in the contract.
  [[nodiscard]] std::size_t root_of(std::size_t member) const {
    std::vector<std::size_t> chain{member};
    while (const auto parent = members_[chain.back()].parent) {
      const auto met = std::ranges::find(chain, *parent);
      if (met != chain.end()) {
        return *std::min_element(met, chain.end());
      }
      chain.push_back(*parent);
    }
    return chain.back();
  }

  void recall(const Group& group, contract::Format format,
              const std::optional<CanonicalForm>& form) {
    auto& memory = memories_[group];
    if (!memory.format) {
      memory.format = format;
    }
    if (!memory.form && form && !form->refers) {
      memory.form = form;
    }
  }

  void learn(const Member& member) {
    recall(group_of(member), member.before->format, form_before(member));
  }

  /// The form that the member had at the last run. Before forms were remembered, pseudonyms were
  /// made of the values as they are written.
  static CanonicalForm form_before(const Member& member) {
    if (member.before->form) {
      return *member.before->form;
    }
    if (member.source == nullptr || !member.read_as_before) {
      return {};
    }
    const auto natural = mask::natural_form(member.source->type, member.source->collation);
    return mask::is_written(natural, member.source->type) ? natural : CanonicalForm{};
  }

  void settle_root(Member& member) {
    auto& column = *member.column;
    auto& memory = memories_[group_of(member)];
    if (column.format == contract::Format::automatic) {
      if (member.before) {
        column.format = member.before->format;
      } else if (memory.format) {
        column.format = *memory.format;
      } else if (member.source != nullptr) {
        column.format = mask::recipe_of(column, member.source->type).format;
      }
    }
    if (member.before) {
      column.form = form_before(member);
    } else if (member.source != nullptr) {
      const auto natural = mask::natural_form(member.source->type, member.source->collation);
      // which texts are equal depends on each column's own collation
      const bool comparable = natural.of != CanonicalForm::Of::written &&
                              natural.of != CanonicalForm::Of::text && memory.form &&
                              memory.form->of != CanonicalForm::Of::text;
      column.form = comparable ? *memory.form : natural;
    }
    if (!member.before && column.format != contract::Format::automatic) {
      recall(group_of(member), column.format, column.form);
    }
  }

  static void follow(const Member& root, Member& member) {
    auto& column = *member.column;
    if (column.format == contract::Format::automatic) {
      column.format = root.column->format;
    }
    column.form = root.column->form;
    column.form.refers = true;
  }

  const Catalog& primary_;
  std::vector<Member> members_;
  std::map<Group, Memory> memories_;
};

}  // namespace

Pairing settle_identities(const Pairing& pairing, const Catalog& primary,
                          const std::vector<db::TrackedRow>& tracked) {
  auto settled = pairing;
  Settling(settled.contract, primary, tracked).settle();
  return settled;
}

Pairing settle_identities(const Pairing& pairing, const Catalog& primary) {
  const auto& file = pairing.config.secondary.file;
  std::vector<db::TrackedRow> tracked;
  if (file.empty() || std::filesystem::exists(file)) {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    tracked = known_tables(target);
  }
  return settle_identities(pairing, primary, tracked);
}

}  // namespace abgleich::sync
