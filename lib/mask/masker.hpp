// RawRow -> Row: the only such conversion. Every value that leaves the primary passes through here.
#pragma once

#include "contract/contract.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "mask/keyring.hpp"
#include "mask/pseudonym.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::mask {

/// The type that a column has once it is exported: the source's own for plain values and shifted
/// dates, text, uuid or an integer for a pseudonym, an integer for a year or a rounded number, text
/// for other generalisations.
Type exported_type(const contract::Column& column, const Type& source);

/// Why the column's class does not fit its type ("year needs a date, …; 'note' is text"); empty: it
/// fits.
std::optional<std::string> misfit(const contract::Column& column, const Type& source);

/// The recipe of a pseudonym column.
Recipe recipe_of(const contract::Column& column, const Type& source);

/// Why a row is held back. Never holds a value.
struct Refusal {
  std::size_t column = 0;  // index among the exported columns
  std::string reason;      // of mask/reason.hpp: "not a phone number"
};

/// Masks the rows of one table. Not thread-safe: one a thread (it holds running HMAC states).
class Masker {
 public:
  /// `columns` are the table's exported columns in the contract's order, `types` their types in the
  /// primary. REQUIRES: misfit() is empty for each.
  Masker(const contract::Table& table, const std::vector<const contract::Column*>& columns,
         const std::vector<Type>& types, const Keyring& keyring);
  Masker(const Masker&) = delete;
  Masker& operator=(const Masker&) = delete;
  Masker(Masker&&) noexcept;
  Masker& operator=(Masker&&) noexcept;
  ~Masker();

  /// `refusal`: the first cell that cannot be masked, and why; the row is then held back in
  /// quarantine. `key_is_whole`: the key cells of the row were masked, so that they can name it.
  /// `unresolved`: because of a token that resolves to nothing, so that the row is none of this
  /// node's.
  struct Outcome {
    std::optional<Refusal> refusal;
    bool key_is_whole = true;
    bool unresolved = false;
  };
  /// Masks one row, whose cells have the order of `columns`: tokens that are resolved first, then
  /// the key cells, then all others.
  /// Overwrites `row`, reusing its memory.
  Outcome mask(const RawRow& raw, Row& row);

 private:
  class Column;
  std::vector<std::unique_ptr<Column>> columns_;
  std::vector<std::size_t> order_;  // tokens that are resolved first, then other key cells
  std::optional<std::size_t> subject_;
};

/// The pseudonym of one value, for `token` and for test vectors. Throws Failure{usage} where the
/// value cannot have one.
Value pseudonym(const Keyring& keyring, std::string_view identity, contract::Format format,
                contract::Normaliser normaliser, const Value& value);

}  // namespace abgleich::mask
