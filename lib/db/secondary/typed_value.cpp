#include "db/secondary/typed_value.hpp"

#include "db/engine/clauses.hpp"
#include "db/secondary/row_cells.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

namespace abgleich::db {

Value typed_value(Target& target, const RelationColumn& column,
                  const std::optional<std::string>& text) {
  Value value;
  if (!text) {
    return value;
  }
  const auto refuse = [&](std::string_view why) {
    throw Failure(
        Code::usage, fmt::format("the value for '{}' does not fit: {}", column.name, why),
        fmt::format("the column is of type {}. Nothing was changed", column.stored.native));
  };
  // The engine itself says what the text means in a column of this type.
  const auto& dialect = target.dialect();
  const auto table = temporary_name(dialect, "literal", target.next_temporary());
  auto& connection = target.connection();
  connection.execute(fmt::format("CREATE TEMPORARY TABLE {} (c {})", table, column.stored.native));
  const Cell cell = text_cell(*text);
  const auto meaning = dialect.cast(dialect.cast("$1", "text"), column.stored.native);
  try {
    connection.execute(fmt::format("INSERT INTO {} SELECT {}", table, meaning), {&cell, 1});
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::data) {
      throw;
    }
    refuse("it is no such value");
  }
  std::string scratch;
  connection.query(
      fmt::format("SELECT {} FROM {}", dialect.select_expression("c", column.stored), table), {},
      [&](std::span<const Cell> cells) {
        const auto read = dialect.decode(read_as(dialect, column), cells[0], scratch);
        value.set(read.kind, read.bytes);
      });
  // in SQLite a column of integers stores any text; a person meant a number
  if (column.stored.family == Family::integer && value.kind() == Kind::text) {
    refuse("it is not an integer");
  }
  if (const auto why = dialect.fit(column.stored, value)) {
    refuse(*why);
  }
  return value;
}

}  // namespace abgleich::db
