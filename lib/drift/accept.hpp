// Accepting a schema: what must not be accepted, and what the accepted catalogue becomes.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "core/error.hpp"
#include "drift/drift.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::drift {

/// Why the live schema must not be accepted for these tables (by their names in the contract;
/// empty: all), by the events of its drift: the key of an exported table would be lost. The hint is
/// the next step.
std::optional<Error> refusal(const contract::Contract& contract, const std::vector<Event>& events,
                             const std::vector<std::string>& tables);

/// The same for lines of the contract whose column or table is gone. They would block their table
/// only after the accept, when the catalogue no longer says what they were. `accepted` is the
/// catalogue that is to be accepted.
std::optional<Error> refusal_of_loss(const contract::Contract& contract,
                                     const std::vector<Event>& events, const Catalog& accepted,
                                     const Catalog& live);

/// The same for tables on which the contract's `where` could not be used any more.
std::optional<Error> refusal_of_where(const contract::Contract& contract, const Catalog& accepted,
                                      const Catalog& live);

/// The accepted catalogue with these tables of the primary as they are now; everything else stays.
/// Throws Failure: a table that neither catalogue has (usage), or another database, whose identity
/// numbers cannot be mixed with the accepted ones (drift_decision).
Catalog accept_tables(const contract::Contract& contract, const Catalog& accepted,
                      const Catalog& live, const std::vector<std::string>& tables);

/// Throws Failure{configuration} where the file's catalogue is provably that of another database
/// than the accepted one.
void expect_same_database(const Catalog& accepted, const Catalog& from_file,
                          const std::filesystem::path& file);

}  // namespace abgleich::drift
