// Accepting a schema: what must not be accepted, and what the accepted catalogue becomes.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "core/error.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::drift {

/// Why the live schema must not be accepted for these tables (by their names in the contract;
/// empty: all): the key of an exported table would be gone. With the next step.
std::optional<Error> refusal(const contract::Contract& contract, const Catalog& accepted,
                             const Catalog& live, const std::vector<std::string>& tables);

/// The accepted catalogue with these tables of the primary as they are now; everything else stays.
/// Throws Failure: a table that neither catalogue has (usage), or another database, whose numbers
/// cannot stand beside the accepted ones (drift_decision).
Catalog accept_tables(const contract::Contract& contract, const Catalog& accepted,
                      const Catalog& live, const std::vector<std::string>& tables);

/// Throws Failure{configuration} where the file's catalogue is provably that of another database
/// than the accepted one.
void expect_same_database(const Catalog& accepted, const Catalog& from_file,
                          const std::filesystem::path& file);

}  // namespace abgleich::drift
