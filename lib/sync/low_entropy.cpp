#include "sync/low_entropy.hpp"

#include "contract/column_names.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "mask/masker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <unordered_set>

namespace abgleich::sync {

namespace {

// Fewer distinct values than this, each in ten rows on average: the frequencies tell which is
// which.
constexpr std::size_t kFewValues = 1000;
constexpr std::int64_t kRowsAValue = 10;
constexpr int kSmallInteger = 16;  // bits

std::set<std::string> identities_of_keys(const contract::Contract& contract) {
  std::set<std::string> identities;
  for (const auto& table : contract.tables) {
    if (table.key.size() == 1) {
      const auto* key = table.find_column(table.key.front());
      if (key != nullptr && key->cls == contract::Class::pseudonym) {
        identities.insert(key->identity);
      }
    }
  }
  return identities;
}

/// What type, contract and name say.
std::optional<std::string> at_sight(const contract::Column& column, const Type& type) {
  if (!type.labels.empty()) {
    return fmt::format("it is an enumeration of {} values", type.labels.size());
  }
  if (!column.codes.empty()) {
    return fmt::format("the contract allows {} codes", column.codes.size());
  }
  switch (type.family) {
    case Family::boolean:
      return "it is true or false";
    case Family::date:
      return "it is a date, and people live on some 40,000 of them";
    case Family::integer:
      if (type.bits && *type.bits <= kSmallInteger) {
        return "it is a small integer";
      }
      break;
    default:
      break;
  }
  if (contract::sounds_guessable(column.name)) {
    return "by its name, few values fill it";
  }
  return std::nullopt;
}

/// Counts the distinct values of one column; masked, since nothing here may look at them.
class Counter {
 public:
  Counter(const contract::Column& column, const Type& type, const mask::Keyring& keyring)
      : table_{.name = "", .columns = {column}},
        masker_(table_, table_.exported(), {type}, keyring) {}

  void take(const RawValue& raw) {
    one_.cells.assign(1, raw);
    if (masker_.mask(one_, row_).refusal || row_.cells[0].is_null()) {
      return;
    }
    ++rows_;
    if (seen_.size() < kFewValues) {
      seen_.insert(fingerprint(row_.cells[0].bytes()));
    }
  }

  [[nodiscard]] std::optional<std::string> judge() const {
    const auto values = static_cast<std::int64_t>(seen_.size());
    if (seen_.size() >= kFewValues || rows_ < kRowsAValue * std::max<std::int64_t>(values, 10)) {
      return std::nullopt;
    }
    return fmt::format("it has {} values in {} rows", values, rows_);
  }

 private:
  contract::Table table_;
  mask::Masker masker_;
  RawRow one_;
  Row row_;
  std::int64_t rows_ = 0;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

std::vector<LowEntropy> low_entropy_columns(const contract::Contract& contract,
                                            const Catalog& primary, db::Source& source,
                                            const mask::Keyring& keyring) {
  const auto identities = identities_of_keys(contract);
  std::vector<LowEntropy> found;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    if (there == nullptr) {
      continue;
    }
    std::vector<const CatalogColumn*> to_read;
    std::vector<LowEntropy> candidates;
    std::vector<Counter> counters;
    for (const auto& column : table.columns) {
      const auto* in_primary = there->find_column(column.name);
      if (column.cls != contract::Class::pseudonym || !column.accept_low_entropy.empty() ||
          identities.contains(column.identity) || in_primary == nullptr ||
          mask::misfit(column, in_primary->type)) {
        continue;
      }
      if (auto why = at_sight(column, in_primary->type)) {
        found.push_back({.table = &table, .column = &column, .why = *std::move(why)});
        continue;
      }
      to_read.push_back(in_primary);
      candidates.push_back({.table = &table, .column = &column, .why = {}});
      counters.emplace_back(column, in_primary->type, keyring);
    }
    if (to_read.empty()) {
      continue;
    }
    source.read(table.name, to_read, [&](const RawRow& row) {
      for (std::size_t i = 0; i < counters.size(); ++i) {
        counters[i].take(row.cells[i]);
      }
    });
    for (std::size_t i = 0; i < counters.size(); ++i) {
      if (auto why = counters[i].judge()) {
        candidates[i].why = *std::move(why);
        found.push_back(candidates[i]);
      }
    }
  }
  return found;
}

void expect_entropy(const std::vector<LowEntropy>& columns) {
  if (columns.empty()) {
    return;
  }
  const auto& first = columns.front();
  auto message =
      fmt::format("{}: a pseudonym of '{}.{}' hides too little: {}", first.column->place.text(),
                  first.table->name, first.column->name, first.why);
  for (std::size_t i = 1; i < columns.size(); ++i) {
    message += fmt::format("; nor does one of '{}.{}': {}", columns[i].table->name,
                           columns[i].column->name, columns[i].why);
  }
  throw Failure(Code::configuration, std::move(message),
                "whoever counts how often each pseudonym comes can tell what it is: generalise or "
                "withhold the column, or write accept_low_entropy = \"why\"");
}

}  // namespace abgleich::sync
