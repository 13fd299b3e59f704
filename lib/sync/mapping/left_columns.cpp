#include "sync/mapping/left_columns.hpp"

#include "core/error.hpp"
#include "drift/retype.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kColumnFact = "column";

std::string text_of(const LeftTable& left) {
  Json json{{"table", left.table}, {"columns", left.columns}, {"of", Json::object()}};
  for (const auto& [label, column] : left.of) {
    auto& one = json["of"][label];
    one = {{"at", column.at}, {"type", column.type}, {"nullable", column.nullable}};
    if (column.tightening) {
      one["tightening"] = true;
    }
  }
  return json.dump();
}

LeftTable left_after(const ExportedTable& exported, const CatalogTable& there,
                     const std::optional<LeftTable>& before) {
  LeftTable left{.table = there.identity, .columns = std::ssize(there.columns), .of = {}};
  for (std::size_t i = 0; i < exported.labels.size(); ++i) {
    const auto& column = exported.relation.columns[i];
    const auto* found = there.find_column(column.name);
    if (found == nullptr) {
      continue;
    }
    auto& one = left.of[exported.labels[i]];
    one = {.at = found->identity,
           .type = found->type.native,
           .nullable = found->nullable,
           .tightening = column.tightened && found->nullable};
    const auto known = before ? before->of.find(exported.labels[i])
                              : std::map<std::string, LeftColumn>::const_iterator{};
    if (!before || known == before->of.end() || exported.refilled.contains(i)) {
      continue;
    }
    one.type = column.widened_from ? one.type : known->second.type;
    one.nullable = column.loosened || column.tightened ? one.nullable : known->second.nullable;
  }
  return left;
}

}  // namespace

std::optional<LeftTable> read_left(db::Target& target, std::int64_t id) {
  if (!target.books().exist()) {
    return std::nullopt;
  }
  const auto fact = target.books().find_fact(kColumnFact, std::to_string(id));
  if (!fact) {
    return std::nullopt;
  }
  try {
    const auto json = Json::parse(fact->value);
    LeftTable left{.table = json.at("table"), .columns = json.at("columns"), .of = {}};
    for (const auto& [label, column] : json.at("of").items()) {
      left.of[label] = {.at = column.at("at"),
                        .type = column.at("type"),
                        .nullable = column.at("nullable"),
                        .tightening = column.value("tightening", false)};
    }
    return left;
  } catch (const nlohmann::json::exception&) {
    throw Failure(Code::integrity,
                  "what the bookkeeping says of the secondary's columns is damaged",
                  "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. "
                  "Nothing was changed");
  }
}

bool holds_more(const db::Dialect& dialect, const CatalogColumn& found, const LeftColumn& left,
                const Remembered& before) {
  auto made = before.type;
  made.engine = dialect.engine();
  made.native = left.type;
  const bool as_made = dialect.column_type(before.type) == left.type;
  return as_made && drift::compare_types(made, found.type) != drift::Retype::changed;
}

void refuse_changed_columns(db::Target& target, const db::TrackedRow& row) {
  const auto refuse = [](const std::string& what) {
    throw Failure(Code::drift_decision, "people have changed the secondary: " + what,
                  "see what can be done about it: abgleich drift; then run this again. Nothing was "
                  "changed");
  };
  const auto* there = target.catalog().find_table(row.target);
  if (there == nullptr) {
    refuse(fmt::format("table '{}' is not there", row.target));
  }
  if (!there->heirs.empty()) {
    refuse(fmt::format("tables inherit from '{}'", row.target));
  }
  const auto left = read_left(target, row.id);
  for (const auto& column : read_column_history(row)) {
    if (column.state != ColumnState::exported) {
      continue;
    }
    const auto* found = there->find_column(column.name);
    if (found == nullptr) {
      refuse(fmt::format("'{}.{}' is not there", row.target, column.name));
    }
    const auto known =
        left ? left->of.find(column.label) : std::map<std::string, LeftColumn>::const_iterator{};
    if (left && known != left->of.end() && found->type.native != known->second.type &&
        !holds_more(target.dialect(), *found, known->second, column)) {
      refuse(fmt::format("'{}.{}' was changed to {}; it was {}", row.target, column.name,
                         found->type.native, known->second.type));
    }
  }
}

void remember_columns(db::Target& target, const std::vector<LocatedTable>& tables,
                      std::int64_t epoch) {
  for (const auto& exported : tables) {
    const auto* there = target.catalog().find_table(exported.relation.name);
    if (there == nullptr) {
      continue;
    }
    const auto before = read_left(target, exported.relation.id);
    const auto text = text_of(left_after(exported, *there, before));
    if (!before || text != text_of(*before)) {
      target.books().put_fact({.kind = std::string(kColumnFact),
                               .name = std::to_string(exported.relation.id),
                               .value = text,
                               .epoch = epoch});
    }
  }
}

void accept_columns(db::Target& target, std::int64_t epoch) {
  for (const auto& row : target.books().tracked()) {
    auto left = read_left(target, row.id);
    const auto* there = target.catalog().find_table(row.target);
    if (!left || there == nullptr) {
      continue;
    }
    const auto before = text_of(*left);
    for (const auto& column : read_column_history(row)) {
      const auto known = left->of.find(column.label);
      const auto* found = there->find_column(column.name);
      if (known != left->of.end() && found != nullptr) {
        known->second.type = found->type.native;
        known->second.nullable = found->nullable;
      }
    }
    if (const auto text = text_of(*left); text != before) {
      target.books().put_fact({.kind = std::string(kColumnFact),
                               .name = std::to_string(row.id),
                               .value = text,
                               .epoch = epoch});
    }
  }
}

}  // namespace abgleich::sync
