// What differs between engines in the text of SQL and in the form of values. Pure, no I/O. The
// defaults are what the SQL standard and most engines have; what every engine has to write itself
// is pure virtual. What acts on a session is in db/engine/engine.hpp.
#pragma once

#include "core/catalog.hpp"
#include "core/condition.hpp"
#include "core/engine.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "db/engine/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

struct RelationColumn;  // relation.hpp

/// An UPDATE of a table with values from other tables. `set`, `from` and `where` are SQL, in which
/// `alias` is the table that is changed.
struct JoinedUpdate {
  std::string_view table;
  std::string_view alias;
  std::string_view set;
  std::string_view from;
  std::string_view where;
  bool of_people = false;  // a table of the data, not one of ours: see `conflict_guard`
};

/// A row that is inserted, or replaces the row with the same key.
struct Upsert {
  std::string_view table;
  std::vector<std::string_view> columns;
  std::size_t key = 1;      // how many of the columns, from the first, are the key
  std::string_view values;  // SQL, in the order of the columns
};

/// How a row is found again in the same transaction, without its values.
struct RowPlace {
  std::string_view selected;  // SQL for a SELECT list: where the row is
  std::string_view compared;  // SQL that equals what was selected, as a text literal
};

/// Rows as lines of bytes, in the form in which the engine hands them over. Two lines are equal
/// only if all of their cells are.
struct RowLines {
  void (*append)(std::span<const Cell> row, std::string& out);
  /// Splits a line in place: the cells then point into it.
  void (*split)(std::span<char> line, std::vector<Cell>& cells);
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  [[nodiscard]] virtual Engine engine() const = 0;
  [[nodiscard]] const EngineTraits& traits() const { return abgleich::traits(engine()); }

  // Names and operators that mean the same under any search path --------------------------------

  /// Quotes an identifier; any name without NUL is safe, keywords and quotes included.
  [[nodiscard]] std::string quote(std::string_view name) const;

  /// A table of the data, qualified with the schema where there are schemas.
  [[nodiscard]] virtual std::string table(std::string_view schema, std::string_view name) const = 0;

  /// See Session::own_table and Session::own_name.
  [[nodiscard]] virtual std::string own_table(std::string_view books,
                                              std::string_view name) const = 0;
  [[nodiscard]] virtual std::string own_name(std::string_view books,
                                             std::string_view name) const = 0;

  /// A temporary table, qualified so that no table of the data is meant.
  [[nodiscard]] virtual std::string temporary_table(std::string_view name) const = 0;

  /// An operator and a function, written so that the engine's own is meant and not a user's.
  [[nodiscard]] virtual std::string operation(std::string_view symbol) const;
  [[nodiscard]] virtual std::string function(std::string_view name) const;

  // Types and values ----------------------------------------------------------------------------

  /// The type to declare for a column of the secondary that is to hold `type` exactly. The same
  /// engine: its native name; enumerations, and types that another database may not have, become
  /// text. Another engine: the nearest type that keeps every value's canonical form.
  [[nodiscard]] virtual std::string column_type(const Type& type) const = 0;
  /// The type of a column of ours for bytes.
  [[nodiscard]] virtual std::string_view blob_type() const = 0;
  /// The type of a column of ours for a text that is compared by its bytes. Empty: no type.
  [[nodiscard]] virtual std::string_view key_text_type() const = 0;

  /// The column as it stands in a SELECT list, so that the engine hands it over in the form that
  /// `decode` knows. `column` is quoted (and qualified) already.
  [[nodiscard]] virtual std::string select_expression(std::string_view column,
                                                      const Type& type) const = 0;

  /// Engine's cell -> canonical kind and bytes, for a column of the given logical type. Lenient: a
  /// value that is not of the column's type gets the kind that it has itself. `bytes` points into
  /// the cell or into `scratch`.
  struct Decoded {
    Kind kind = Kind::null;
    std::string_view bytes;
  };
  [[nodiscard]] virtual Decoded decode(const Type& type, const Cell& cell,
                                       std::string& scratch) const = 0;

  /// Canonical value -> cell for a column of the given logical type; exact inverse of `decode` for
  /// every value that `fit` accepts. The cell points into the value or into `scratch`.
  [[nodiscard]] virtual Cell encode(const Type& type, const Value& value,
                                    std::string& scratch) const = 0;

  /// Brings a value into the form in which this engine gives it back from a column of type `column`
  /// (the secondary's own, from its catalogue). Changes the representation only, never the meaning.
  /// Returns the reason if the column cannot store the value exactly, such as "text too long",
  /// "contains NUL", "not an integer", "out of range", "would be rounded".
  [[nodiscard]] virtual std::optional<std::string_view> fit(const Type& column,
                                                            Value& value) const = 0;

  /// A value (SQL) cast to the type `native`; unchanged where columns take values of any type.
  [[nodiscard]] virtual std::string cast(std::string_view value, std::string_view native) const;
  /// A value of any type as text, for GROUP BY and for display.
  [[nodiscard]] virtual std::string as_text(std::string_view value) const;
  [[nodiscard]] virtual std::string blob_literal(std::string_view bytes) const = 0;
  /// SQL for a value that the rows of the table `data` are not expected to have. A row keeps it
  /// only while other rows change. It may refer to p.n, the number of the row in the plan. Empty
  /// where the type has no such value.
  [[nodiscard]] virtual std::optional<std::string> unused_value(const RelationColumn& column,
                                                                std::string_view data) const = 0;

  // Equality and order --------------------------------------------------------------------------

