// What differs between engines in the text of SQL and in the form of values. Pure, no I/O. What is
// not said otherwise is as the standard and most engines have it; what an engine has to say itself
// has no default. What acts on a session is in db/engine/engine.hpp.
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

/// An UPDATE of a table by rows of others. `set`, `from` and `where` are SQL, in which `alias` is
/// the table that is changed.
struct JoinedUpdate {
  std::string_view table;
  std::string_view alias;
  std::string_view set;
  std::string_view from;
  std::string_view where;
  bool of_people = false;  // it is one of the data: see `conflict_guard`
};

/// A row that takes the place of the one with the same key, if there is one.
struct Upsert {
  std::string_view table;
  std::vector<std::string_view> columns;
  std::size_t key = 1;      // so many of them, the first ones
  std::string_view values;  // SQL, in the order of the columns
};

/// How a row is found again in the same transaction, whatever its columns say.
struct RowPlace {
  std::string_view selected;  // in a SELECT list
  std::string_view compared;  // with that as a text
};

/// Rows in the form in which the engine hands them over, as lines that are equal only where all of
/// their cells are.
struct RowLines {
  void (*append)(std::span<const Cell> row, std::string& out);
  /// Takes one apart in place: the cells point into it.
  void (*split)(std::span<char> line, std::vector<Cell>& cells);
};

class Dialect {
 public:
  virtual ~Dialect() = default;

  [[nodiscard]] virtual Engine engine() const = 0;
  [[nodiscard]] const EngineTraits& traits() const { return abgleich::traits(engine()); }

  // Names, and what is meant by them wherever people's search paths lead ------------------------

  /// Quotes an identifier; any name without NUL is safe, keywords and quotes included.
  [[nodiscard]] std::string quote(std::string_view name) const;

  /// A table of the data, qualified with the schema where there are schemas.
  [[nodiscard]] virtual std::string table(std::string_view schema, std::string_view name) const = 0;

  /// A bookkeeping table: `abgleich."run"`, or `"abgleich_run"` where there are no schemas.
  [[nodiscard]] virtual std::string own_table(std::string_view name) const = 0;
  /// What stands before their names: `abgleich.` or `abgleich_`.
  [[nodiscard]] virtual std::string_view own_prefix() const = 0;

  /// A temporary table, which hides none of the data and is hidden by none.
  [[nodiscard]] virtual std::string temporary_table(std::string_view name) const = 0;

  /// An operator and a function of the engine's own.
  [[nodiscard]] virtual std::string operation(std::string_view symbol) const;
  [[nodiscard]] virtual std::string function(std::string_view name) const;

  // Types and values ----------------------------------------------------------------------------

  /// The type to declare for a column of the secondary that is to hold `type` exactly. The same
  /// engine: its native name (enumerations and domains become text). Another engine: the nearest
  /// that keeps every value's canonical form.
  [[nodiscard]] virtual std::string column_type(const Type& type) const = 0;
  /// The type of bytes, and of a text that is compared by its bytes.
  [[nodiscard]] virtual std::string_view blob_type() const = 0;
  [[nodiscard]] virtual std::string_view key_text_type() const = 0;

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

  /// A value (SQL) as one of the type `native`; as it is, where no column keeps to its type.
  [[nodiscard]] virtual std::string cast(std::string_view value, std::string_view native) const;
  /// A value of any type as text, to be grouped by and shown.
  [[nodiscard]] virtual std::string as_text(std::string_view value) const;
  [[nodiscard]] virtual std::string blob_literal(std::string_view bytes) const = 0;
  /// A value that no row of `data` (a table, alias p the plan's row of number p.n) has, for as long
  /// as rows are moved around; nothing where none can be made up for the type.
  [[nodiscard]] virtual std::optional<std::string> unused_value(const RelationColumn& column,
                                                                std::string_view data) const = 0;

  // Equality and order --------------------------------------------------------------------------

