// What a run's record in the secondary says it did, table by table.
#pragma once

#include "db/bookkeeping/books.hpp"

#include <nlohmann/json.hpp>

namespace abgleich::report {

/// An object of objects of numbers. Throws Failure{integrity} where the record is not readable.
nlohmann::ordered_json counts_of(const db::RunRow& run);

}  // namespace abgleich::report