  [[nodiscard]] virtual std::string distinct(std::string_view one, std::string_view other) const;
  /// The catalogue's name of the collation that compares bytes, for columns that we make. Empty:
  /// it is the default.
  [[nodiscard]] virtual std::string_view byte_collation() const { return {}; }
  /// A text of ours, to be compared or ordered by its bytes.
  [[nodiscard]] virtual std::string bytewise(std::string_view text) const = 0;
  /// What follows a column of this type in ORDER BY, so that its bytes decide.
  [[nodiscard]] virtual std::string_view byte_order(const Type& stored) const = 0;
  /// A value of the secondary's column, written so that it is compared with ours by its bytes.
  [[nodiscard]] virtual std::string bytes_of(const RelationColumn& column,
                                             std::string_view theirs) const = 0;
  /// The same for a column of which only the name is known.
  [[nodiscard]] virtual std::string text_bytes(std::string_view theirs) const = 0;
  /// SQL: whether a collation (Equality::collate) takes two values for equal.
  [[nodiscard]] virtual std::string same_collated(std::string_view one, std::string_view other,
                                                  std::string_view collate) const;

  // Statements ----------------------------------------------------------------------------------

  /// What follows the word INSERT or UPDATE, so that the ON CONFLICT clauses of a table's own
  /// constraints cannot drop rows.
  [[nodiscard]] virtual std::string_view conflict_guard() const { return {}; }
  /// What stands before the values of an INSERT, so that identity columns accept them.
  [[nodiscard]] virtual std::string_view overriding() const { return {}; }
  /// What SELECT ends with, to lock the rows that it finds.
  [[nodiscard]] virtual std::string_view row_lock() const { return {}; }
  /// What CREATE TEMPORARY TABLE ends with, after its list.
  [[nodiscard]] virtual std::string_view temporary_end() const { return {}; }

  [[nodiscard]] virtual std::string between(std::string_view number, std::int64_t first,
                                            std::int64_t last) const;
  [[nodiscard]] virtual std::string among(std::string_view number,
                                          std::span<const std::int64_t> numbers) const;

  [[nodiscard]] virtual std::string update_from(const JoinedUpdate& update) const;
  [[nodiscard]] virtual std::string delete_where(std::string_view table, std::string_view alias,
                                                 std::string_view condition) const;
  /// DELETE of rows of `data` (alias t) that are joined with those of `plan` (alias p). Empty: the
  /// engine has no such statement.
  [[nodiscard]] virtual std::string delete_joined(std::string_view data, std::string_view plan,
                                                  std::string_view condition) const = 0;
  [[nodiscard]] virtual std::string upsert(const Upsert& row) const;
  /// Several updates as one statement, so that foreign keys are checked only after all of them. Its
  /// result is how many rows they changed. Empty: the engine has no such statement.
  [[nodiscard]] virtual std::string all_in_one(std::span<const std::string> /*updates*/) const {
    return {};
  }
  [[nodiscard]] virtual RowPlace row_place() const = 0;

  /// Collects statistics of a table for the planner; `columns`: of these only, empty for all.
  /// Returns an empty text where that would not help.
  [[nodiscard]] virtual std::string analyze(std::string_view /*table*/,
                                            std::string_view /*columns*/) const {
    return {};
  }
  /// Prepares a temporary table that has been filled for joins by `key`, a list of columns.
  /// `known`: the columns that `analyze` is given.
  [[nodiscard]] virtual std::string ready_to_join(std::string_view table, std::string_view key,
                                                  std::string_view known) const = 0;

  // Definitions ---------------------------------------------------------------------------------

  /// Whether ALTER TABLE can add foreign keys to an existing table. If not, CREATE TABLE has to
  /// name them, and the tables that they refer to may be made later.
  [[nodiscard]] virtual bool adds_foreign_keys() const { return true; }
  /// Adds a unique key over these columns to an existing table.
  [[nodiscard]] virtual std::string add_unique(std::string_view schema, std::string_view name,
                                               const std::vector<std::string>& columns) const;

  // What an engine may promise ------------------------------------------------------------------

  /// A plain table stores every value that `fit` accepts exactly as a statement sends it, so that
  /// it need not be read back.
  [[nodiscard]] virtual bool stores_as_sent() const { return false; }
  /// Equal values of the type have the same text, which is given back as it was sent.
  [[nodiscard]] virtual bool has_one_text(const Type& /*stored*/) const { return false; }
  /// The lines that Connection::read_unknown hands over, where their cells have the form that
  /// `encode` makes. Null: it hands over other bytes.
  [[nodiscard]] virtual const RowLines* row_lines() const { return nullptr; }

  // Conditions of the contract ------------------------------------------------------------------

  /// A text without NUL as a literal, for where a parameter is not possible. `type` is that of the
  /// column that it is compared with, for engines that need a cast.
  [[nodiscard]] virtual std::string text_literal(std::string_view text, const Type& type) const;
  /// A column or literal (SQL), converted where values of the type would be compared wrongly.
  [[nodiscard]] virtual std::string comparable(std::string sql, const Type& /*type*/) const {
    return sql;
  }
  /// SQL: whether the value of a column is of the column's declared type, so that `test` can be
  /// applied to it. Empty: the server ensures that.
  [[nodiscard]] virtual std::string is_of_type(std::string_view /*column*/, const Type& /*type*/,
                                               const Condition& /*test*/) const {
    return {};
  }
  /// SQL: whether a text matches a LIKE pattern of %, _ and the escape \; case-sensitive.
  [[nodiscard]] virtual std::string like(std::string_view text, std::string_view pattern) const;
};

/// The bytes (packed digests) of a cell of the bookkeeping. Where the engine hands them over in
/// hexadecimal, as PostgreSQL does, they are decoded into `scratch`.
std::string_view packed(const Dialect& dialect, const Cell& cell, std::string& scratch);

/// One object per engine, without state.
const Dialect& dialect(Engine engine);

}  // namespace abgleich::db
