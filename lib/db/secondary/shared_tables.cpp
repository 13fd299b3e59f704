#include "db/secondary/shared_tables.hpp"

#include "core/error.hpp"
#include "db/engine/clauses.hpp"
#include "db/secondary/base_statements.hpp"
#include "db/secondary/row_cells.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::db {

namespace {

constexpr std::string_view kWhose =
    "whose it is: abgleich peer list --json; that of one which is no peer any more can be dropped. "
    "Nothing was changed";

bool is_same(const Target& target, std::string_view one, std::string_view other) {
  const auto small = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return target.dialect().traits().folds_names ? std::ranges::equal(one, other, {}, small, small)
                                               : one == other;
}

/// Whether the other peer has the same columns of the secondary as its key, in the same order.
bool has_same_key(const TableBeside& table, const Relation& relation) {
  const auto same = [&](const std::string& name, std::size_t i) {
    const auto& column = relation.columns[i];
    return name == column.name || (!column.renamed_from.empty() && name == column.renamed_from);
  };
  return !table.key.empty() && std::ranges::equal(table.key, relation.key, same);
}

void share(const BooksBeside& other, const TableBeside& table, OthersBases which,
           Relation& relation) {
  if (std::ranges::find(relation.shared_bases, table.base, &SharedBase::base) !=
      relation.shared_bases.end()) {
    return;  // it was found by the name that the table had before
  }
  if (!table.base_exists) {
    if (which == OthersBases::as_far_as_there) {
      return;
    }
    throw Failure(
        Code::integrity,
        fmt::format("the rows of another peer are in table '{}', too, and the base of its "
                    "bookkeeping '{}' is gone",
                    relation.name, other.name),
        fmt::format("repair that one first: abgleich verify --peer NAME --repair-base --reason "
                    "TEXT; {}",
                    kWhose));
  }
  if (!has_same_key(table, relation)) {
    throw Failure(
        Code::configuration,
        fmt::format("the rows of another peer are in table '{}', too, and have another key there "
                    "(its bookkeeping is '{}')",
                    relation.name, other.name),
        "let the key be the same columns of the secondary in both contracts; or give this one a "
        "table of its own, by another 'target'. Nothing was changed");
  }
  relation.shared_bases.push_back({.books = other.name, .base = table.base});
}

/// A table that is made anew has none of the rows that other peers' bases name: these would count
/// as deleted by people.
void expect_not_lost(Target& target, const Relation& relation) {
  const auto& catalog = target.catalog();
  if (relation.shared_bases.empty() || catalog.find_table(relation.name) != nullptr ||
      (!relation.renamed_from.empty() && catalog.find_table(relation.renamed_from) != nullptr)) {
    return;
  }
  for (const auto& shared : relation.shared_bases) {
    if (target.count(fmt::format("SELECT ({})", count_to_one(shared.base))) > 0) {
      throw Failure(
          Code::other_secondary,
          fmt::format("this is not the secondary as it was: table '{}' is not there, and another "
                      "peer's rows were in it (its bookkeeping is '{}')",
                      relation.name, shared.books),
          fmt::format(
              "put it back from a backup; or, to have it made and filled anew, run for every "
              "peer that sends into it: abgleich adopt --peer NAME --reason TEXT, then: "
              "abgleich sync; {}",
              kWhose));
    }
  }
}

/// All rows would move, and the other peers would look for theirs under the old name.
void expect_not_renamed(const Target& target, const Relation& relation) {
  const auto& from = relation.renamed_from;
  if (relation.shared_bases.empty() || from.empty() ||
      target.catalog().find_table(from) == nullptr) {
    return;
  }
  throw Failure(
      Code::configuration,
      fmt::format("the rows of several peers are in table '{}', so it is not renamed for one of "
                  "them",
                  from),
      fmt::format("write the old target again; or rename it for all: write the new target into the "
                  "contracts of all of them, and run in the secondary: {}. Nothing was changed",
                  rename_table(target.dialect(), target.session().schema, from, relation.name)));
}

}  // namespace

void find_shared_bases(Target& target, OthersBases which, std::vector<Relation>& relations) {
  if (!is_books_of_peer(target.session().books)) {
    return;
  }
  auto& books = target.books();
  for (const auto& name : books.damaged_beside()) {
    if (is_books_of_peer(name) && which == OthersBases::all) {
      throw Failure(
          Code::integrity,
          fmt::format("the bookkeeping '{}' of another peer is damaged, or this role may "
                      "not read it: it cannot be told which rows are that peer's",
                      name),
          fmt::format("see what is wrong there: abgleich verify --peer NAME; {}", kWhose));
    }
  }
  for (const auto& other : books.beside()) {
    if (!is_books_of_peer(other.name) ||
        (!other.schema.empty() && other.schema_name() != target.session().schema)) {
      continue;
    }
    for (auto& relation : relations) {
      const auto is_it = [&](const TableBeside& table) {
        return is_same(target, table.target, relation.name) ||
               (!relation.renamed_from.empty() &&
                is_same(target, table.target, relation.renamed_from));
      };
      if (const auto table = std::ranges::find_if(other.tables, is_it);
          table != other.tables.end()) {
        share(other, *table, which, relation);
      }
    }
  }
  for (const auto& relation : relations) {
    expect_not_lost(target, relation);
    expect_not_renamed(target, relation);
  }
}

bool is_taken(Target& target, const Relation& relation, const Row& key) {
  auto names = target.stand_ins().names(relation);
  std::vector<std::string> scratch;
  const auto parameters = key_cells(target.dialect(), relation, key, scratch);
  return std::ranges::any_of(relation.shared_bases, [&](const SharedBase& shared) {
    names.base = shared.base;
    bool found = false;
    target.connection().query(select_base_row(names, relation), parameters,
                              [&](std::span<const Cell> /*cells*/) { found = true; });
    return found;
  });
}

}  // namespace abgleich::db
