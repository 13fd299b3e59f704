#include "sync/check/contract_advice.hpp"

#include "contract/column_names.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace abgleich::sync {

namespace {

using To = contract::Generalisation::To;

bool is_moment(Family family) {
  return family == Family::date || family == Family::timestamp || family == Family::timestamptz;
}

/// Columns that say who a subject is or when its row was made, as far as their names tell.
std::vector<std::string> candidates(const contract::Table& table, const CatalogTable& there) {
  std::vector<std::string> found;
  for (const auto* column : table.exported()) {
    const auto* source = there.find_column(column->name);
    const bool key = std::ranges::find(table.key, column->name) != table.key.end();
    if (source != nullptr && !key &&
        (contract::sounds_like_birth(column->name) || contract::dates_the_making(column->name))) {
      found.push_back(column->name);
    }
  }
  return found;
}

bool is_shifted(const contract::Column& column) {
  return column.cls == contract::Class::generalise && column.generalisation.to == To::shift;
}

bool by_default_now(const CatalogColumn& column) {
  constexpr auto kNow = std::to_array<std::string_view>(
      {"now()", "current_timestamp", "current_date", "localtimestamp", "clock_timestamp",
       "statement_timestamp", "transaction_timestamp", "'now'"});
  const auto text = contract::lower_case(column.default_value);
  return std::ranges::any_of(
      kNow, [&](std::string_view now) { return text.find(now) != std::string::npos; });
}

}  // namespace

std::vector<Advice> reused_keys(const contract::Contract& contract, const Catalog& primary,
                                db::Source& source) {
  const auto reusing = source.tables_that_reuse_keys();
  std::vector<Advice> advice;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    if (there == nullptr || !table.fixed.empty() || table.key.size() != 1 || !there->primary_key ||
        there->primary_key->columns != table.key || !reusing.contains(table.name)) {
      continue;
    }
    const auto names = candidates(table, *there);
    advice.push_back(
        {.table = table.name,
         .text = fmt::format("'{}' gives the number of a deleted row to the next one: what people "
                             "entered for the deleted row would then stand on the new one",
                             table.name),
         .hint =
             fmt::format("write below [tables.{}]: fixed = {}{}", contract::toml_key(table.name),
                         names.empty() ? R"(["COLUMN"])" : contract::toml_list(names),
                         names.empty() ? ", with the exported columns that never change for "
                                         "one subject"
                                       : "")});
  }
  return advice;
}

std::vector<std::string> zoneless_columns(const contract::Contract& contract,
                                          const Catalog& primary) {
  std::vector<std::string> columns;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    for (const auto* column : table.exported()) {
      const auto* source = there == nullptr ? nullptr : there->find_column(column->name);
      const auto to = column->generalisation.to;
      const bool reads_day =
          to == To::year || to == To::month || to == To::week || to == To::age_band;
      if (source != nullptr && column->cls == contract::Class::generalise && reads_day &&
          column->generalisation.zone.empty() && source->type.family == Family::timestamptz) {
        columns.push_back(fmt::format("'{}.{}'", table.name, column->name));
      }
    }
  }
  return columns;
}

bool shifts_dates(const contract::Contract& contract) {
  return std::ranges::any_of(contract.tables, [](const contract::Table& table) {
    return std::ranges::any_of(table.columns, is_shifted);
  });
}

void refuse_record_dates(const contract::Contract& contract, const Catalog& primary) {
  const contract::Column* first = nullptr;
  std::string names;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    for (const auto* column : table.exported()) {
      const auto* source = there == nullptr ? nullptr : there->find_column(column->name);
      if (!is_shifted(*column) || !column->accept_record_date.empty() ||
          !(contract::dates_the_record(column->name) || contract::dates_a_deed(column->name) ||
            (source != nullptr && is_moment(source->type.family) && by_default_now(*source)))) {
        continue;
      }
      first = first == nullptr ? column : first;
      names += fmt::format("{}'{}.{}'", names.empty() ? "" : ", ", table.name, column->name);
    }
  }
  if (first != nullptr) {
    throw Failure(
        Code::configuration,
        fmt::format("{}: a shift of {} hides nothing: it says when something was done, and the "
                    "time of the run that first brought the row tells when that was",
                    first->place.text(), names),
        "generalise it to year or month, withhold it, or write accept_record_date = \"why\"");
  }
}

}  // namespace abgleich::sync
