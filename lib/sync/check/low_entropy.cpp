#include "sync/check/low_entropy.hpp"

#include "contract/column_names.hpp"
#include "core/digest.hpp"
#include "core/error.hpp"
#include "mask/masker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <unordered_set>

namespace abgleich::sync {

namespace {

// Fewer distinct values than this, each in at least ten rows on average: the frequencies tell which
// pseudonym stands for which value.
constexpr std::size_t kFewValues = 1000;
constexpr std::int64_t kRowsAValue = 10;
// The same limit for an identity that is the key of a table. A person can have many rows too, but
// there are more persons than sexes or districts.
constexpr std::size_t kFewKeys = 100;
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

enum class Identity : std::uint8_t { of_a_key, of_values };

/// Why a column has few values, as far as type, contract and name tell.
std::optional<std::string> at_sight(const contract::Column& column, const Type& type,
                                    Identity identity) {
  if (!type.labels.empty()) {
    return fmt::format("it is an enumeration of {} values", type.labels.size());
  }
  if (!column.codes.empty()) {
    return fmt::format("the contract allows {} codes", column.codes.size());
  }
  if (type.family == Family::boolean) {
    return "it is true or false";
  }
  if (identity == Identity::of_a_key) {
    return std::nullopt;  // a key has as many values as its table has rows
  }
  switch (type.family) {
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

/// Counts the distinct values of one column; they are masked first, since only `mask` may look at
/// them.
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

  /// Adds this column's values and rows to those of all columns of its identity.
  void add_to(std::unordered_set<std::uint64_t>& seen, std::int64_t& rows) const {
    seen.insert(seen_.begin(), seen_.end());
    rows += rows_;
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

namespace {

/// The values and rows of all columns of one identity.
struct IdentityValues {
  std::unordered_set<std::uint64_t> seen;
  std::int64_t rows = 0;
  std::vector<LowEntropy> columns;  // those that passed when judged alone

  [[nodiscard]] std::optional<std::string> judge(Identity identity) const {
    const bool key = identity == Identity::of_a_key;
    const auto values = static_cast<std::int64_t>(seen.size());
    const auto least = std::max<std::int64_t>(values, key ? 3 : 10);
    if (seen.size() >= (key ? kFewKeys : kFewValues) || rows < kRowsAValue * least) {
      return std::nullopt;
    }
    return fmt::format("all columns of its identity have {} values in {} rows", values, rows);
  }
};

/// The columns of one table whose values are to be counted, and what counts them.
struct ToCount {
  std::vector<const CatalogColumn*> columns;
  std::vector<LowEntropy> candidates;
  std::vector<Counter> counters;
};

/// What is to be counted in one table. Columns that type, contract or name already show to have few
/// values go to `found`.
ToCount to_count(const contract::Table& table, const CatalogTable& there,
                 const std::set<std::string>& of_keys, const mask::Keyring& keyring,
                 std::vector<LowEntropy>& found) {
  ToCount result;
  for (const auto& column : table.columns) {
    const auto* in_primary = there.find_column(column.name);
    if (column.cls != contract::Class::pseudonym || !column.accept_low_entropy.empty() ||
        in_primary == nullptr || mask::misfit(column, in_primary->type)) {
      continue;
    }
    const auto identity =
        of_keys.contains(column.identity) ? Identity::of_a_key : Identity::of_values;
    if (auto why = at_sight(column, in_primary->type, identity)) {
      found.push_back({.table = &table, .column = &column, .why = *std::move(why)});
      continue;
    }
    result.columns.push_back(in_primary);
    result.candidates.push_back({.table = &table, .column = &column, .why = {}});
    result.counters.emplace_back(column, in_primary->type, keyring);
  }
  return result;
}

}  // namespace

std::vector<LowEntropy> low_entropy_columns(const contract::Contract& contract,
                                            const Catalog& primary, db::Source& source,
                                            const mask::Keyring& keyring) {
  const auto of_keys = identities_of_keys(contract);
  std::vector<LowEntropy> found;
  std::map<std::string, IdentityValues> identities;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    if (there == nullptr) {
      continue;
    }
    auto [columns, candidates, counters] = to_count(table, *there, of_keys, keyring, found);
    if (columns.empty()) {
      continue;
    }
    source.read(table.name, columns, [&, &counters = counters](const RawRow& row) {
      for (std::size_t i = 0; i < counters.size(); ++i) {
        counters[i].take(row.cells[i]);
      }
    });
    for (std::size_t i = 0; i < counters.size(); ++i) {
      const auto& identity = candidates[i].column->identity;
      auto& values = identities[identity];
      counters[i].add_to(values.seen, values.rows);
      auto why = of_keys.contains(identity) ? std::nullopt : counters[i].judge();
      if (why) {
        candidates[i].why = *std::move(why);
        found.push_back(candidates[i]);
      } else {
        values.columns.push_back(candidates[i]);
      }
    }
  }
  for (const auto& [identity, values] : identities) {
    const auto why =
        values.judge(of_keys.contains(identity) ? Identity::of_a_key : Identity::of_values);
    for (auto column : values.columns) {
      if (why) {
        column.why = *why;
        found.push_back(column);
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
    message += fmt::format("; one of '{}.{}' does, too: {}", columns[i].table->name,
                           columns[i].column->name, columns[i].why);
  }
  throw Failure(Code::configuration, std::move(message),
                "whoever counts how often each pseudonym comes can tell what it is: generalise or "
                "withhold the column, or write accept_low_entropy = \"why\"");
}

}  // namespace abgleich::sync
