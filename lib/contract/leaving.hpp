// What a contract lets leave, column by column, and whether another contract lets more leave. That
// has to be a decision, and never a side effect of an edit.
#pragma once

#include "contract/contract.hpp"

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
  std::string resolves;            // of a token: the column that it is turned into; empty: none
  Generalisation generalisation;   // the values of a map's left side are sealed
  std::vector<std::string> codes;  // sealed, in order; empty: any value leaves
  OnUnusable on_unusable = OnUnusable::hold;

  bool operator==(const ColumnLeaves&) const = default;
};

struct TableLeaves {
  std::map<std::string, ColumnLeaves, std::less<>> columns;  // by the primary's names
  std::string where;  // sealed: it names values of the primary; empty: every row leaves
  // Where `min_k` is 0, subjects are not counted and the other two are empty.
  std::int64_t min_k = 0;
  std::vector<std::string> quasi_identifiers;  // in order
  std::string subject;                         // the subjects that are counted; empty: not known
  // The `was` of the table and of its columns that were judged with this: they are not judged
  // again.
  std::string was;
  std::map<std::string, std::string, std::less<>> renamed;  // column to `was`

  bool operator==(const TableLeaves&) const = default;
};

using Leaving = std::map<std::string, TableLeaves, std::less<>>;  // by the primary's names

/// Turns a value of the primary that a contract names (a code, the left side of a map) into a text
/// that may be kept in the secondary. The same value gives the same text.
using Seal = std::function<std::string(std::string_view)>;

Leaving leaving_of(const Contract& contract, const Seal& seal);

/// A change of one column, or (empty `column`) of which rows leave: by `where`, or by how many
/// subjects must share a row's quasi-identifiers.
struct LeavingChange {
  enum class Way : std::uint8_t { more, less };
  Way way = Way::more;
  std::string table;
  std::string column;
  std::string before;  // for people: "nothing", "pseudonym of 'person'"
  std::string now;
};

/// Under which name the last run has read what a line of the contract names now.
enum class Formerly : std::uint8_t {
  own_name,  // proven
  was,       // proven: under the line's `was`
  either,    // both names exist, and nothing proves which of them it was
  as_told,   // nothing contradicts the line
};

/// What is known of a line with a `was`.
struct FormerName {
  Formerly formerly = Formerly::as_told;
  bool both_were_there = false;  // both names existed when some run was recorded
  bool moved = false;  // since the last run was recorded, its own name has gone to another thing
};

class FormerNames {
 public:
  virtual ~FormerNames() = default;
  [[nodiscard]] virtual FormerName of(const Table& table) const = 0;
  [[nodiscard]] virtual FormerName of(const Table& table, const Column& column) const = 0;
  /// Whether a column that `where` names is another one than when the last run was recorded.
  [[nodiscard]] virtual bool decides_anew(const Table& table) const = 0;

 protected:
  FormerNames() = default;
  FormerNames(const FormerNames&) = default;
  FormerNames& operator=(const FormerNames&) = default;
};

/// The changes, in the order of tables and columns. More leaves where a column is new; where what
/// leaves is not a function of what left before (plain instead of a pseudonym, another identity, a
/// finer or another generalisation, another zone, another shift, a normaliser removed); and where
/// more values or rows may leave (codes, `on_unusable`, `min_k`, quasi-identifiers, another
/// subject, a `where` removed or changed).
///
/// A table or column may have left under its name or under its `was`. Both are compared, and the
/// comparison in which more leaves now counts. A name under which nothing left counts as nothing.
/// `former` may be null for a contract without `was` and `where`.
std::vector<LeavingChange> compare(const Leaving& before, const Leaving& now,
                                   const Contract& contract, const FormerNames* former);

}  // namespace abgleich::contract
