// What differs between engines in the text of SQL and in the form of values. Pure, no I/O.
#pragma once

#include "core/catalog.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "db/connection.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

class Dialect {
 public:
  virtual ~Dialect() = default;

  [[nodiscard]] virtual Engine engine() const = 0;

  /// Quotes an identifier; any name without NUL is safe, keywords and quotes included.
  [[nodiscard]] std::string quote(std::string_view name) const;

  /// A table of the data, qualified with the schema where there are schemas.
  [[nodiscard]] virtual std::string table(std::string_view schema, std::string_view name) const = 0;

  /// A bookkeeping table: `abgleich."run"`, or `"abgleich_run"` where there are no schemas.
  [[nodiscard]] virtual std::string own_table(std::string_view name) const = 0;

  /// The type to declare for a column of the secondary that is to hold `type` exactly. The same
  /// engine: its native name (enumerations and domains become text). Another engine: the nearest
  /// that keeps every value's canonical form.
  [[nodiscard]] virtual std::string column_type(const Type& type) const = 0;

  /// The column as it stands in a SELECT list, so that the engine hands it over in the form that
  /// `decode` knows. `column` is quoted (and qualified) already.
  [[nodiscard]] virtual std::string select_expression(std::string_view column,
                                                      const Type& type) const = 0;

  /// Engine's cell -> canonical kind and bytes, for a column of the given logical type. Lenient: a
  /// cell that is not of the type keeps the kind of what it is. `bytes` points into the cell or
  /// into `scratch`.
  struct Decoded {
    Kind kind = Kind::null;
    std::string_view bytes;
  };
  [[nodiscard]] virtual Decoded decode(const Type& type, const Cell& cell,
                                       std::string& scratch) const = 0;

  /// Canonical value -> cell for a column of the given logical type; exact inverse of `decode` for
  /// every value that `fit` let pass. The cell points into the value or into `scratch`.
  [[nodiscard]] virtual Cell encode(const Type& type, const Value& value,
                                    std::string& scratch) const = 0;

  /// Brings a value into the form that this engine will give back for it from a column of type
  /// `column` (the secondary's own, from its catalogue), changing representation only, never
  /// meaning. Returns why it cannot be held exactly, if so: "text too long", "contains NUL",
  /// "not an integer", "out of range", "would be rounded".
  [[nodiscard]] virtual std::optional<std::string_view> fit(const Type& column,
                                                            Value& value) const = 0;
};

/// Bytes of the bookkeeping (packed digests) as the engine hands them over: PostgreSQL gives them
/// in hexadecimal, decoded into `scratch`.
std::string_view packed(const Dialect& dialect, const Cell& cell, std::string& scratch);

/// The dialects have no state.
const Dialect& dialect(Engine engine);

}  // namespace abgleich::db
