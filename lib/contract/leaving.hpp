// What a contract lets leave, column by column, and whether another one lets more leave: that is a
// decision, never a side effect of an edit.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

/// One exported column: all that decides how much of a value leaves, and nothing else.
struct ColumnLeaves {
  Class cls = Class::withhold;
  std::string identity;  // of a pseudonym: what it can be joined with
  Normaliser normaliser = Normaliser::none;
  Format format = Format::automatic;
  Generalisation generalisation;   // the values of a map's left side are sealed
  std::vector<std::string> codes;  // sealed, in order; empty: any value leaves
  OnUnusable on_unusable = OnUnusable::hold;

  bool operator==(const ColumnLeaves&) const = default;
};

struct TableLeaves {
  std::map<std::string, ColumnLeaves, std::less<>> columns;  // by the primary's names
  // Without a k nobody is counted, and the rest is empty.
  std::int64_t min_k = 0;
  std::vector<std::string> quasi_identifiers;  // in order
  std::string subject;                         // whose rows are counted; empty: not known

  bool operator==(const TableLeaves&) const = default;
};

using Leaving = std::map<std::string, TableLeaves, std::less<>>;  // by the primary's names

/// Makes of a value of the primary that a contract names (a code, the left side of a map) something
/// that may be kept in the secondary and is the same for the same value.
using Seal = std::function<std::string(std::string_view)>;

Leaving leaving_of(const Contract& contract, const Seal& seal);

/// What changed of one column, or (empty column) of how many must share a row's quasi-identifiers.
struct LeavingChange {
  enum class Way : std::uint8_t { more, less };
  Way way = Way::more;
  std::string table;
  std::string column;
  std::string before;  // for people: "nothing", "pseudonym of 'person'"
  std::string now;
};

/// In the order of tables and columns. More leaves where a column is new, where what leaves is not
/// a function of what left before (a plain value for a pseudonym, another identity, a finer or
/// another generalisation, in another zone or shifted anew, a normaliser gone), where more values
/// or rows may leave (codes, `on_unusable`, `min_k`, quasi-identifiers, another subject).
/// `contract` says which names are only new (`was`), where the accepted catalogue does not have
/// both names, or where the other name has a `was` of its own (names were swapped).
std::vector<LeavingChange> compare(const Leaving& before, const Leaving& now,
                                   const Contract& contract, const Catalog* accepted);

}  // namespace abgleich::contract
