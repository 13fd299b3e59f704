// RawRow -> Row: the only such conversion. What leaves the primary leaves through here.
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

/// The type that a column has once it is exported: the source's own for plain, text or uuid for a
/// pseudonym, integer for a year, text for other generalisations.
Type exported_type(const contract::Column& column, const Type& source);

/// Whether the column's class fits its type; where not, why ("year needs a date, 'note' is text").
std::optional<std::string> misfit(const contract::Column& column, const Type& source);

/// The recipe of a pseudonym column.
Recipe recipe_of(const contract::Column& column, const Type& source);

/// Why a row is held back. Never holds a value.
struct Refusal {
  std::size_t column = 0;  // index among the exported columns
  std::string reason;      // "not in codes", "not a phone number", "not valid UTF-8", "key is NULL"
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

  /// Masks one row: `raw.cells` in the same order as `columns`. Overwrites `row`, reusing its
  /// memory. Returns the first cell that cannot be masked: the row is then to be quarantined; cells
  /// of the key are masked before all others, so that `key_is_whole` says whether `row`'s key cells
  /// can name the row.
  struct Outcome {
    std::optional<Refusal> refusal;
    bool key_is_whole = true;
  };
  Outcome mask(const RawRow& raw, Row& row);

 private:
  class Column;
  std::vector<std::unique_ptr<Column>> columns_;
  std::vector<std::size_t> order_;  // key cells first
  std::optional<std::size_t> subject_;
};

/// The pseudonym of one value, for `token` and for test vectors.
Value pseudonym(const Keyring& keyring, std::string_view identity, contract::Format format,
                contract::Normaliser normaliser, const Value& value);

}  // namespace abgleich::mask
