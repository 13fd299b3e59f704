#include "sync/run/expect_tables.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

namespace abgleich::sync {

void expect_tables(const contract::Contract& contract) {
  if (contract.tables.empty()) {
    throw Failure(Code::configuration,
                  fmt::format("{}: the contract exports no table", contract.file.string()),
                  "name a table with its key and its columns there, or correct [primary] schema in "
                  "the configuration and add what is found: abgleich init --again. Nothing was "
                  "changed");
  }
}

}  // namespace abgleich::sync
