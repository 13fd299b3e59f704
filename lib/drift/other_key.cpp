#include "drift/other_key.hpp"

#include "contract/toml_text.hpp"
#include "contract/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::drift {

namespace {

/// A column that the contract exports, and that identifies the primary's rows by itself.
const contract::Column* other_key_column(const TablePair& pair) {
  const auto& key = pair.contract.key;
  for (const contract::Column& column : pair.contract.columns) {
    const auto* live = pair.live.find_column(column.name);
    if (column.exported() && column.cls != contract::Class::generalise &&
        std::ranges::find(key, column.name) == key.end() && live != nullptr && !live->nullable &&
        pair.live.is_unique({column.name})) {
      return &column;
    }
  }
  return nullptr;
}

std::string line_of(const TablePair& pair, const contract::Column& key) {
  return fmt::format("write key = [{}] below [tables.{}]", contract::toml_string(key.name),
                     contract::toml_key(pair.contract.name));
}

std::string rekey(const TablePair& pair) {
  return fmt::format("abgleich rekey {} --reason TEXT", contract::in_shell(pair.contract.name));
}

}  // namespace

std::string in_sql(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    quoted += c;
    if (c == '"') {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string qualified_table(const TablePair& pair) {
  const std::string table = in_sql(pair.live.name);
  return pair.schema.empty() ? table : in_sql(pair.schema) + "." + table;
}

std::string not_null_again(const TablePair& pair, std::string_view column) {
  const bool altered =
      pair.live.columns.empty() || traits(pair.live.columns.front().type.engine).alters_columns;
  return !altered ? fmt::format("have the primary's vendor make '{}' NOT NULL again", column)
                  : fmt::format(
                        "have the primary's administrator run: ALTER TABLE {} ALTER COLUMN {} "
                        "SET NOT NULL",
                        qualified_table(pair), in_sql(column));
}

std::string or_another_key(const TablePair& pair) {
  const auto* column = other_key_column(pair);
  return column == nullptr
             ? std::string()
             : fmt::format("; or {} and run: {}", line_of(pair, *column), rekey(pair));
}

std::string without_key_column(const TablePair& pair, std::string_view column) {
  const auto* key = other_key_column(pair);
  return key == nullptr
             ? std::string(
                   "ask the vendor for it: nothing else tells which row is which, and the "
                   "secondary's rows stay as they are")
             : fmt::format("{}, delete the line of '{}' and run: {}", line_of(pair, *key), column,
                           rekey(pair));
}

}  // namespace abgleich::drift
