#include "contract/edit.hpp"

#include "contract/toml_text.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::contract {

namespace {

/// The line that names the column.
std::string line_of(const NewColumn& column) {
  std::string options;
  const auto option = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      options += fmt::format(", {} = {}", name, toml_string(value));
    }
  };
  option("identity", column.identity);
  option("normalise", column.normalise);
  option("to", column.to);
  option("reference", column.reference);
  const auto name = toml_key(column.column);
  return options.empty()
             ? fmt::format("{} = {}\n", name, toml_string(column.cls))
             : fmt::format("{} = {{ class = {}{} }}\n", name, toml_string(column.cls), options);
}

/// Where the line after line number `line` (from 1) begins.
std::size_t after_line(std::string_view text, unsigned line) {
  std::size_t at = 0;
  for (unsigned i = 0; i < line; ++i) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) {
      return text.size();
    }
    ++at;
  }
  return at;
}

}  // namespace

std::string add_column(std::string_view text, const std::filesystem::path& file,
                       const NewColumn& column) {
  const auto before = parse_contract(text, file);
  const auto* table = before.find_table(column.table);
  if (table == nullptr) {
    throw Failure(Code::usage, fmt::format("the contract has no table '{}'", column.table),
                  "add the table by hand: its key and its columns");
  }
  if (const auto* known = table->find_column(column.column)) {
    throw Failure(Code::usage,
                  fmt::format("'{}.{}' is in the contract already", column.table, column.column),
                  fmt::format("edit it at {}", known->place.text()));
  }
  unsigned last = 0;
  for (const auto& known : table->columns) {
    last = std::max(last, known.place.line);
  }
  std::string edited(text);
  if (!edited.empty() && edited.back() != '\n') {
    edited += '\n';
  }
  edited.insert(after_line(edited, last), line_of(column));
  const auto after = parse_contract(edited, file);
  const auto* added = after.find_table(column.table);
  const bool placed = added != nullptr && added->find_column(column.column) != nullptr &&
                      added->columns.size() == table->columns.size() + 1;
  if (last == 0 || !placed) {
    throw Failure(
        Code::configuration,
        fmt::format("the columns of '{}' are not written as lines of one section", column.table),
        fmt::format("add this by hand: {}", line_of(column)));
  }
  return edited;
}

NewColumn named_column(const Contract& contract, std::string_view name) {
  for (auto at = name.find('.'); at != std::string_view::npos; at = name.find('.', at + 1)) {
    if (contract.find_table(name.substr(0, at)) != nullptr && at + 1 < name.size()) {
      return {.table = std::string(name.substr(0, at)), .column = std::string(name.substr(at + 1))};
    }
  }
  if (const auto at = name.find('.'); at != std::string_view::npos && at + 1 < name.size()) {
    throw Failure(Code::usage, fmt::format("the contract has no table '{}'", name.substr(0, at)),
                  "the tables are in " + contract.file.string());
  }
  throw Failure(Code::usage,
                fmt::format("'{}' is not a table of the contract, a point and a column", name),
                "write TABLE.COLUMN; the tables are in " + contract.file.string());
}

}  // namespace abgleich::contract
