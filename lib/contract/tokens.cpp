#include "contract/tokens.hpp"

#include "contract/document.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::contract {

namespace {

bool is_token(const Column& column) {
  return is_issued(column) || column.cls == Class::token;
}

void expect_only_tokens(const Table& table) {
  if (table.key.size() != 1 || !is_issued(*table.find_column(table.key.front()))) {
    refuse(table.place,
           fmt::format("the contract has 'tokens_only', and the key of table {} is not one token",
                       in_quotes(table.name)),
           fmt::format("write {} = {{ class = \"token\", identity = {} }} for one column of the "
                       "key, and key = [{}]",
                       toml_key(table.key.front()), toml_string(table.name),
                       toml_string(table.key.front())));
  }
  for (const auto* column : table.exported()) {
    if (is_token(*column)) {
      continue;
    }
    if (column->cls != Class::generalise && column->codes.empty()) {
      refuse(column->place,
             fmt::format("the contract has 'tokens_only', and column {} is neither a token "
                         "nor generalised nor of a list of codes",
                         in_quotes(column->name)),
             "withhold it, generalise it, or list its values: codes = [\"1\", \"2\"]");
    }
    if (std::ranges::find(table.quasi_identifiers, column->name) == table.quasi_identifiers.end()) {
      refuse(column->place,
             fmt::format("the contract has 'tokens_only', and column {} is not among the "
                         "'quasi_identifiers' of its table",
                         in_quotes(column->name)),
             "name it there, so that rows that are rare by it are held back");
    }
  }
}

}  // namespace

bool is_issued(const Column& column) {
  return column.cls == Class::pseudonym && column.format == Format::token;
}

void read_issued(const Contract& contract) {
  for (const auto& table : contract.tables) {
    for (const auto& column : table.columns) {
      if (column.issued) {
        (void)column.issued->mark();
      }
    }
  }
}

void expect_only_tokens(const Contract& contract) {
  if (contract.tokens_only) {
    for (const auto& table : contract.tables) {
      expect_only_tokens(table);
    }
  }
}

void expect_tokens_fit(const Config& config, const Contract& contract) {
  if (contract.tokens_only && config.min_k < 2) {
    throw Failure(Code::configuration,
                  fmt::format("'{}' has 'tokens_only', and rows of few people would leave",
                              contract.file.string()),
                  fmt::format("write into '{}': [privacy] min_k = 5", config.file.string()));
  }
  const bool for_peer = config.routes.has_value();
  for (const auto& table : contract.tables) {
    for (const auto& column : table.columns) {
      if (is_issued(column) && !for_peer) {
        refuse(
            column.place,
            fmt::format("column {} is to be a token, which only peers get", in_quotes(column.name)),
            "write class = \"pseudonym\", or name the contract as 'sends' of a section "
            "[peers.…] and nowhere else");
      }
      if (column.resolves && !config.from_peer) {
        refuse(column.place,
               fmt::format("column {} has 'resolves', but its rows do not come from a peer",
                           in_quotes(column.name)),
               "delete it, or name the contract as 'accepts' of a section [peers.…] and nowhere "
               "else");
      }
      if (column.resolves && !config.inbox) {
        refuse(column.place,
               fmt::format("column {} has 'resolves', and so the secondary gets values of the "
                           "primary",
                           in_quotes(column.name)),
               fmt::format("if only those use the secondary who may see these values, write into "
                           "'{}': [secondary] inbox = true",
                           config.file.string()));
      }
    }
  }
}

}  // namespace abgleich::contract
