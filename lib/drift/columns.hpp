// What has become of the columns of one table that the contract names.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "drift/drift.hpp"
#include "drift/trace.hpp"

#include <string_view>
#include <unordered_set>
#include <vector>

namespace abgleich::drift {

/// The hint where a person may accept the schema as it is.
inline constexpr std::string_view kAccept = "abgleich drift accept";

/// One table in the contract and in both catalogues.
struct TablePair {
  const contract::Table& contract;
  const CatalogTable* accepted = nullptr;  // null: the accepted catalogue does not know the table
  const CatalogTable& live;
  Evidence evidence = Evidence::names;  // of the columns' identities
  std::string_view schema;
  std::string_view reader;  // the role that reads; empty: not known
  /// Columns (accepted names) that foreign keys of the contract's tables point to.
  const std::unordered_set<std::string_view>& referenced;
};

/// A name as SQL has it, for a hint.
std::string in_sql(std::string_view name);

/// Appends what has changed, in no particular order.
void compare_columns(const TablePair& pair, std::vector<Event>& events);

}  // namespace abgleich::drift