  [[nodiscard]] virtual std::string distinct(std::string_view one, std::string_view other) const;
  /// The collation by bytes as the catalogue calls it, for columns of our own making; empty: they
  /// have it anyway.
  [[nodiscard]] virtual std::string_view byte_collation() const { return {}; }
  /// A text of ours, to be compared or ordered by its bytes.
  [[nodiscard]] virtual std::string bytewise(std::string_view text) const = 0;
  /// What goes behind a column of this type that is to be ordered by its bytes.
  [[nodiscard]] virtual std::string_view byte_order(const Type& stored) const = 0;
  /// A value of the secondary's column in the form in which ours are compared: its bytes.
  [[nodiscard]] virtual std::string bytes_of(const RelationColumn& column,
                                             std::string_view theirs) const = 0;
  /// The same of a column of which nothing but its name is known.
  [[nodiscard]] virtual std::string text_bytes(std::string_view theirs) const = 0;
  /// That a collation (Equality::collate) takes two values for the same.
  [[nodiscard]] virtual std::string same_collated(std::string_view one, std::string_view other,
                                                  std::string_view collate) const;

  // Statements ----------------------------------------------------------------------------------

  /// What INSERT and UPDATE say between their words: a secondary's own rules of what happens in a
  /// conflict must not drop anybody's row.
  [[nodiscard]] virtual std::string_view conflict_guard() const { return {}; }
  /// What INSERT says before its values, so that identity columns take them.
  [[nodiscard]] virtual std::string_view overriding() const { return {}; }
  /// What SELECT ends with, to lock the rows that it finds.
  [[nodiscard]] virtual std::string_view row_lock() const { return {}; }
  /// What CREATE TEMPORARY TABLE ends with, behind its list.
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
  /// Several updates as one statement whose result is how many rows they changed, so that foreign
  /// keys are looked at when all are done. Empty: the engine has no such statement.
  [[nodiscard]] virtual std::string all_in_one(std::span<const std::string> /*updates*/) const {
    return {};
  }
  [[nodiscard]] virtual RowPlace row_place() const = 0;

  /// Lets the planner know of a table; `columns`: all that it has to know of, empty for all that
  /// there are. Empty: it would not help.
  [[nodiscard]] virtual std::string analyze(std::string_view /*table*/,
                                            std::string_view /*columns*/) const {
    return {};
  }
  /// Makes a temporary table that is full ready to be joined by `key`, a list of columns; `known`:
  /// what `analyze` is to look at.
  [[nodiscard]] virtual std::string ready_to_join(std::string_view table, std::string_view key,
                                                  std::string_view known) const = 0;

  // Definitions ---------------------------------------------------------------------------------

  /// Whether ALTER TABLE adds foreign keys to a table that is there; otherwise CREATE TABLE has to
  /// name them, of tables that may be made later.
  [[nodiscard]] virtual bool adds_foreign_keys() const { return true; }
  /// Keeps these columns of a table that is there unique.
  [[nodiscard]] virtual std::string add_unique(std::string_view schema, std::string_view name,
                                               const std::vector<std::string>& columns) const;

  // What an engine may promise ------------------------------------------------------------------

  /// What a statement says that it did to a plain table is what was done: no column makes anything
  /// else of a value that `fit` let pass.
  [[nodiscard]] virtual bool stores_as_sent() const { return false; }
  /// Equal values of the type have one text, which is given back as it was sent.
  [[nodiscard]] virtual bool has_one_text(const Type& /*stored*/) const { return false; }
  /// The form in which Connection::read_unknown tells of rows, where it is as `encode` writes them.
  [[nodiscard]] virtual const RowLines* row_lines() const { return nullptr; }

  // Conditions of the contract ------------------------------------------------------------------

  /// A text without NUL, where no parameter may stand. Beside a column it takes the column's type,
  /// which is given where it has to be said.
  [[nodiscard]] virtual std::string text_literal(std::string_view text, const Type& type) const;
  /// A column or literal (SQL) as the server compares it rightly with another of the type.
  [[nodiscard]] virtual std::string comparable(std::string sql, const Type& /*type*/) const {
    return sql;
  }
  /// That a column (SQL) holds what its type promises, so that it may be asked the test; empty: the
  /// server sees to that.
  [[nodiscard]] virtual std::string is_of_type(std::string_view /*column*/, const Type& /*type*/,
                                               const Condition& /*test*/) const {
    return {};
  }
  /// That a text (SQL) is like a pattern of %, _ and \, capitals told apart.
  [[nodiscard]] virtual std::string like(std::string_view text, std::string_view pattern) const;
};

/// Bytes of the bookkeeping (packed digests) as the engine hands them over: PostgreSQL gives them
/// in hexadecimal, decoded into `scratch`.
std::string_view packed(const Dialect& dialect, const Cell& cell, std::string& scratch);

/// The dialects have no state.
const Dialect& dialect(Engine engine);

}  // namespace abgleich::db
