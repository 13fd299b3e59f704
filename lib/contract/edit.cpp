#include "contract/edit.hpp"

#include "contract/toml_text.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::contract {

namespace {

/// The line of the contract for the column.
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

/// The end of the TOML string that begins at `at`.
std::size_t after_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) {
    at += quote == '"' && text[at] == '\\' ? 1U : 0U;
  }
  return std::min(at + 1, text.size());
}

bool opens_string(char c) {
  return c == '"' || c == '\'';
}

/// Where the first of `signs` stands outside of strings, lists and tables; `text.size()` where
/// there is none.
std::size_t find_outside(std::string_view text, std::size_t at, std::string_view signs) {
  std::size_t depth = 0;
  while (at < text.size() && (depth > 0 || signs.find(text[at]) == std::string_view::npos)) {
    if (opens_string(text[at])) {
      at = after_string(text, at);
      continue;
    }
    depth += text[at] == '[' || text[at] == '{' ? 1U : 0U;
    depth -= depth > 0 && (text[at] == ']' || text[at] == '}') ? 1U : 0U;
    ++at;
  }
  return at;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const auto begin = std::min(text.find_first_not_of(kBlank), text.size());
  const auto end = text.find_last_not_of(kBlank);
  return end == std::string_view::npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}

/// The inline table with `as` added, or changed where it has one.
std::string table_as(std::string_view table, const std::string& as) {
  std::string edited = "{";
  bool placed = false;
  for (std::size_t at = 1; at < table.size();) {
    const auto end = find_outside(table, at, ",}");
    const auto option = trimmed(table.substr(at, end - at));
    const auto name = trimmed(option.substr(0, find_outside(option, 0, "=")));
    const bool old = name == "as";
    placed = placed || old;
    if (!option.empty()) {
      edited += fmt::format("{} {}", edited.size() > 1 ? "," : "",
                            old ? fmt::format("as = {}", toml_string(as)) : std::string(option));
    }
    at = end + 1;
  }
  if (!placed) {
    edited += fmt::format("{} as = {}", edited.size() > 1 ? "," : "", toml_string(as));
  }
  return edited + " }";
}

/// The new value of a column's line; empty where the old one is not written in a known form.
std::string edited_value(std::string_view value, const ColumnEdit& edit) {
  if (!edit.cls.empty()) {
    return toml_string(edit.cls);
  }
  if (value.starts_with('{')) {
    return table_as(value, edit.as);
  }
  return opens_string(value.front())
             ? fmt::format("{{ class = {}, as = {} }}", value, toml_string(edit.as))
             : std::string();
}

}  // namespace

std::string edit_column(std::string_view text, const std::filesystem::path& file,
                        const ColumnEdit& edit) {
  const auto before = parse_contract(text, file);
  const auto* table = before.find_table(edit.table);
  const auto* known = table == nullptr ? nullptr : table->find_column(edit.column);
  if (known == nullptr) {
    throw Failure(Code::usage,
                  fmt::format("the contract does not name '{}.{}'", edit.table, edit.column),
                  "name it: abgleich contract add TABLE.COLUMN --class CLASS");
  }
  const auto begin = after_line(text, known->place.line - 1);
  const auto line = text.substr(begin, text.find('\n', begin) - begin);
  const auto equals = find_outside(line, 0, "=");
  const auto value = std::min(line.find_first_not_of(" \t", equals + 1), line.size());
  std::string edited(text);
  if (value < line.size()) {
    auto end = value;
    if (opens_string(line[value])) {
      end = after_string(line, value);
    } else if (line[value] == '{') {
      end = std::min(find_outside(line, value + 1, "}") + 1, line.size());
    }
    if (auto next = edited_value(line.substr(value, end - value), edit);
        end > value && !next.empty()) {
      edited.replace(begin + value, end - value, next);
    }
  }
  const auto after = parse_contract(edited, file);
  const auto* now = after.find_table(edit.table);
  const auto* column = now == nullptr ? nullptr : now->find_column(edit.column);
  const bool done = column != nullptr && now->columns.size() == table->columns.size() &&
                    (edit.cls.empty() || name_of(column->cls) == edit.cls) &&
                    (edit.as.empty() || column->as == edit.as);
  if (!done) {
    throw Failure(Code::configuration,
                  fmt::format("'{}.{}' is not written as one line", edit.table, edit.column),
                  fmt::format("edit it at {}", known->place.text()));
  }
  return edited;
}

std::string add_column(std::string_view text, const std::filesystem::path& file,
                       const NewColumn& column) {
  return add_line(text, file, column, line_of(column));
}

std::string add_line(std::string_view text, const std::filesystem::path& file,
                     const NewColumn& column, const std::string& line) {
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
  edited.insert(after_line(edited, last), line);
  const auto after = parse_contract(edited, file);
  const auto* added = after.find_table(column.table);
  const bool placed = added != nullptr && added->find_column(column.column) != nullptr &&
                      added->columns.size() == table->columns.size() + 1;
  if (last == 0 || !placed) {
    throw Failure(
        Code::configuration,
        fmt::format("the columns of '{}' are not written as lines of one section", column.table),
        fmt::format("add this by hand: {}", line));
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
